"""The place where changes are kept, as the node needs it: its chain of digests, one node on it at a time.

By the digests the history cannot be edited unseen (Haber and Stornetta, 1991).
"""

import errno
import fcntl
import os
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

import msgspec

from tenfold.channel.messages import Change, encode
from tenfold.kernel import TenfoldError

ROOT = "0" * 64


class Link(msgspec.Struct, frozen=True):
    """One change of the history as it stands there, which may have been edited, and the digest written with it.

    No digest: it is filed under a topic or key that is not its own, so that the history would be without it.
    """

    epoch: int
    text: str
    digest: str


class Head(msgspec.Struct, frozen=True):
    """The newest change of the history and its digest, as the store noted them apart from the history."""

    epoch: int
    digest: str


class Base(msgspec.Struct, frozen=True):
    """What a history that was pruned begins at: the records at `epoch`, the digest that the rest builds on, how many
    `entries` are gone and when the last of them was made.
    """

    epoch: int
    digest: str
    records: list[str] = []
    entries: int = 0
    at_ns: int = 0


class Chain(msgspec.Struct, frozen=True):
    """A part of the history, and in the same moment its head; the base with the part that begins there."""

    links: list[Link]
    head: Head | None = None
    base: Base | None = None


class HeldRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record as it stands somewhere, which may have been edited: where it is filed, and its text."""

    topic: str
    key: str
    text: str


class RecordsHeld(msgspec.Struct, frozen=True):
    """The records that stand somewhere, and the epoch up to which they are all there is."""

    epoch: int
    records: list[HeldRecord]


class RecordDifference(msgspec.Struct, frozen=True):
    """One record that is not what the history says; `there` says where, such as `in the file`. Empty: no record."""

    place: str
    said: str
    stands: str
    there: str

    def __str__(self) -> str:
        said, stands = self.said or "that there is none", self.stands or "none"
        return (
            f"The record '{self.place}' {self.there} is not what the history says of it: "
            f"the history says {said}; {self.there} stands {stands}."
        )


class ChangeStore(Protocol):
    """Makes changes durable, all or none; answers the digests of those that last, by epoch."""

    def commit(self, changes: Sequence[Change]) -> Mapping[int, str]: ...


class ControlStore(ChangeStore, Protocol):
    """Also reads them back."""

    @property
    def incarnation(self) -> str: ...
    @property
    def replaces(self) -> bool: ...
    @property
    def unreadable(self) -> Collection[int]: ...
    def epoch(self) -> int: ...
    def records(self) -> list[Change]: ...
    def recover(self) -> Sequence[RecordDifference]: ...
    def held(self) -> RecordsHeld: ...
    def head(self) -> Head: ...
    def unsealed(self) -> int: ...
    def window(self) -> list[Change]: ...
    def history(
        self, topic: str | None = None, key: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Change]: ...
    def chain(self, after: int, limit: int) -> Chain: ...


class StoreBusy(TenfoldError):
    """Another control node has the store."""


def locked(path: Path) -> int:
    """Hold the store at `path` for this process; answers the descriptor that is closed to let go.

    Raises StoreBusy, OSError.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreBusy(
            f"The control store {path} is used by another control node; a second one cannot run on it.",
            remedy="Stop the other, or give this one a store of its own.",
        ) from error
    return descriptor


def link(previous: str, change: Change) -> str:
    """The digest of `change` and, by `previous`, of all before it."""
    return blake2b(previous.encode() + encode(change), digest_size=32).hexdigest()
