"""The names by which those who change the truth tell those who remember it.

    {notice}price:417002:7/4711      key 7/4711 of price: has changed; what is as new as version 417002 is right
    {notice}price:417002:            a beat: whatever had changed up to version 417002 has been announced

A notice is a key that is written and deleted in one transaction: the server sends its *name* to every tracker (tracking
messages carry names and nothing else, so the version stands in the name), and nothing remains on the server, nothing
expires later and is told again. Why not track the values' own keys: every process that fills the cluster would then
throw the value out of every other process, and a change of the truth would be heard only when somebody fills.

The braces keep all notices on one node of a Cluster, so that one connection hears them all.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

HOME = "{notice}"
"""Begins every notice, and is the key whose owner hears them all."""

VERSION_DIGITS_MAX = 20
"""Of a 64-bit number."""

Command = tuple[str, ...]


class Notice(NamedTuple):
    """`key` is empty in a beat."""

    key: str
    version: int


class NoticeInvalid(ValueError):
    """A name under the prefix of notices that is none: nobody knows what it should have told."""


def prefix_of(prefix: str) -> str:
    """What the names of all notices for `prefix` begin with."""
    return f"{HOME}{prefix}"


def name_of(prefix: str, notice: Notice) -> str:
    return f"{HOME}{prefix}{notice.version}:{notice.key}"


def read_notice(rest: bytes) -> Notice:
    """What stands after the prefix. Raises NoticeInvalid."""
    version, colon, key = rest.partition(b":")
    if not colon or not version.isdigit() or len(version) > VERSION_DIGITS_MAX:
        raise NoticeInvalid("no version where a version must stand")
    return Notice(read_key(key), int(version))


def read_key(rest: bytes) -> str:
    """Any bytes are some key: what is no UTF-8 is kept as surrogates."""
    return rest.decode(errors="surrogateescape")


def commands_of(names: Iterable[str]) -> list[Command]:
    """What tells `names` to all who track: to be sent in this order, on one connection."""
    told = tuple(names)
    written = tuple(word for name in told for word in (name, ""))
    return [("MULTI",), ("MSET", *written), ("UNLINK", *told), ("EXEC",)]


def names_of(prefix: str, versions: Mapping[str, int]) -> list[str]:
    """The names of the notices for keys that have changed, with the version that each has changed to."""
    return [name_of(prefix, Notice(key, version)) for key, version in versions.items()]
