"""Go or no-go, and why."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from tests.simulated_rehearsal import SimulatedRehearsal

from tenfold.rehearse.decision import decide, failures_of
from tenfold.rehearse.headline import reasons_by_cause
from tenfold.rehearse.verdict import (
    CrashVerdict,
    DrillVerdict,
    InvariantVerdict,
    JourneyVerdict,
    StepVerdict,
    Verdict,
)
from tenfold.rehearse.view.report import encode_verdict

SCHEMA = json.loads(Path("docs/reference/verdict.schema.json").read_text())

CONTRACT = """
{"schema": 1, "run_id": "…", "plan": "freshmart", "verdict": "go", "reasons": [], "machine": {"cores": 2},
 "steps": [{"factor": 10.0, "duration_s": 20.0, "target_rps": 3000.0, "sent_rps": 2998.1, "dropped": 0,
            "requests": 59962, "errors": 0, "limited_by": "none",
            "journeys": {"order": {"requests": 6010, "errors": 0, "p50_ms": 2.1, "p99_ms": 20.3, "p999_ms": 41.0,
                                   "slo_held": true, "p99_max_ms": 100.0, "availability_ratio": 1.0}},
            "culprit": "", "evidence": "", "generator_late_ms": 0.4, "machine": null, "earlier": []}],
 "drills": [{"name": "cache-primary-killed", "target": "cache", "proves": "…", "held": true, "requests": 30000,
             "errors": 0, "detect_ms": 120.0, "recover_ms": 900.0, "reverted": true,
             "degraded": 0, "offered_rps": 3001.2, "served_rps": 2998.7,
             "recovered": true, "reasons": [], "remains": [], "limited_by": "none", "culprit": "", "evidence": "",
             "generator_late_ms": 0.4, "machine": null, "earlier": [], "recover_max_ms": 10000.0}],
 "invariants": [{"name": "stock-never-negative", "held": true, "checked": 400000, "violations": 0}],
 "headline": "Every step kept its promises.", "causes": [], "calibration": null,
 "crashes": [{"service": "api", "status": -11, "at": "5×"}]}
"""

JOURNEY = JourneyVerdict(requests=6010, errors=0, p50_ms=2.1, p99_ms=20.3, p999_ms=41.0, slo_held=True)
STEP = StepVerdict(
    factor=10.0,
    duration_s=20.0,
    target_rps=3000.0,
    sent_rps=2998.1,
    dropped=0,
    requests=59962,
    errors=0,
    limited_by="none",
    journeys={"order": JOURNEY},
)
DRILL = DrillVerdict(
    name="cache-primary-killed",
    target="cache",
    proves="…",
    held=True,
    requests=30000,
    errors=0,
    detect_ms=120.0,
    recover_ms=900.0,
    reverted=True,
    offered_rps=3001.2,
    served_rps=2998.7,
)
INVARIANT = InvariantVerdict(name="stock-never-negative", held=True, checked=400_000, violations=0)


def reasons(
    step: StepVerdict = STEP, drill: DrillVerdict = DRILL, invariant: InvariantVerdict = INVARIANT
) -> list[str]:
    decision, why = decide(failures_of([step], [drill], [invariant]))
    assert decision == ("no-go" if why else "go")
    return why


def changed(record: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(record, **fields)


def test_everything_held_is_go() -> None:
    """No reason against it: go."""
    assert reasons() == []


def test_a_broken_invariant_is_named() -> None:
    """A gate that has never said no is not a gate."""
    assert reasons(invariant=changed(INVARIANT, held=False, violations=18)) == [
        "Invariant stock-never-negative is broken: 18 violations in 400,000 checked."
    ]


def test_violations_outweigh_a_flag_that_says_held() -> None:
    """Two sources that disagree are settled against the system."""
    assert len(reasons(invariant=changed(INVARIANT, violations=1))) == 1


def test_an_invariant_that_looked_at_nothing_proves_nothing() -> None:
    """No row checked, no violation found: that is no evidence."""
    assert "checked on nothing" in reasons(invariant=changed(INVARIANT, checked=0))[0]


@pytest.mark.parametrize(
    ("limited_by", "words"),
    [("server", "more than the server bears"), ("generator", "proves nothing"), ("inconclusive", "inconclusive")],
)
def test_a_step_that_missed_its_rate_says_who_was_the_limit(limited_by: str, words: str) -> None:
    """Server, generator and don't know are three different findings; none of them is a go."""
    (reason,) = reasons(step=changed(STEP, limited_by=limited_by, sent_rps=2100.4, dropped=7))
    assert reason.startswith("Step 10× ")
    assert words in reason
    assert "2,100 of 3,000 requests/s were sent and 7 arrivals never were" in reason


