"""A database, its lagging replica and a cache in front of them, on virtual time: what an audit may see, and when."""

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.audit import RecentKeys
from tenfold.protect.reads.found import Found

TICK = Duration.from_ms(50)
LAG = Duration.from_ms(500)
IN_FLIGHT = Duration.from_ms(100)


class LaggingWorld:
    """Every write is in the primary at once, in the cache up to `in_flight` later, in the replica `lag` later.

    Keys are written at random; `values` 0 makes every write a new value, otherwise a key changes between that many.
    `corrupt` makes keys wrong in the cache, until they are written or replaced.
    """

    def __init__(
        self,
        clock: VirtualClock,
        chance: random.Random,
        *,
        keys: int = 2_000,
        reads_per_s: float = 1_000,
        writes_per_s: float = 200,
        lag: Duration = LAG,
        in_flight: Duration = IN_FLIGHT,
        values: int = 0,
    ) -> None:
        self.clock, self.chance = clock, chance
        self.keys = [f"key-{number}" for number in range(keys)]
        self.recent = RecentKeys(chance=chance)
        self.lag, self.in_flight = lag, in_flight
        self.reads_per_s, self.writes_per_s = reads_per_s, writes_per_s
        self._values = values
        self._times: dict[str, list[int]] = {key: [0] for key in self.keys}
        self._history: dict[str, list[int]] = {key: [0] for key in self.keys}
        self._arrives_ns: dict[str, list[int]] = {key: [0] for key in self.keys}
        self.corrupted: dict[str, bytes] = {}
        self.database_reads = 0

    def pass_time(self, length: Duration = TICK) -> None:
        """Reads and writes of `length`, spread over it at random."""
        begin_ns = self.clock.monotonic_ns()
        self.clock.advance(length)
        for _ in range(round(self.reads_per_s * length.s)):
            self.recent.saw(self.chance.choice(self.keys))
        writes = round(self.writes_per_s * length.s)
        for at_ns in sorted(begin_ns + self.chance.randrange(length.ns) for _ in range(writes)):
            self.write(self.chance.choice(self.keys), at_ns)

    def write(self, key: str, at_ns: int) -> None:
        history = self._history[key]
        latest = history[-1] + 1
        history.append(latest % self._values if self._values else latest)
        self._times[key].append(at_ns)
        arrives_ns = at_ns + self.chance.randrange(self.in_flight.ns + 1)
        self._arrives_ns[key].append(max(arrives_ns, self._arrives_ns[key][-1]))
        self.corrupted.pop(key, None)

    def corrupt(self, ratio: float) -> None:
        for key in self.chance.sample(self.keys, round(ratio * len(self.keys))):
            self.corrupted[key] = b"wrong"

    def truth(self, key: str) -> bytes:
        return b"%d" % self._history[key][-1]

    def proven_ns(self) -> int:
        """What the replica answers now is as new as this."""
        return self.clock.monotonic_ns() - self.lag.ns

    async def read_cache(self, keys: Sequence[str]) -> Mapping[str, Found]:
        now_ns = self.clock.monotonic_ns()
        return {key: Found(self.corrupted.get(key) or self._as_of(key, self._arrives_ns, now_ns)) for key in keys}

    async def read_replica(self, keys: Sequence[str]) -> Mapping[str, Found]:
        self.database_reads += 1
        then_ns = self.clock.monotonic_ns() - self.lag.ns
        return {key: Found(self._as_of(key, self._times, then_ns)) for key in keys}

    def _as_of(self, key: str, times: dict[str, list[int]], now_ns: int) -> bytes:
        return b"%d" % self._history[key][max(0, bisect_right(times[key], now_ns) - 1)]
