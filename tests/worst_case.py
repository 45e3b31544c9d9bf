"""The worst run that a person may have to read: one step and four drills held, the rest failed for many reasons."""

import random
from typing import get_args

import msgspec

from tenfold.rehearse.bottleneck import LimitedBy
from tenfold.rehearse.decision import decide, failures_of
from tenfold.rehearse.headline import headline, reasons_by_cause
from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, JourneyVerdict, Machine, StepVerdict, Verdict
from tenfold.rehearse.view.progress import Mark, Sample
from tenfold.rehearse.view.report import RunEvidence
from tests.simulated_rehearsal import SPOILED

HELD_FACTOR = 5.0
PROMISES = {
    name: 100.0 if name == "order" else 50.0
    for name in (
        *("browse", "price", "availability", "image", "order", "order-status", "product-page", "order-history"),
        *("delivery-slots", "recommendations", "reviews", "banners"),
    )
}
DRILLS = [f"{what}-{how}" for how in ("killed", "black-holed", "cut-during-a-change") for what in
          ("cache-primary", "both-clusters", "database-replica", "object-store", "control-node")]  # fmt: skip
INVARIANTS = [f"invariant-of-money-and-stock-{number}" for number in range(1, 12)]
LENGTH_S, SAMPLE_S, DRILL_S = 900.0, 0.25, 40.0


def worst_verdict(*, wrong: int = 0) -> Verdict:
    """A no-go: 5× alone held, 4 of 15 drills, and all invariants but the first `wrong`."""
    steps = [_step(factor) for factor in range(1, 11)]
    drills = [_drill(number, name) for number, name in enumerate(DRILLS)]
    invariants = [
        InvariantVerdict(name, number >= wrong, 31_204, 18 if number < wrong else 0)
        for number, name in enumerate(INVARIANTS)
    ]
    failures = failures_of(steps, drills, invariants)
    (decision, reasons), causes = decide(failures), reasons_by_cause(failures)
    return Verdict(
        schema=1,
        run_id="20261122T180115.042Z-7f3a",
        plan="freshmart",
        verdict=decision,
        reasons=reasons,
        machine=Machine(cores=2, processor="x86_64", memory_bytes=8 << 30, system="Linux 6.12"),
        steps=steps,
        drills=drills,
        invariants=invariants,
        headline=headline(causes),
        causes=causes,
    )


def worst_evidence() -> RunEvidence:
    """Fifteen minutes of samples, and the marks of every drill."""
    chance = random.Random(7)
    return RunEvidence(
        title="Sale festival of a fresh-food retailer",
        began_at="2026-11-22T18:01:15.042Z",
        elapsed_s=LENGTH_S,
        daily_peak_rps=300.0,
        seed=32570,
        repeat="tenfold rehearse --plan plans/freshmart.yaml --seed 32570",
        versions={"tenfold": "0.1.0", "python": "3.11.9", "granian": "2.6.0"},
        p99_max_ms=PROMISES,
        says=dict.fromkeys(INVARIANTS, "Every acknowledged order is in the database, once, at the price of its shelf."),
        faults={name: f"kill {name}" for name in DRILLS},
        samples=[_sample(at * SAMPLE_S, chance) for at in range(int(LENGTH_S / SAMPLE_S))],
        marks=[mark for number, name in enumerate(DRILLS) for mark in _marks(200 + number * DRILL_S, name)],
    )


def _step(factor: float) -> StepVerdict:
    held = factor == HELD_FACTOR
    limits = [limit for limit in get_args(LimitedBy) if limit not in ("none", "machine")]
    p99 = {name: promised * (0.4 if held else 1.5 + index) for index, (name, promised) in enumerate(PROMISES.items())}
    return StepVerdict(
        factor=factor,
        duration_s=8.0,
        target_rps=factor * 300,
        sent_rps=factor * 290,
        dropped=0 if held else 1200,
        requests=20_000,
        errors=0 if held else 700,
        limited_by="none" if held else limits[int(factor) % len(limits)],
        culprit="" if held else "api",
        evidence=""
        if held
        else f"api used {90 + factor:.0f}% of a core and postgres waited 12% of the time for another",
        journeys={
            name: JourneyVerdict(2000, 0, p99[name] / 6, p99[name], p99[name] * 2, held, promised, 1.0)
            for name, promised in PROMISES.items()
        },
        machine=SPOILED,
    )


def _drill(number: int, name: str) -> DrillVerdict:
    held = number >= 11
    drill = DrillVerdict(
        name=name,
        target="cache",
        proves="When it is lost, reads are answered by what stands below it, and nobody who orders notices.",
        held=held,
        requests=51_000,
        errors=0 if held or number % 3 == 0 else 812,
        detect_ms=120.0 if held or number % 2 else None,
        recover_ms=900.0 if held or number % 4 == 1 else None,
        reverted=number != 2,
        remains=[] if number != 2 else ["database.replica does not answer"],
        offered_rps=3000.0,
        served_rps=2990.0 if held else 0.0,
        recovered=held,
        reasons=[] if held else ["812 order requests failed", "no steady state within 20 s of the revert"],
        limited_by="none" if held else "server",
        machine=SPOILED,
        recover_max_ms=20_000.0,
    )
    return msgspec.structs.replace(drill, earlier=[drill]) if number == 4 else drill


def _sample(at: float, chance: random.Random) -> Sample:
    p50 = chance.uniform(2, 40)
    return Sample(
        at=at, rate_rps=chance.uniform(0, 3300), target_rps=3000.0, p50_ms=p50, p99_ms=p50 * chance.uniform(2, 60),
        errors=chance.choice((0, 0, 0, 17, 230)), inflight=chance.randrange(900),
    )  # fmt: skip


def _marks(at: float, name: str) -> list[Mark]:
    moments = {"inject": 3.0, "noticed": 4.1, "revert": 15.0, "recovered": 21.0}
    return [Mark(at=at + into, kind=kind, subject=name, text=kind) for kind, into in moments.items()]
