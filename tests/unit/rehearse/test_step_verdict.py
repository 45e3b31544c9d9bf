import pytest

from tenfold.fleet.machine import MachineUse, ProcessUse
from tenfold.kernel import Duration
from tenfold.plan.model import Journey, Slo, Tier
from tenfold.rehearse.load.messages import Segment, Stage
from tenfold.rehearse.load.result import JourneyResult, StageResult
from tenfold.rehearse.step import judge_step

MS = 1_000_000


def journeys(availability_ratio: float = 1.0) -> dict[str, Journey]:
    slo = Slo(p99=Duration.from_ms(50), availability_ratio=availability_ratio)
    return {"price": Journey(tier=Tier.P0, share=1, method="GET", path="/", slo=slo)}


def result(
    *,
    requests: int = 3000,
    slow: int = 0,
    served_slowly: int | None = None,
    errors: int = 0,
    dropped: int = 0,
    lateness_ms: float = 0.1,
    cpu_ratio: float = 0.2,
) -> StageResult:
    """Ten seconds in which `slow` requests took 80 ms, the others 5; `served_slowly` of them by the server's doing."""
    journey = JourneyResult(requests=requests, errors=errors, dropped=dropped, answers={"answered": requests - errors})
    for number in range(requests):
        journey.latency.record(80 * MS if number < slow else 5 * MS)
        journey.service.record(80 * MS if number < (slow if served_slowly is None else served_slowly) else 5 * MS)
    made = StageResult(Stage("10×", [Segment(requests / 10, 10_000 * MS)]), due=requests + dropped, sent=requests)
    made.dropped = dropped
    made.journeys = {"price": journey}
    made.cpu_ns = round(cpu_ratio * 10_000 * MS)
    for _ in range(100):
        made.lateness.record(round(lateness_ms * MS))
    return made


@pytest.mark.parametrize(
    ("seen", "limited_by"),
    [
        pytest.param(result(), "none", id="all is well"),
        pytest.param(result(slow=29), "none", id="a hundredth may be slow"),
        pytest.param(result(slow=40), "server", id="slow answers of a generator that kept up"),
        pytest.param(result(errors=1), "server", id="an error breaks a promise of no error"),
        pytest.param(result(dropped=1), "server", id="so does an arrival that the server left no connection for"),
        pytest.param(result(lateness_ms=20), "none", id="a late generator that kept the promise all the same"),
        pytest.param(result(slow=40, served_slowly=0, lateness_ms=70), "generator", id="only the generator was late"),
        pytest.param(result(slow=40, served_slowly=0, cpu_ratio=0.97), "generator", id="the generator's core was full"),
        pytest.param(result(slow=40, lateness_ms=70), "inconclusive", id="both were late"),
        pytest.param(result(slow=40, cpu_ratio=0.97), "inconclusive", id="a full core may read answers late too"),
        pytest.param(result(errors=5, lateness_ms=70), "inconclusive", id="errors under a late generator"),
        pytest.param(result(dropped=5, lateness_ms=70), "generator", id="a late generator that never sent"),
        pytest.param(result(requests=60, slow=1), "inconclusive", id="one slow request of sixty is no p99"),
        pytest.param(result(requests=60), "none", id="sixty of sixty in time are"),
        pytest.param(result(requests=60, errors=1), "server", id="an error needs no quantile"),
        pytest.param(result(requests=0), "inconclusive", id="nothing asked is nothing shown"),
    ],
)
def test_a_step_says_who_was_the_limit(seen: StageResult, limited_by: str) -> None:
    """One row for each rule in the module's table."""
    assert judge_step(seen, 10.0, journeys()).limited_by == limited_by


def test_a_step_carries_what_the_verdict_needs() -> None:
    """Every figure of `steps[]` in verdict.json."""
    verdict = judge_step(result(slow=40, errors=2, dropped=3), 10.0, journeys())
    assert (verdict.factor, verdict.duration_s, verdict.target_rps, verdict.sent_rps) == (10.0, 10.0, 300.0, 300.0)
    assert (verdict.requests, verdict.errors, verdict.dropped) == (3000, 2, 3)
    journey = verdict.journeys["price"]
    assert (journey.requests, journey.errors, journey.slo_held) == (3000, 2, False)
    assert journey.p50_ms == pytest.approx(5, rel=1 / 100)
    assert journey.p99_ms == pytest.approx(80, rel=1 / 100)
    assert journey.p999_ms == pytest.approx(80, rel=1 / 100)


def test_a_dropped_arrival_counts_as_slower_than_any() -> None:
    """Else a system could keep its promise by never letting anybody in."""
    kept = judge_step(result(dropped=20), 1.0, journeys(availability_ratio=0.9))
    broken = judge_step(result(dropped=40), 1.0, journeys(availability_ratio=0.9))
    assert kept.journeys["price"].slo_held
    assert not broken.journeys["price"].slo_held


def test_errors_within_the_promised_availability_are_within_the_promise() -> None:
    """99.9 % of 3,000 leaves three."""
    assert judge_step(result(errors=3), 1.0, journeys(availability_ratio=0.999)).journeys["price"].slo_held
    assert not judge_step(result(errors=4), 1.0, journeys(availability_ratio=0.999)).journeys["price"].slo_held


def test_a_journey_that_was_never_asked_for_has_not_kept_its_promise() -> None:
    """A promise that nobody looked at is not known to hold."""
    seen = result()
    seen.journeys = {}
    assert not judge_step(seen, 1.0, journeys()).journeys["price"].slo_held


def busy_with(*others: ProcessUse, waited_ratio: float = 0.2) -> MachineUse:
    """Ten seconds of two cores, of which other programs had what they are said to have had."""
    return MachineUse(
        elapsed_s=10.0,
        cores=2,
        own_cpu_s=6.0,
        own=[ProcessUse("api", 7, 6.0, waited_ratio)],
        others_cpu_s=sum(other.cpu_s for other in others),
        others=list(others),
        idle_s=0.0,
    )


def test_a_miss_beside_a_neighbour_is_the_machines() -> None:
    """What the machine did is in the verdict, with whom it was and how late the generator was."""
    use = busy_with(ProcessUse("stress", 4711, 9.0))
    verdict = judge_step(result(slow=40), 10.0, journeys(), use=use, services={"api"})
    assert (verdict.limited_by, verdict.culprit, verdict.machine) == ("machine", "stress", use)
    assert verdict.evidence == "other programs used 45% of the 2 cores (stress (pid 4711) 45%)"
    assert verdict.generator_late_ms == pytest.approx(0.1, rel=0.01)


def test_a_kept_promise_is_kept_beside_any_neighbour() -> None:
    assert judge_step(result(), 10.0, journeys(), use=busy_with(ProcessUse("stress", 4711, 9.0))).held


def test_no_machine_is_to_blame_for_a_journey_that_nobody_asked_for() -> None:
    """Another try would find the same."""
    verdict = judge_step(result(requests=0), 10.0, journeys(), use=busy_with(ProcessUse("stress", 4711, 9.0)))
    assert (verdict.limited_by, verdict.evidence) == ("inconclusive", "nobody asked for price")