def test_dropped_arrivals_are_a_missed_promise() -> None:
    """An arrival that was never sent is a customer who was never answered."""
    assert reasons(step=changed(STEP, dropped=3)) == ["Step 10× dropped 3 arrivals: they fell due and were never sent."]


def test_a_broken_promise_names_the_journey_with_its_figures() -> None:
    """Which journey, how many errors, how slow."""
    slow = changed(JOURNEY, slo_held=False, p99_ms=140.26, errors=12)
    assert reasons(step=changed(STEP, journeys={"price": JOURNEY, "order": slow})) == [
        "Step 10× broke its promise to order (12 errors in 6,010 requests, p99 140.3 ms)."
    ]


def test_a_drill_that_failed_says_how() -> None:
    """Not noticed, not recovered and not reverted are each said."""
    failed = changed(
        DRILL,
        held=False,
        errors=4,
        detect_ms=None,
        recover_ms=None,
        reverted=False,
        remains=["main.primary does not answer"],
    )
    did_not_hold, not_reverted = reasons(drill=failed)
    assert did_not_hold == (
        "Drill cache-primary-killed did not hold: 4 errors in 30,000 requests, the fault was never noticed and "
        "the system did not recover in time."
    )
    assert not_reverted == (
        "Drill cache-primary-killed was not reverted, the fault is still in place: main.primary does not answer."
    )


def test_a_revert_that_lies_is_refused_by_its_name() -> None:
    """All else of the run held: only the fault itself could tell."""
    verdict = SimulatedRehearsal(unreverted=("primary-cut",)).verdict()
    assert verdict.verdict == "no-go"
    assert verdict.reasons == [
        "Drill primary-cut was not reverted, the fault is still in place: database.primary does not answer."
    ]
    assert [(drill.held, drill.recovered) for drill in verdict.drills if not drill.reverted] == [(True, True)]


def test_nothing_measured_is_no_go() -> None:
    """An empty run must not pass the gate."""
    decision, why = decide(failures_of([], [], []))
    assert decision == "no-go"
    assert len(why) == 2


def test_a_run_of_a_part_of_the_drills_is_no_go_and_says_so_first() -> None:
    """Though all that was carried out held: a gate that is asked about a plan must not answer for a part of it."""
    decision, (why,) = decide(failures_of([STEP], [DRILL], [INVARIANT], left_out=["hot-key", "primary-cut"]))
    assert decision == "no-go"
    assert why == (
        "Only a part of the plan was carried out. "
        "2 drills were left out, so nothing is known about what they prove: hot-key and primary-cut."
    )
    _, (first, _) = decide(
        failures_of([STEP], [], [changed(INVARIANT, held=False, violations=1)], left_out=["hot-key"])
    )
    assert "1 drill was left out, so nothing is known about what it proves: hot-key." in first


def test_the_contracts_own_example_is_read_written_and_valid() -> None:
    """Exactly these keys at exactly these places, and none besides."""
    jsonschema.validate(json.loads(CONTRACT), SCHEMA)
    verdict = msgspec.json.decode(CONTRACT, type=Verdict)
    assert json.loads(encode_verdict(verdict)) == json.loads(CONTRACT)


def test_a_crash_is_a_no_go_whatever_held() -> None:
    """By name and place; more of the same are counted."""
    crashes = [CrashVerdict(service=name, status=-11, at=at) for name, at in (("api", "5×"), ("worker", "6×"))]
    more = [CrashVerdict(service="api", status=-11, at="10×")]
    failures = failures_of([STEP], [DRILL], [INVARIANT], crashes=[*crashes, *more])
    assert decide(failures) == (
        "no-go",
        [
            "Service 'api' crashed (status -11) at 5×.",
            "Service 'api' crashed 1 more time.",
            "Service 'worker' crashed (status -11) at 6×.",
        ],
    )
    assert [cause.subjects for cause in reasons_by_cause(failures)] == [["service api"], ["service worker"]]


