"""Nothing wedges when the clock is set back: a machine that was restored from a picture of itself, a clock of one's
own."""

from tenfold.kernel import Duration
from tenfold.protect.calls.limit import Budget, FixedLimit, GradientLimit, TierBudget
from tenfold.protect.doors.admission import Fate, Shedder
from tenfold.protect.doors.admission.usage import GENERATION_NS, TenantUsage

HOUR = Duration.from_s(3_600)
MS = 1_000_000


class Hands:
    """A clock that is set by hand, backwards too."""

    def __init__(self) -> None:
        self.ns = 10 * HOUR.ns

    def monotonic_ns(self) -> int:
        return self.ns

    def wall_ns(self) -> int:
        return self.ns


def spent(budget: Budget) -> None:
    while budget.take():
        budget.give_back()


def test_a_budget_earns_its_tokens_from_the_moment_that_is_now() -> None:
    """An empty bucket at most: ten a second again, and not after an hour."""
    clock = Hands()
    budget = Budget(64, rate_max=10, burst=5, clock=clock)
    spent(budget)
    clock.ns -= HOUR.ns
    assert not budget.take()
    clock.ns += 100 * MS
    assert budget.take()


def test_a_tier_budget_that_is_only_asked_before_a_call_is_not_spent_for_ever() -> None:
    """Whoever is not admitted takes nothing, so that the question alone has to see it."""
    clock = Hands()
    budget = TierBudget(64, rate_max=10, burst=5, clock=clock)
    spent(budget)
    clock.ns -= HOUR.ns
    assert not budget.admits(3)
    clock.ns += 500 * MS
    assert budget.admits(3)


def test_the_adaptive_limit_goes_on_learning() -> None:
    """Calls that end before they began have no length; of those that follow, a window of nothing but drops cuts it."""
    clock, limit = Hands(), GradientLimit()

    def end(count: int, latency_ns: int, *, dropped: bool = False) -> int:
        for _ in range(count):
            clock.ns += 5 * MS
            limit.sample(clock.ns, latency_ns, 200, dropped=dropped)
        return limit.value

    before, baseline_ns = end(2_000, 20 * MS), limit.baseline_ns
    clock.ns -= HOUR.ns
    assert end(60, 20 * MS - HOUR.ns) == before
    assert limit.baseline_ns == baseline_ns
    assert end(200, 20 * MS, dropped=True) < before


def test_the_pressure_of_a_time_to_come_is_none() -> None:
    """Nobody was refused: shields are lifted."""
    clock, levels = Hands(), list[float]()
    shedder = Shedder("shop", FixedLimit(1), clock=clock, on_pressure=levels.append)
    for _ in range(12):
        shedder.enter(3)
    clock.ns -= HOUR.ns
    assert shedder.pressure == 0
    assert levels == [0.25, 0.0]


def test_a_line_that_stood_moves_again() -> None:
    """Below it one is let in at once."""
    clock = Hands()
    shedder = Shedder("shop", FixedLimit(1), clock=clock)
    shedder.enter(0)
    waits = shedder.enter(1)
    clock.ns += 2_000 * MS
    assert shedder.enter(2).fate is Fate.SHED
    shedder.give_up(waits)
    clock.ns -= HOUR.ns
    assert shedder.enter(2).fate is Fate.WAITING


def test_who_had_how_much_is_forgotten_in_time() -> None:
    """Otherwise every tenant would be greedy before long."""
    usage, now_ns = TenantUsage(), 10 * HOUR.ns
    usage.add("7", now_ns)
    for _ in range(3):
        usage.add("8", now_ns - HOUR.ns)
        now_ns += GENERATION_NS
    assert usage.of("7") == 0
    assert not usage.greedy("8")
