"""A chain of digests over the history, so that it cannot be edited unseen (Haber and Stornetta, 1991)."""

from hashlib import blake2b

import msgspec

from tenfold.channel.messages import Change, encode

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


class Chain(msgspec.Struct, frozen=True):
    """A part of the history, and in the same moment its head."""

    links: list[Link]
    head: Head | None = None


def link(previous: str, change: Change) -> str:
    """The digest of `change` and, by `previous`, of all before it."""
    return blake2b(previous.encode() + encode(change), digest_size=32).hexdigest()
