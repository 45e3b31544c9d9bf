"""How long to wait before the next attempt to connect."""

import random

from tenfold.kernel import Duration

FIRST = Duration.from_ms(20)
LONGEST = Duration.from_s(1)


class Backoff:
    """Doubles from `first` to `longest`; each wait is drawn from its upper half (equal jitter; Brooker, AWS, 2015).

    Begins anew only after a connection that held for `longest`: a server that accepts and drops is not stormed.
    """

    def __init__(self, chance: random.Random, *, first: Duration = FIRST, longest: Duration = LONGEST) -> None:
        self._chance = chance
        self._first_ns, self._longest_ns = first.ns, longest.ns
        self._next_ns = first.ns

    def next_ns(self, held_ns: int) -> int:
        """The wait after a connection that was good for `held_ns`; 0: it never was."""
        if held_ns >= self._longest_ns:
            self._next_ns = self._first_ns
        wait_ns = round(self._next_ns * self._chance.uniform(0.5, 1.0))
        self._next_ns = min(2 * self._next_ns, self._longest_ns)
        return wait_ns
