"""The commands that read values, commands of a caller's own, and what replies mean."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from tenfold.engines.valkey.connection import Command, ReplyError


class KeyedCommand(Protocol):
    """A command for the primary that holds `key`."""

    @property
    def key(self) -> str: ...
    @property
    def command(self) -> Command: ...


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
