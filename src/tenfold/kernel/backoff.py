"""How long to wait before the next attempt, so that fifty processes do not come back in the same moment."""

import random

from tenfold.kernel.duration import Duration

FIRST = Duration.from_ms(50)
LONGEST = Duration.from_s(1)


class Backoff:
    """Doubles from `first` up to `longest`, each wait drawn from its upper half (equal jitter; Brooker, AWS, 2015)."""

    def __init__(self, chance: random.Random, *, first: Duration = FIRST, longest: Duration = LONGEST) -> None:
        self._chance = chance
        self._first_s = first.s
        self._longest_s = longest.s
        self._next_s = first.s

    def next_s(self) -> float:
        """The wait before this attempt."""
        wait_s = self._next_s * self._chance.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """The last attempt succeeded."""
        self._next_s = self._first_s
