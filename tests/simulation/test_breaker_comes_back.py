"""Breakers find a dependency that is back though some of its calls fail for ever, or take long: on virtual time."""

import random
import sys
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breaker, Breakers, BreakerState, KeyedBreaker

SEED = 20_261_130
S = Duration.from_s(1).ns
STORES = 100
DEAD = 7
OUTAGE_S, BACK_S, END_S = 5.0, 8.0, 188.0
"""Well, then gone for as long as a window and more, then back for three minutes."""
REFUSED_MAX = 0.02

Answers = Callable[[float, int], bool]
"""Whether a call is answered that begins at this second, to this store."""


class Seen(NamedTuple):
    """`refused`: the share of the calls after the outage to stores that are well, which were not made."""

    refused: float
    closed_s: float
    whole: Breaker


def keyed(answers: Answers, *, per_s: int = 1_000, heard_ns: int = S // 100) -> Seen:
    """A hundred stores behind one operation, called at random times, each call heard of after `heard_ns`."""
    clock, chance, number = VirtualClock(), random.Random(SEED), count()
    breakers = Breakers(clock=clock)
    stores = [breakers.of("stock", "read", f"store-{store}") for store in range(STORES)]
    whole = breakers.find("stock/read/*")
    assert whole is not None
    out: list[tuple[int, int, int, int, bool]] = []
    wanted = refused = 0
    closed_s = 0.0
    for at_ns in _arrivals(chance, per_s):
        while out and out[0][0] <= at_ns:
            heard_at_ns, _, store, epoch, answered = heappop(out)
            _go_to(clock, heard_at_ns)
            _report(stores[store], epoch, answered)
        _go_to(clock, at_ns)
        store = chance.randrange(STORES)
        epoch = stores[store].admit()
        counts = at_ns >= BACK_S * S and store != DEAD
        wanted += counts
        refused += counts and not epoch
        if whole.state is not BreakerState.CLOSED:
            closed_s = at_ns / S
        if epoch:
            heappush(out, (at_ns + heard_ns, next(number), store, epoch, answers(at_ns / S, store)))
    seen = Seen(refused / wanted, closed_s, whole)
    sys.stdout.write(f"seed {SEED}: {refused} of {wanted} refused, CLOSED since {closed_s:.2f} s\n")
    return seen


def _arrivals(chance: random.Random, per_s: int) -> Iterator[int]:
    at_ns = 0
    while (at_ns := at_ns + round(chance.expovariate(per_s) * S)) < END_S * S:
        yield at_ns


def _go_to(clock: VirtualClock, at_ns: int) -> None:
    clock.advance(Duration(max(0, at_ns - clock.monotonic_ns())))


def _report(breaker: Breaker | KeyedBreaker, epoch: int, answered: bool) -> None:
    if answered:
        breaker.succeeded(epoch)
    else:
        breaker.failed("refused", epoch)


def _is_up(at_s: float) -> bool:
    return not OUTAGE_S <= at_s < BACK_S


def test_one_dead_store_costs_the_others_nothing() -> None:
    """After an outage of all, one of a hundred stays dead: its failures on the way back are not the operation's."""
    seen = keyed(lambda at_s, store: _is_up(at_s) and store != DEAD)
    assert seen.refused <= REFUSED_MAX
    assert seen.whole.state is BreakerState.CLOSED


def test_errors_that_are_always_there_do_not_keep_an_operation_from_closing() -> None:
    """One call in a hundred fails, whatever its store."""
    chance = random.Random(SEED + 1)
    seen = keyed(lambda at_s, _: _is_up(at_s) and chance.random() >= 0.01)
    assert seen.refused <= REFUSED_MAX
    assert seen.closed_s <= BACK_S + 5


@pytest.mark.parametrize("probes", [1, 3])
@pytest.mark.parametrize(("per_s", "took_s"), [(10, 1.2), (10, 3.0), (10, 8.0), (200, 1.2), (200, 3.0)])
def test_a_dependency_whose_calls_outlast_a_lease_comes_back_under_traffic(
    per_s: int, took_s: float, probes: int
) -> None:
    """A probe in progress is not lost: what it answers is heard, and what follows is given as much time."""
    clock = VirtualClock()
    breaker = Breaker("slow", clock=clock, probes=probes)
    out: list[tuple[int, int]] = []
    end_ns = 120 * S
    closed_ns = None
    for at_ns in range(0, end_ns, S // per_s):
        _go_to(clock, at_ns)
        while out and out[0][0] <= at_ns:
            breaker.succeeded(heappop(out)[1])
        if at_ns == 30 * S:
            for _ in range(5):
                breaker.failed("refused")
        epoch = breaker.admit()
        if epoch:
            heappush(out, (at_ns + round(took_s * S), epoch))
        if at_ns > 30 * S and closed_ns is None and breaker.state is BreakerState.CLOSED:
            closed_ns = at_ns
    assert closed_ns is not None
    sys.stdout.write(f"CLOSED {closed_ns / S - 30:.2f} s after it opened\n")
    assert closed_ns - 30 * S <= 5 * S + 4 * round(took_s * S)
    assert breaker.state is BreakerState.CLOSED
