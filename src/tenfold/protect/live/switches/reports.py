"""What a process says of its switches: how often they are read, and how it stands to what the node has.

By the first a dry run can tell what a change would touch. The second says what lasts, where an acknowledgement says of
one change what became of it: of records that were there before the process, or its switch, and to a node that has begun
anew.
"""

from typing import Annotated

import msgspec

LOADS = "switch-loads"
PLACES_MAX = 1000
"""So many places of all switches are told one by one, those read most."""
SWITCHES_MAX = 100
"""Of so many switches it is told how often they are read from the other places."""

STANDING = "switch-standing"

Rate = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class ReadRate(msgspec.Struct, frozen=True, array_like=True):
    """One switch read from one place: by reads that name a subject or do not, with attributes or without."""

    switch: str
    reads_per_s: Rate
    service: str = ""
    store: str = ""
    instance: str = ""
    subject: bool = False
    attributes: bool = False


class LoadReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest `seconds` of one process, every read counted once: by switch and place in `loads`; by switch in
    `elsewhere_per_s`, from places that are not told apart; those of any other switch in `unnamed_per_s`.
    """

    seconds: float
    loads: list[ReadRate]
    elsewhere_per_s: dict[str, Rate] = {}
    unnamed_per_s: Rate = 0.0


class RecordRefusal(msgspec.Struct, frozen=True, array_like=True):
    """What was set at that epoch is not in force here; the last good one goes on."""

    switch: str
    epoch: int
    why: str


class Otherwise(msgspec.Struct, frozen=True, array_like=True):
    """The node's declaration of a switch differs from the one here in `parts`."""

    switch: str
    parts: tuple[str, ...]


class SwitchStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest report of its topic is the whole of it."""

    refused: tuple[RecordRefusal, ...] = ()
    otherwise: tuple[Otherwise, ...] = ()
