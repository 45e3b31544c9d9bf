"""Pauses that grow while what follows them fails: before the next attempt, before a server is asked again."""

import random

from tenfold.kernel.duration import Duration

FIRST = Duration.from_ms(50)
LONGEST = Duration.from_s(1)


class GrowingPause:
    """`ns` is `first`, doubled by each `grow` up to `longest`, and `first` again after a `reset`."""

    __slots__ = ("_first_ns", "_longest_ns", "ns")

    def __init__(self, first: Duration = FIRST, longest: Duration = LONGEST) -> None:
        self.ns = self._first_ns = first.ns
        self._longest_ns = max(first.ns, longest.ns)

    def grow(self) -> None:
        self.ns = min(self.ns * 2, self._longest_ns)

    def reset(self) -> None:
        """The last attempt succeeded, or failed after so long that the ones before it say nothing."""
        self.ns = self._first_ns


class Backoff(GrowingPause):
    """How long to wait before each attempt, so that fifty processes do not come back in the same moment.

    Each wait is drawn from the upper half of a growing pause (equal jitter; Brooker, AWS, 2015).
    """

    __slots__ = ("_chance",)

    def __init__(self, chance: random.Random, *, first: Duration = FIRST, longest: Duration = LONGEST) -> None:
        super().__init__(first, longest)
        self._chance = chance

    def next_s(self) -> float:
        """The wait before this attempt; the next one is longer."""
        wait_s = self.ns / 1e9 * self._chance.uniform(0.5, 1.0)
        self.grow()
        return wait_s
