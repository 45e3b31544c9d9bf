"""How a process stands to what the node has: what it refuses, and what it declares otherwise.

An acknowledgement says so of one change in the moment in which it comes; this says it of what lasts: of records that
were there before the process, or its switch, and to a node that has begun anew.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.protect.live.switches.declaration import Declaration
from tenfold.protect.live.switches.switch import Switch

STANDING = "switch-standing"
NAMES_MAX = 100
WHY_LENGTH_MAX = 200


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """What was set at that epoch is not in force here; the last good one goes on."""

    switch: str
    epoch: int
    why: str


class Otherwise(msgspec.Struct, frozen=True, array_like=True):
    """The node's declaration of a switch differs from the one here in `parts`."""

    switch: str
    parts: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest report of its topic is the whole of it."""

    refused: tuple[Refusal, ...] = ()
    otherwise: tuple[Otherwise, ...] = ()


class Comparison:
    """Compares declarations with the node's, each once as long as both stay the same. For one thread."""

    def __init__(self) -> None:
        self._compared: dict[str, tuple[int, tuple[str, ...]]] = {}

    def standing(
        self,
        declared: Iterable[Switch[Any]],
        records: Mapping[str, Change],
        refused: Mapping[str, tuple[int, str]],
    ) -> Standing:
        """`records` are the node's declarations by name; `refused` what is refused, by name, since which epoch."""
        compared = ((switch.name, self._parts(switch.declaration, records.get(switch.name))) for switch in declared)
        otherwise = [Otherwise(name, parts) for name, parts in compared if parts]
        refusals = [Refusal(name, epoch, why[:WHY_LENGTH_MAX]) for name, (epoch, why) in sorted(refused.items())]
        return Standing(tuple(refusals[:NAMES_MAX]), tuple(otherwise[:NAMES_MAX]))

    def _parts(self, declaration: Declaration, record: Change | None) -> tuple[str, ...]:
        if record is None:
            return ()
        epoch, parts = self._compared.get(declaration.name, (-1, ()))
        if epoch != record.epoch:
            parts = _differing(declaration, record.json or b"")
            self._compared[declaration.name] = (record.epoch, parts)
        return parts


def _differing(declaration: Declaration, json: bytes) -> tuple[str, ...]:
    """By name, what is not the same; nothing when the node's cannot be read."""
    with suppress(ValueError, RecursionError):
        here = msgspec.to_builtins(declaration)
        there = msgspec.to_builtins(msgspec.json.decode(json, type=Declaration))
        return tuple(part for part in sorted(here.keys() | there.keys()) if here.get(part) != there.get(part))
    return ()
