"""The commands that read and write values, and what their replies mean."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tenfold.protect.valkey.connection import Command, ReplyError
from tenfold.protect.valkey.envelope import SET_UNLESS_NEWER


class Write(NamedTuple):
    """`late`: it was read or written elsewhere before, so it must not replace what is newer."""

    key: str
    packed: bytes
    ttl_ms: int
    late: bool = False

    @property
    def command(self) -> Command:
        if self.late:
            return "EVAL", SET_UNLESS_NEWER, 1, self.key, self.packed, self.ttl_ms
        return "SET", self.key, self.packed, "PX", self.ttl_ms


class Call(NamedTuple):
    """A command of a caller's own, for the primary that holds `key`."""

    key: str
    command: Command


class Lasting(NamedTuple):
    """A value as it lies on the server, and how long it will: negative, for ever."""

    packed: bytes
    ttl_ms: int


def get(keys: Sequence[str], *, clustered: bool) -> list[Command]:
    """MGET, but in a Cluster, where it takes keys of one slot only."""
    return [("GET", key) for key in keys] if clustered else [("MGET", *keys)]


def values_of(replies: list[Any], *, clustered: bool) -> list[Any]:
    """A reply for each key of `get`. Raises ReplyError."""
    if clustered:
        return replies
    if isinstance(replies[0], ReplyError):
        raise replies[0]
    return list(replies[0])


def get_lasting(keys: Sequence[str]) -> list[Command]:
    return [command for key in keys for command in (("GET", key), ("PTTL", key))]


def lasting_of(values: Sequence[bytes | None], ttls: Sequence[Any]) -> list[Lasting | None]:
    """What was there when both were asked."""
    return [
        Lasting(value, ttl) if value is not None and isinstance(ttl, int) and ttl != -2 else None
        for value, ttl in zip(values, ttls, strict=True)
    ]
