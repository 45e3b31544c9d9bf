"""What `make bench-rehearsal` makes of what it saw."""

from pathlib import Path

import msgspec
import pytest
from benchmarks import process_cost
from benchmarks.process_cost import Line, Sample, cost_us, family, folder_of, node_of, windows
from benchmarks.rehearsal import (
    OURS,
    PEER,
    PLAN,
    Measure,
    RehearsalFailed,
    Watched,
    figures_of,
    measures_of,
    plan_of_two_steps,
    table_of,
)

from tenfold.fleet import FAULT_KINDS
from tenfold.plan import read_plan
from tenfold.rehearse.verdict import JourneyVerdict, Machine, StepVerdict, Verdict

TICK_US = process_cost._TICK_US

SAID = [
    Line(10.0, " 0:10  step      1× running: 150/s\n"),
    Line(20.0, " 0:20  step      1× held: sent 150.0 of 150/s, p99 4 ms, 0 errors, 0 dropped\n"),
    Line(20.0, " 0:20  step      10× running: 1,500/s\n"),
    Line(30.0, " 0:30  step      10× missed: sent 1,500.0 of 1,500/s, p99 113 ms, 0 errors, 0 dropped\n"),
]
SAMPLES = [Sample(at, {"api": at * 10, "driver": at * 5}) for at in range(8, 33)]


def verdict(factor: float) -> bytes:
    journey = JourneyVerdict(requests=1500, errors=0, p50_ms=1.0, p99_ms=9.0, p999_ms=12.0, slo_held=True)
    step = StepVerdict(factor, 10.0, 150 * factor, 150 * factor, 0, 1500, 0, "none", {"price": journey})
    return msgspec.json.encode(Verdict(1, "r", "p", "go", [], Machine(2), [step], [], []))


def test_a_step_is_weighed_only_while_it_surely_ran() -> None:
    """What people are shown comes up to a paint late, at its begin and at its end."""
    assert windows(SAID) == {1.0: (10.3, 19.7), 10.0: (20.3, 29.7)}


def test_the_cost_of_a_request_is_ticks_over_what_was_sent_meanwhile() -> None:
    """Ten ticks a second at 150 requests a second."""
    costs = cost_us(SAMPLES, (10.3, 19.7), 150)
    assert costs == {"api": pytest.approx(10 * TICK_US / 150), "driver": pytest.approx(5 * TICK_US / 150)}
    assert cost_us(SAMPLES, (10.3, 11.7), 150) == {}
    assert cost_us(SAMPLES, (10.3, 19.7), 0) == {}


def test_a_process_that_began_within_the_step_is_counted_from_nothing() -> None:
    samples = [Sample(1, {}), Sample(2, {"worker": 7})]
    assert cost_us(samples, (0, 3), 100) == {"worker": pytest.approx(7 * TICK_US / 100)}


def test_a_node_is_known_by_where_its_events_go() -> None:
    """Its children too: a backend of PostgreSQL that has overwritten its environment is named after its parent."""
    assert node_of(b"A=1\0TENFOLD_EVENTS=/r/events/database.primary.jsonl\0B=2") == "database.primary"
    assert node_of(b"XTENFOLD_EVENTS=/r/events/api.jsonl") == ""


def test_a_server_that_has_overwritten_its_environment_is_known_by_its_folder() -> None:
    """Valkey does."""
    assert folder_of("/var/tmp/tenfold-data-20261201-16be/main-primary") == "main-primary"
    assert folder_of("/work/checkout") == ""


def test_a_family_is_everybody_below_its_root_and_nobody_else() -> None:
    assert family(2, {1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 2}) == [2, 3, 6, 4]
    assert family(9, {1: 0}) == []


def test_a_rehearsal_comes_to_costs_and_latencies_by_step() -> None:
    measures = measures_of(verdict(1.0), Watched(SAID, SAMPLES))
    assert measures[("price p99", 1.0, "ms")] == 9.0
    assert measures[("all processes", 1.0, "µs")] == pytest.approx(15 * TICK_US / 150)


def test_a_rehearsal_without_a_verdict_or_unseen_is_an_error_with_its_last_words() -> None:
    """Exit status 2, and no figure."""
    with pytest.raises(RehearsalFailed, match="no verdict"):
        measures_of(b"", Watched([Line(1, "no room\n")], []))
    with pytest.raises(RehearsalFailed, match="Nothing was seen of step 1×"):
        measures_of(verdict(1.0), Watched())


def test_figures_are_medians_and_ratios_are_of_the_same_round() -> None:
    """A busy minute hits both."""
    api: Measure = ("api", 10.0, "µs")
    ours = [{api: value} for value in (100.0, 300.0, 210.0)]
    theirs = [{api: value} for value in (200.0, 600.0, 420.0)]
    (figure,) = figures_of({OURS: ours, PEER: theirs})
    assert (figure.value, figure.peers, figure.ratio, figure.target, figure.held) == (
        210.0,
        {PEER: 420.0},
        0.5,
        200.0,
        False,
    )
    (alone,) = figures_of({OURS: ours})
    assert (alone.peers, alone.ratio) == ({}, None)
    assert table_of([figure, alone]).row_count == 2


def test_the_plan_of_two_steps_is_a_plan(tmp_path: Path) -> None:
    plan = read_plan(plan_of_two_steps(PLAN, tmp_path), FAULT_KINDS)
    assert plan.quick_steps.factors == (1.0, 10.0)
    assert plan.traffic.feed.is_file()
