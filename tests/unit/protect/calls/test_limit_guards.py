"""What guards by a limit, a rate or a budget."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache, ReadLadder, Step
from tenfold.protect.calls.limit import (
    Budget,
    BudgetSpent,
    End,
    FixedLimit,
    Limiter,
    LimitReached,
    Rate,
    RateExceeded,
    RateLimits,
    TierBudget,
)
from tenfold.protect.reads.audit import ReadBudget
from tenfold.protect.testing import MemoryRung, run_in_virtual_time
from tenfold.telemetry import Registry


class Heard(FixedLimit):
    """A limit that writes down what it is told."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.samples: list[tuple[int, int, bool]] = []

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        self.samples.append((latency_ns, inflight, dropped))


def test_a_limiter_lets_in_as_many_as_its_limit_says_and_refuses_the_next() -> None:
    """And lets another in when one has ended."""
    limiter = Limiter("payment", FixedLimit(2), clock=VirtualClock())
    with limiter.admit():
        with limiter.admit(), pytest.raises(LimitReached, match="'payment' is full"):
            limiter.admit()
        assert limiter.inflight == 1
    assert limiter.inflight == 0


def test_a_limit_hears_how_long_calls_took_and_which_were_dropped() -> None:
    """A failure that is none of the load's says nothing: it is quick, and would teach too low a baseline."""
    clock, limit = VirtualClock(), Heard(9)
    limiter = Limiter("payment", limit, clock=clock)

    def fail(error: BaseException) -> None:
        with limiter.admit():
            clock.advance(Duration.from_ms(3))
            raise error

    for error in (TimeoutError(), ValueError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            fail(error)
    with limiter.admit():
        clock.advance(Duration.from_ms(2))
    assert limit.samples == [(3_000_000, 1, True), (2_000_000, 1, False)]


def test_a_limiter_guards_coroutines_alike() -> None:
    """The same object by `async with`."""
    limiter = Limiter("payment", FixedLimit(1))

    async def main() -> None:
        async with limiter.admit():
            assert limiter.try_admit() is None

    asyncio.run(main())
    assert limiter.inflight == 0


def test_a_permit_ends_once() -> None:
    """Whoever releases twice gives nobody else's place away."""
    limiter = Limiter("payment", FixedLimit(2))
    first, second = limiter.admit(), limiter.admit()
    first.release()
    first.release(End.DROPPED)
    assert limiter.inflight == 1
    second.release()
    assert limiter.inflight == 0


def test_threads_never_exceed_a_limit_together() -> None:
    """Eight of them, four thousand calls."""
    limiter = Limiter("payment", FixedLimit(3))
    most: list[int] = []

    def call(_: int) -> None:
        permit = limiter.try_admit()
        if permit is not None:
            most.append(limiter.inflight)
            permit.release()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(4_000)))
    assert max(most) <= 3
    assert limiter.inflight == 0


