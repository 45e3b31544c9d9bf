"""Reads of the last moments: by them a cluster is found warm or cold, and made warm."""

from random import Random

KEYS_MAX = 4_096


class RecentReads:
    """The last `keys_max` reads, a key as often as it was read: so a sample weighs keys as the traffic does.

    A sample of the audit's RecentKeys holds each key once. As small for a million keys as for ten; `saw` is one list
    write. Bounded in entries; a key is kept by reference.
    """

    __slots__ = ("_keys", "_next", "_size")

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._size = keys_max
        self._keys: list[str] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._keys)

    def saw(self, key: str) -> None:
        """Somebody read `key`."""
        if len(self._keys) < self._size:
            self._keys.append(key)
            return
        self._keys[self._next] = key
        self._next = (self._next + 1) % self._size

    def sample(self, count: int, random: Random) -> list[str]:
        """At most `count` reads, drawn without putting back, so that all are returned when there are no more."""
        return random.sample(self._keys, min(count, len(self._keys)))
