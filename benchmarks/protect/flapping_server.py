"""A dependency that flaps: well for a while, then gone, then back with a growing part of what it could bear before."""

import random
from typing import NamedTuple

S = 1_000_000_000
BUCKET_NS = S // 10
BURST_NS = S // 100
START = 0.1
"""The part of its capacity that it comes back with."""


class Phase(NamedTuple):
    """Until when, and whether the server answers in it, and whether it is still on its way back."""

    until_ns: int
    answers: bool
    recovers: bool


class FlappingServer:
    """Well for 1 to 3 s, gone for 0.5 to 2 s, then 1 to 4 s until it bears `capacity_per_s` again; and so on.

    A call beyond what it bears fails, and while it is overloaded it does not recover further. Time is an argument and
    does not go back. Counts calls and what could be borne in each tenth of a second of its recoveries.
    """

    def __init__(self, capacity_per_s: float, chance: random.Random, *, began_ns: int = 0) -> None:
        self._capacity_per_s = capacity_per_s
        self._chance = chance
        self._phase = Phase(began_ns + self._length_ns(1, 3), answers=True, recovers=False)
        self._recovery_ns = 1
        self._recovered = 1.0
        self._tokens = 0.0
        self._at_ns = began_ns
        self._bucket = 0
        self._bucket_calls = 0
        self._bucket_bears = 0.0
        self._bucket_whole = False
        self.overload_max = 0.0
        self.outages = 0
        self.calls = self.answered = self.burnt = 0

    def call(self, now_ns: int) -> bool:
        """Whether the call is answered."""
        self.pass_time(now_ns)
        self.calls += 1
        self._bucket_calls += 1
        if not self._phase.answers:
            self.burnt += 1
            return False
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        self.answered += 1
        return True

    def pass_time(self, now_ns: int) -> None:
        """In steps of a millisecond at most, so that a recovery is as smooth with few calls as with many."""
        while self._at_ns < now_ns:
            step_ns = min(now_ns - self._at_ns, 1_000_000)
            self._at_ns += step_ns
            self._turn()
            self._step(step_ns)

    def _step(self, step_ns: int) -> None:
        if self._phase.recovers and self._tokens >= 1.0:
            self._recovered = min(1.0, self._recovered + (1 - START) * step_ns / self._recovery_ns)
        bears_per_s = self._recovered * self._capacity_per_s if self._phase.answers else 0.0
        most = max(1.0, bears_per_s * BURST_NS / S)
        self._tokens = min(most, self._tokens + bears_per_s * step_ns / S)
        self._bucket_bears += bears_per_s * step_ns / S

    def _turn(self) -> None:
        """Begin a new phase and a new bucket when it is time."""
        if self._phase.recovers and self._recovered >= 1.0:
            self._phase = Phase(self._at_ns + self._length_ns(1, 3), answers=True, recovers=False)
        elif not self._phase.recovers and self._at_ns >= self._phase.until_ns:
            self._phase = self._next()
        if not self._phase.recovers:
            self._bucket_whole = False
        if self._at_ns // BUCKET_NS != self._bucket:
            self._close_bucket()

    def _next(self) -> Phase:
        if self._phase.answers:
            self.outages += 1
            self._tokens = 0.0
            return Phase(self._at_ns + self._length_ns(0.5, 2), answers=False, recovers=False)
        self._recovered = START
        self._recovery_ns = self._length_ns(1, 4)
        self._tokens = 1.0
        return Phase(0, answers=True, recovers=True)

    def _close_bucket(self) -> None:
        if self._bucket_whole:
            self.overload_max = max(self.overload_max, self._bucket_calls / self._bucket_bears)
        self._bucket = self._at_ns // BUCKET_NS
        self._bucket_calls, self._bucket_bears, self._bucket_whole = 0, 0.0, self._phase.recovers

    def _length_ns(self, least_s: float, most_s: float) -> int:
        return round(self._chance.uniform(least_s, most_s) * S)
