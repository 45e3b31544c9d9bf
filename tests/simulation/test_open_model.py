"""A virtual system behind the pacer: what an open model sees that a closed one hides."""

import sys
from random import Random

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.rehearse.load.arrivals import arrivals
from tenfold.rehearse.load.messages import Segment
from tenfold.rehearse.load.pacer import Pacer
from tenfold.telemetry import Histogram

MS = 1_000_000


def rehearse(seed: int, *, stall_ms: int, generator_sleeps_ms: int = 0) -> tuple[Histogram, Histogram]:
    """Ten virtual seconds at 1,000/s against a system that answers in 1 ms, but for one stall at second five.

    Answers response and service times. The generator may oversleep once, at second two.
    """
    sys.stdout.write(f"seed {seed}\n")
    clock, response, service = VirtualClock(), Histogram(), Histogram()
    pacer = Pacer(arrivals([Segment(1000, 10_000 * MS)], Random(seed)), 0)
    slept = False
    while pacer.next_ns is not None:
        clock.advance(Duration(max(0, pacer.next_ns - clock.monotonic_ns())))
        if generator_sleeps_ms and not slept and clock.monotonic_ns() >= 2_000 * MS:
            clock.advance(Duration.from_ms(generator_sleeps_ms))
            slept = True
        sent_ns = clock.monotonic_ns()
        while (due_ns := pacer.take(sent_ns)) is not None:
            stalled = 5_000 * MS <= sent_ns < (5_000 + stall_ms) * MS
            done_ns = (5_000 + stall_ms) * MS if stalled else sent_ns + MS
            response.record(done_ns - due_ns)
            service.record(done_ns - sent_ns)
    return response, service


@pytest.mark.parametrize("seed", range(5))
def test_a_stall_is_felt_by_every_arrival_that_was_due_in_it(seed: int) -> None:
    """One second of ten: a tenth of all customers waited, half a second on average. A closed model would report one."""
    response, _ = rehearse(seed, stall_ms=1000)
    assert response.count == 10_000
    assert response.cumulative([2 * MS])[0] == pytest.approx(9_000, abs=200)
    assert response.quantile(0.95) == pytest.approx(500 * MS, rel=0.2)
    assert response.max == pytest.approx(1000 * MS, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_a_generator_that_oversleeps_sends_everything_and_hides_nothing(seed: int) -> None:
    """Its own delay stands in the response times, and not in the service times: so it can be told apart."""
    response, service = rehearse(seed, stall_ms=0, generator_sleeps_ms=500)
    assert response.count == 10_000
    assert response.max == pytest.approx(501 * MS, rel=0.02)
    assert service.max == MS
