"""One contestant's turn at one kind of request: the highest rate it holds, and that what it wrote is right."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.search import Search
from benchmarks.shop import Shop
from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import Duration, SystemClock, TenfoldError
from tenfold.plan import Plan, read_plan
from tenfold.plan.model import Journey
from tenfold.rehearse import Load, LoadTarget
from tenfold.rehearse.audit import audit
from tenfold.rehearse.load.messages import Segment, Stage
from tenfold.rehearse.load.result import JourneyResult, StageResult
from tenfold.rehearse.step import limited_by, slo_held

LENGTH = Duration.from_s(1.5)
ROUGH_LENGTH = Duration.from_s(1)
PROMISE = "100 ms"
"""A rate is held when the p99 from when each request was due is within this, and none failed or was dropped."""
SENT_MIN = 0.98
TIMEOUT = "3 s"


class AuditFailed(TenfoldError):
    """A contestant was fast and wrong."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to. `rate_rps` counts good answers; `limited_by` is who was the limit above it."""

    rate_rps: float
    held_rps: float
    limited_by: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One journey of the plan, asked for alone. `meaning` is the answer that counts."""

    journey: str
    meaning: str
    first_rps: float
    """Where a first search begins."""
    audited: bool = False


async def take_turn(shop: Shop, base_url: str, workload: Workload, search: Search, say: Callable[[str], None]) -> Turn:
    """Raises LoadLost, AuditFailed."""
    folder = shop.estate.run.state
    path = write_plan_of_one(shop.plan, workload.journey, folder)
    journal = folder / f"answers-{time.monotonic_ns()}.jsonl"
    load = Load(shop.spawn)
    try:
        target = LoadTarget(str(base_url), str(path), shop.token, str(journal), time.monotonic_ns())
        await load.open(target)
        journey = read_plan(path, FAULT_KINDS).journeys[workload.journey]
        turn = await _climb(load, workload, journey, search, say)
    finally:
        await load.close()
    if workload.audited:
        await _audit(shop, journal)
    journal.unlink(missing_ok=True)
    return turn


async def _climb(load: Load, workload: Workload, journey: Journey, search: Search, say: Callable[[str], None]) -> Turn:
    best, limit = 0.0, ""
    while (rate_rps := search.next_rps) is not None:
        length = ROUGH_LENGTH if search.is_rough else LENGTH
        result = await load.run(Stage(f"{workload.journey}-{time.monotonic_ns()}", [Segment(rate_rps, length.ns)]))
        held = is_held(result, workload.journey, journey)
        seen = result.journeys.get(workload.journey, JourneyResult())
        say(f"{rate_rps:,.0f}/s {'held' if held else 'missed'}, p99 {seen.latency.quantile(0.99) / 1e6:,.1f} ms")
        if held:
            best = seen.answers.get(workload.meaning, 0) / result.duration.s
        else:
            limit = limited_by(result, {workload.journey: journey})
        search.tell(held=held)
    return Turn(best, search.held_rps, limit)


def is_held(result: StageResult, name: str, journey: Journey) -> bool:
    """Whether everything that fell due was sent and answered, in time."""
    seen = result.journeys.get(name, JourneyResult())
    return result.sent_rps >= SENT_MIN * result.target_rps and slo_held(seen, journey.slo)


def write_plan_of_one(plan: Plan, journey: str, folder: Path) -> Path:
    """The plan with one journey only, and nothing that refers to the others: what the load driver reads."""
    stated: dict[str, Any] = yaml.safe_load(plan.path.read_text(encoding="utf-8"))
    for part in ("drills", "invariants", "settled", "mutants"):
        stated.pop(part, None)
    alone = {**stated["journeys"][journey], "share": "100 %", "slo": {"p99": PROMISE}}
    stated["journeys"] = {journey: alone}
    stated["traffic"] = {**stated["traffic"], "timeout": TIMEOUT, "feed": str(plan.traffic.feed.resolve())}
    path = folder / f"{journey}.yaml"
    path.write_text(yaml.safe_dump(stated, sort_keys=False), encoding="utf-8")
    return path


async def _audit(shop: Shop, journal: Path) -> None:
    """The plan's own invariants, after the worker has done what was left to do."""
    plan, clock = shop.plan, SystemClock()
    async with shop.settling():
        _, findings = await audit(shop.control_url, journal, plan.settled, plan.invariants, clock, lambda _: None)
    broken = [f"{finding.name} ({finding.violations})" for finding in findings if finding.violations]
    if broken:
        raise AuditFailed(
            f"After its orders these invariants are broken: {', '.join(broken)}; its speed is worth nothing."
        )
