"""Remembers what was invalidated, so that a slow fill cannot bring it back."""

from collections import deque
from typing import NamedTuple

from tenfold.kernel import Duration

LIFETIME = Duration.from_s(10)
"""Longer than any fill that should still count."""

TOMBSTONE_BYTES = 420
"""What one tombstone costs after millions have come and gone, its place in the table included."""


class FillToken(NamedTuple):
    """The moment in which a load began: how many invalidations there had been, and when it was.

    `not_before`: the version that an invalidation of the key named not long ago; what is older need not be brought.
    """

    sequence: int
    begun_ns: int
    not_before: int = 0


class Tombstone(NamedTuple):
    """Of one key: the newest version that an invalidation named, and when the last one came, and the last without."""

    version: int
    sequence: int
    blind_sequence: int
    until_ns: int


class Tombstones:
    """The newest `number_max` invalidations by key, each for `lifetime`.

    Whatever is forgotten raises the floor: a fill whose load began before the youngest forgotten invalidation is
    refused, whatever its key. So the bounds cost refused fills, never a value that comes back. Keys are kept as
    64-bit hashes, so that their length costs nothing; two keys with one hash refuse each other's fills.
    """

    def __init__(self, *, number_max: int = 10_000, lifetime: Duration = LIFETIME) -> None:
        self._number_max = number_max
        self._lifetime_ns = lifetime.ns
        self._laid: dict[int, Tombstone] = {}
        self._order: deque[int] = deque()
        self._sequence = 0
        self._floor = 0

    @property
    def bytes_max(self) -> int:
        """What all of them cost at most."""
        return self._number_max * TOMBSTONE_BYTES

    def token(self, key: str, now_ns: int) -> FillToken:
        tombstone = self._laid.get(hash(key)) if self._laid else None
        not_before = tombstone.version if tombstone is not None and now_ns < tombstone.until_ns else 0
        return FillToken(self._sequence, now_ns, not_before)

    def lay(self, key: str, version: int, now_ns: int) -> None:
        """`key` was invalidated: what is older than `version` is wrong; with version 0, all that was loaded so far."""
        mark = hash(key)
        before = self._laid.get(mark)
        self._sequence += 1
        blind = 0 if version else self._sequence
        if before is not None:
            version = max(version, before.version if now_ns < before.until_ns else 0)
            blind = blind or before.blind_sequence
        self._laid[mark] = Tombstone(version, self._sequence, blind, now_ns + self._lifetime_ns)
        self._order.append(mark)
        self._forget(now_ns)

    def lay_for_all(self) -> None:
        """Everything was invalidated: no load that has begun may fill."""
        self._sequence += 1
        self._floor = self._sequence
        self._laid.clear()
        self._order.clear()

    def refuses(self, key: str, version: int, token: FillToken | None, now_ns: int) -> bool:
        """True when a fill may be older than an invalidation. Where both versions are known, they decide."""
        if token is not None and token.sequence < self._floor:
            return True
        tombstone = self._laid.get(hash(key)) if self._laid else None
        if tombstone is None:
            return False
        since = tombstone.sequence
        if version and tombstone.version and now_ns < tombstone.until_ns:
            if version < tombstone.version:
                return True
            since = tombstone.blind_sequence
        return token is not None and token.sequence < since

    def __len__(self) -> int:
        return len(self._laid)

    def _forget(self, now_ns: int) -> None:
        """Forget the two oldest if they are over: enough to keep the bound, and no invalidation pays for many."""
        for _ in range(2):
            oldest = self._laid[self._order[0]]
            sequence = self._sequence - len(self._order) + 1  # one place in the order for each invalidation
            was_laid_again = oldest.sequence != sequence
            if not was_laid_again and len(self._order) <= self._number_max and now_ns < oldest.until_ns:
                return
            mark = self._order.popleft()
            if not was_laid_again:
                del self._laid[mark]
                self._floor = sequence
            if not self._order:
                return
