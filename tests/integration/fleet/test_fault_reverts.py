"""A fault itself says whether its revert is to be believed, and a revert that lies is refused by its name."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenfold.fleet import FAULTS, Estate, Injection, RunFolder
from tenfold.fleet.faults.hang import Hang
from tenfold.kernel import Duration, SystemClock
from tenfold.plan.model import Drill, Engine, Fault, ServerPlan, Signal, SignalKind, Target
from tenfold.rehearse import FaultJournal
from tenfold.rehearse.drill import Timeline, carry_out, judge_drill
from tenfold.rehearse.fault import Faults
from tenfold.rehearse.verdict import DrillVerdict, decide
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

DRILL = Drill(
    target=Target.CACHE,
    fault=Fault("hang", ("main.primary",)),
    hold=Duration.from_ms(100),
    signal=Signal(SignalKind.BREAKER, "main"),
    proves="Reads go on.",
)


class LyingHang(Hang):
    """The mutant: it says that it has reverted, and has done nothing."""

    async def revert(self) -> None: ...


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Estate, asyncio.Runner]]:
    run = RunFolder.create(tmp_path_factory.mktemp("reverts"), "reverts")
    estate = Estate(run, {"main": ServerPlan(engine=Engine.VALKEY, replicas=1)}, EventLog("tenfold"), "token")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        yield estate, runner
        runner.run(estate.close())


async def drilled(injection: Injection[Any], journal: Path) -> DrillVerdict:
    clock = SystemClock()
    timeline = Timeline(began_ns=clock.monotonic_ns())
    faults = Faults("cache-hung", [injection], FaultJournal(journal, clock))
    await carry_out(faults, DRILL.hold, timeline, clock, lambda _: None)
    timeline.ended_ns = clock.monotonic_ns()
    return judge_drill("cache-hung", DRILL, {}, timeline)


def test_a_drill_whose_revert_lies_is_refused_by_that_name(
    opened: tuple[Estate, asyncio.Runner], tmp_path: Path
) -> None:
    """The node is still stopped: `reverted` is false, the journal leaves the fault armed, and the reason names it."""
    estate, runner = opened
    node = estate.node("main.primary")
    try:
        verdict = runner.run(drilled(LyingHang(node), tmp_path / "faults.jsonl"))
    finally:
        runner.run(Hang(node).revert())
    assert not verdict.reverted
    assert verdict.remains == ["main.primary is stopped by a signal"]
    assert '"reverted"' not in (tmp_path / "faults.jsonl").read_text()
    decision, reasons = decide([], [verdict], [])
    assert decision == "no-go"
    assert reasons[-1] == (
        "Drill cache-hung was not reverted, the fault is still in place: main.primary is stopped by a signal."
    )


@pytest.mark.parametrize("word", ["kill", "stop", "hang", "blackhole"])
def test_an_honest_revert_is_proven(opened: tuple[Estate, asyncio.Runner], tmp_path: Path, word: str) -> None:
    """The same drill with the fault as it is: what struck the node is gone, whether or not anybody noticed it."""
    estate, runner = opened
    verdict = runner.run(drilled(FAULTS[word](estate.node("main.primary")), tmp_path / "faults.jsonl"))
    assert (verdict.reverted, verdict.remains) == (True, [])
    assert '"reverted"' in (tmp_path / "faults.jsonl").read_text()