def test_what_a_run_writes_is_valid() -> None:
    """The file on disk keeps to the published schema, for a go and for a no-go."""
    for rehearsal in (
        SimulatedRehearsal(),
        SimulatedRehearsal(broken=("effects-once",), missed=(10,)),
        SimulatedRehearsal(left_out=("primary-cut",)),
        SimulatedRehearsal(unreverted=("primary-cut",)),
    ):
        jsonschema.validate(json.loads(encode_verdict(rehearsal.verdict())), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [{"schema": 2}, {"verdict": "maybe"}, {"reasons": None}, {"machine": {}}, {"surprise": 1}, {"invariants": [{}]}],
)
def test_the_schema_refuses_what_is_not_a_verdict(wrong: dict[str, Any]) -> None:
    """A schema that takes everything says nothing."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(CONTRACT), **wrong}, SCHEMA)


def test_a_go_with_reasons_is_no_verdict() -> None:
    """Reasons are reasons against: go has none, no-go has at least one."""
    for wrong in ({"reasons": ["why"]}, {"verdict": "no-go"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**json.loads(CONTRACT), **wrong}, SCHEMA)


def test_steps_that_the_machine_spoiled_twice_are_inconclusive() -> None:
    """Never a no-go and never a go, and whoever used the machine is named with program, pid and share."""
    verdict = SimulatedRehearsal(spoiled=(9, 10)).verdict()
    assert verdict.verdict == "inconclusive"
    assert verdict.headline == ("9× and 10× missed: other programs used 48% of the 2 cores (stress (pid 4711) 48%).")
    assert [step.earlier[0].limited_by for step in verdict.steps if step.earlier] == ["machine", "machine"]
    assert "more than the server bears" not in " ".join(verdict.reasons)


def test_a_step_that_held_the_second_time_has_held() -> None:
    """Both tries are in the verdict, and the first is no reason against it."""
    verdict = SimulatedRehearsal(repeated=(9,)).verdict()
    assert (verdict.verdict, verdict.reasons) == ("go", [])
    assert [(step.factor, step.earlier[0].culprit) for step in verdict.steps if step.earlier] == [(9, "stress")]


def test_a_spoiled_run_excuses_no_broken_invariant() -> None:
    """Wrong stock is wrong on any machine."""
    verdict = SimulatedRehearsal(spoiled=(10,), broken=("effects-once",)).verdict()
    assert verdict.verdict == "no-go"
    assert verdict.headline == "Invariant effects-once is broken: 18 violations in 31,204 checked."


def test_a_drill_left_out_of_a_spoiled_run_is_no_evidence_against_it() -> None:
    """Both are things that nobody knows."""
    assert SimulatedRehearsal(spoiled=(10,), left_out=("primary-cut",)).verdict().verdict == "inconclusive"


def test_a_drill_that_the_machine_spoiled_is_inconclusive_unless_its_fault_is_still_in_place() -> None:
    spoiled = changed(DRILL, held=False, limited_by="machine", culprit="steal", evidence="the host took 40%")
    assert decide(failures_of([STEP], [spoiled], [INVARIANT])) == (
        "inconclusive",
        [
            "Drill cache-primary-killed is inconclusive: the machine was the limit, the host took 40%.",
            "Drill cache-primary-killed did not hold: 0 errors in 30,000 requests.",
        ],
    )
    assert decide(failures_of([STEP], [changed(spoiled, reverted=False)], [INVARIANT]))[0] == "no-go"


def test_drills_fall_under_a_last_step_that_the_server_does_not_bear() -> None:
    """Fifteen drills at a rate that is not borne are one finding, not sixteen."""
    missed = changed(STEP, limited_by="server", culprit="api", evidence="api used 96% of a core")
    drills = [changed(DRILL, name=name, held=False, errors=9) for name in ("a", "b", "c")]
    (cause,) = reasons_by_cause(failures_of([missed], drills, [INVARIANT]))
    assert cause.says == "10× missed and drill a, drill b and drill c did not hold: api used 96% of a core."
    assert len(cause.consequences) == 4


def test_neighbours_are_one_cause_whichever_was_the_busiest() -> None:
    """A step and a drill, spoiled by two programs that took turns."""
    step = changed(STEP, limited_by="machine", culprit="python3", evidence="python3 took it")
    drill = changed(DRILL, held=False, limited_by="machine", culprit="bash", evidence="bash took it")
    (cause,) = reasons_by_cause(failures_of([step], [drill], [INVARIANT]))
    assert cause.says == "10× missed and drill cache-primary-killed did not hold: python3 took it."


def test_drills_that_failed_alike_are_one_reason() -> None:
    """By what was seen of them: errors, not noticed, not over."""
    drills = [changed(DRILL, name=name, held=False, recover_ms=None) for name in ("a", "b")]
    drills.append(changed(DRILL, name="c", held=False, detect_ms=None))
    assert [cause.subjects for cause in reasons_by_cause(failures_of([STEP], drills, [INVARIANT]))] == [
        ["drill a", "drill b"],
        ["drill c"],
    ]
