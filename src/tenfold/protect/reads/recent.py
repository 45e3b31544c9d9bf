"""Which keys were read lately: what an audit samples, and by which a cluster is found warm and made warm."""

import random
from collections import deque
from collections.abc import Callable


class RecentKeys:
    """The newest `keys_max` reads, as a ring that forgets the oldest: memory is bounded, and a reader never waits.

    `saw` is the bound append of the ring, so that a call costs some tens of nanoseconds, from any thread.
    """

    def __init__(self, *, keys_max: int = 8_192, chance: random.Random | None = None) -> None:
        self._ring: deque[str] = deque(maxlen=keys_max)
        self._chance = chance or random.Random()
        self.saw: Callable[[str], None] = self._ring.append

    def sample(self, count: int) -> list[str]:
        """Up to `count` different keys; the more often a key is read, the likelier it is among them."""
        return list(dict.fromkeys(self.sample_reads(count)))

    def sample_reads(self, count: int) -> list[str]:
        """Up to `count` reads, drawn without putting back: a key as often as its share of the traffic says."""
        try:
            seen = list(self._ring)
        except RuntimeError:  # without a GIL, another thread may append meanwhile; the next tick asks again
            return []
        return self._chance.sample(seen, min(count, len(seen)))

    def __len__(self) -> int:
        return len(self._ring)
