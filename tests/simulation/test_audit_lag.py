"""Audits on virtual time while writes go on, replicas lag and caches go wrong: alarms with cause, and only then."""

import asyncio
import random

import pytest
from tests.lagging_world import TICK, LaggingWorld

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.audit import Auditor, ReadBudget

NOT_AT_ALL = Duration(0)


class Watch:
    """A world and its auditor; `waits` False is the broken one, which takes the first difference for a verdict."""

    def __init__(self, seed: int, *, waits: bool = True, values: int = 0, batch: int = 256, keys: int = 1_000) -> None:
        self.clock = VirtualClock()
        self.world = LaggingWorld(
            self.clock, random.Random(seed), values=values, keys=keys, reads_per_s=500, writes_per_s=100
        )
        self.auditor = Auditor(
            "watch",
            cache=self.world.read_cache,
            database=self.world.read_replica,
            keys=self.world.recent,
            proven_ns=self.world.proven_ns if waits else None,
            settle=self.world.in_flight if waits else NOT_AT_ALL,
            budget=ReadBudget(clock=self.clock),
            batch_max=batch,
            clock=self.clock,
        )
        self.samples = self.wrong = 0

    def alarm_after_s(self, limit: Duration) -> float | None:
        """Seconds until the first alarm, None when there was none."""
        return asyncio.run(self._watch(limit))

    async def _watch(self, limit: Duration) -> float | None:
        began_ns = self.clock.monotonic_ns()
        while (passed_ns := self.clock.monotonic_ns() - began_ns) < limit.ns:
            settled = await self.auditor.step()
            if settled is not None:
                self.samples += settled.samples
                self.wrong += len(settled.wrong)
                if settled.alarm:
                    return passed_ns / 1e9
            self.world.pass_time(TICK)
        return None


@pytest.mark.parametrize("values", [0, 2])
def test_half_an_hour_of_clean_writes_before_a_lagging_replica_makes_no_false_alarm(values: int) -> None:
    """Every twentieth key differs at any moment; with two values, a key may come back to what it was (ABA)."""
    watch = Watch(seed=values, values=values, batch=48)
    limit = Duration.from_s(1_800 if values == 0 else 300)
    assert watch.alarm_after_s(limit) is None, f"seed {values}"
    assert watch.samples > 20_000
    assert watch.wrong <= watch.samples * 0.001


def test_an_audit_that_does_not_wait_out_the_lag_makes_false_alarms() -> None:
    """So the test above can fail."""
    assert all(Watch(seed, waits=False).alarm_after_s(Duration.from_s(10)) is not None for seed in range(5))


def test_an_audit_that_waits_for_less_than_the_lag_makes_false_alarms() -> None:
    """The wait that counts is the one that the replica's position proves."""
    watch = Watch(seed=1)
    watch.world.lag = Duration.from_ms(500)
    watch.auditor._proven_ns = lambda: watch.clock.monotonic_ns() - Duration.from_ms(100).ns
    assert watch.alarm_after_s(Duration.from_s(30)) is not None


def test_five_percent_wrong_are_found_within_two_seconds_while_the_replica_lags() -> None:
    """Fifty caches that go wrong while 100 of 5,000 keys a second are written: the lag is in the two seconds."""
    found_s = []
    for seed in range(50):
        watch = Watch(seed, keys=5_000)
        for _ in range(100):
            watch.world.pass_time()
        assert watch.alarm_after_s(Duration.from_s(2)) is None
        watch.world.corrupt(0.05)
        found_s.append(watch.alarm_after_s(Duration.from_s(10)))
    late = {seed: second for seed, second in enumerate(found_s) if second is None or second > 2.0}
    assert not late, f"seed: seconds, {late}"