def in_child(check: Callable[[], bool]) -> bool:
    """Whether it holds in a child of a fork."""
    pid = os.fork()
    if not pid:
        os._exit(0 if check() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_child_of_a_fork_begins_with_nobody_inside_and_no_lock_held() -> None:
    """The calls under way are the parent's; their ends, should they come in the child, are nobody's."""
    limiter, budget, rates = Limiter("payment", FixedLimit(1)), Budget(1), RateLimits("sms", 10)
    permit = limiter.admit()
    assert budget.take()
    with limiter._lock, budget._lock, rates._lock:

        def check() -> bool:
            inside = limiter.admit()
            permit.release()
            return limiter.inflight == 1 and budget.take() and rates.take("7") and inside is not None

        assert in_child(check)


def test_a_budget_guards_a_block() -> None:
    """Raises instead of beginning, and gives back whatever happens."""
    budget = Budget(1)
    with budget.guard(), pytest.raises(BudgetSpent, match="1 at a time"), budget.guard():
        pass
    with pytest.raises(ZeroDivisionError), budget.guard():
        _ = 1 / 0
    assert budget.inflight == 0


def test_a_tier_budget_gives_up_the_lowest_tier_first() -> None:
    """What is left is for the tiers above."""
    budget = TierBudget(10)
    admitted = []
    for _ in range(10):
        admitted.append([budget.admits(tier) for tier in range(4)])
        budget.take()
    assert admitted[0] == [True] * 4
    assert admitted[4] == [True, True, True, False]
    assert admitted[8] == [True, True, False, False]
    assert admitted[9] == [True, False, False, False]


def test_each_key_has_a_rate_of_its_own() -> None:
    """One that has used up its own is told when there is more; another is not concerned."""
    clock = VirtualClock()
    rates = RateLimits("sms", 10, burst=2, clock=clock)
    assert [rates.take("7") for _ in range(3)] == [True, True, False]
    assert rates.take("8")
    with pytest.raises(RateExceeded, match="used up for '7'") as refused:
        rates.check("7")
    clock.advance(refused.value.retry_after)
    rates.check("7")


def test_a_rate_that_is_changed_holds_from_that_moment() -> None:
    """A key that had spent all at the slow rate waits no longer than an empty bucket of the quick one does."""
    clock = VirtualClock()
    rates = RateLimits("orders", 1, burst=100, clock=clock)
    assert [rates.take("7") for _ in range(101)] == [True] * 100 + [False]
    rates.rate = Rate(1_000, 10)
    assert not rates.take("7")
    clock.advance(Duration.from_ms(1))
    assert rates.take("7")
    rates.rate = Rate(1, 1)
    with pytest.raises(RateExceeded) as refused:
        rates.check("7")
    assert refused.value.retry_after <= Duration.from_s(1)


def test_a_call_may_bring_the_rate_of_its_key() -> None:
    """One key is held back, the others are not."""
    rates = RateLimits("orders", 100, burst=5, clock=VirtualClock())
    assert [rates.take("wild", Rate(1, 1)) for _ in range(2)] == [True, False]
    assert [rates.take("7") for _ in range(6)] == [True] * 5 + [False]


def test_inventing_keys_gains_nothing() -> None:
    """When every bucket is in use, the keys without one share one; nobody's debt is forgotten."""
    clock = VirtualClock()
    rates = RateLimits("login", 1, burst=1, keys_max=10, clock=clock)
    taken = sum(rates.take(f"invented {number}") for number in range(1_000))
    assert taken == 11
    assert not rates.take("invented 3")
    assert len(rates) == 10
    clock.advance(Duration.from_s(1))
    assert rates.take("honest")
    assert len(rates) <= 10


def test_retries_hedges_and_refreshes_share_one_budget() -> None:
    """A tenth of the real calls, and a floor, whoever asks first."""
    clock, registry = VirtualClock(), Registry()
    budget = AmplificationBudget("stock", share=0.1, floor_per_s=0, saved_max=20, clock=clock, registry=registry)
    while budget.take("audit"):
        pass
    budget.called(100)
    assert [budget.take(kind) for kind in ("retry", "hedge", "refresh") * 4].count(True) == 10
    labels = ("dependency", "kind", "outcome")
    family = registry.counter("tenfold_amplification_calls_total", "", labels)
    assert {words: child.value for words, child in family} == {
        ("stock", "audit", "made"): 20,
        ("stock", "audit", "refused"): 1,
        ("stock", "hedge", "made"): 3,
        ("stock", "hedge", "refused"): 1,
        ("stock", "refresh", "made"): 3,
        ("stock", "refresh", "refused"): 1,
        ("stock", "retry", "made"): 4,
    }


def test_a_part_of_the_budget_never_asks_for_more_than_is_left_of_the_whole() -> None:
    """An audit has a share of its own within the dependency's; what the whole refuses is not spent of the part."""
    clock = VirtualClock()
    whole = AmplificationBudget("cache", share=0.1, floor_per_s=0, saved_max=3, clock=clock)
    audit = ReadBudget(floor_per_s=0, saved_max=2, within=whole, clock=clock)
    assert [whole.take("hedge"), whole.take("hedge")] == [True, True]
    assert [audit.take("audit"), audit.take("audit")] == [True, False]
    whole.called(20)
    assert [audit.take("audit"), audit.take("audit"), whole.take("refresh")] == [True, False, True]


def test_a_ladder_refreshes_as_often_as_the_budget_of_its_first_rung_allows() -> None:
    """What it may not ask anew is still there, stale, until somebody has to wait for it."""

    async def check(clock: VirtualClock) -> None:
        rung = MemoryRung("memory", {str(number): b"value" for number in range(5)})
        near = NearCache("test", bytes_max=1 << 20, ttl=Duration.from_s(1), grace=Duration.from_s(60), clock=clock)
        extra = AmplificationBudget("memory", share=0, floor_per_s=0, saved_max=2, clock=clock)
        ladder = ReadLadder("test", near=near, steps=[Step(rung)], extra=extra, clock=clock)
        for key in rung.values:
            await ladder.read(key)
        clock.advance(Duration.from_s(2))
        for key in rung.values:
            assert (await ladder.read(key)).value == b"value"
        await asyncio.sleep(0.1)
        await ladder.close()
        assert len(rung.reads) == 5 + 2

    run_in_virtual_time(check)


def test_a_quiet_dependency_may_still_be_retried() -> None:
    """By the floor."""
    clock = VirtualClock()
    budget = AmplificationBudget("stock", floor_per_s=2, saved_max=5, clock=clock)
    while budget.take():
        pass
    clock.advance(Duration.from_s(1))
    assert [budget.take() for _ in range(3)] == [True, True, False]
