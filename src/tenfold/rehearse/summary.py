"""What a director reads first of a verdict: one word, one number, three lines, who could judge, why, what next. Pure.

It is made from `verdict.json` alone, so that a run of last month is summed up in the words of today.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tenfold.rehearse.headline import Reason, listed
from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, JourneyVerdict, StepVerdict, Verdict

CAUSES_SHOWN = 3
_WORDS_MAX = 18
_SPOILED = "machine"
_LIMITS = {
    "server": "limited by {culprit}",
    "generator": "limited by the load generator",
    "machine": "limited by the machine",
    "inconclusive": "limit unknown",
}


class Score(msgspec.Struct, frozen=True):
    """One of the three lines: how many held, of how many."""

    name: str
    held: int
    of: int

    @property
    def good(self) -> bool:
        """Nothing asked is nothing held."""
        return 0 < self.of == self.held


class VerdictSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The first screen. `fit`: whether the machine let anybody judge; None when nobody watched it."""

    held: str
    """The highest step that held: `5×`; `none`."""
    asked: str
    """The highest step that was sent; empty when there was none."""
    scores: list[Score]
    fit: bool | None
    fit_says: str
    causes: list[str]
    """One line each, the first ones; `more` says how many are left."""
    more: int
    next: str


def summary_of(verdict: Verdict) -> VerdictSummary:
    """The first screen of this verdict."""
    factors = [step.factor for step in verdict.steps]
    causes = verdict.causes or [Reason(reason, [], []) for reason in verdict.reasons]
    fit, fit_says = _fitness(verdict)
    return VerdictSummary(
        held=_step_name(held_factor(verdict)),
        asked=f"{max(factors):g}×" if factors else "",
        scores=scores_of(verdict),
        fit=fit,
        fit_says=fit_says,
        causes=[cause_line(cause, verdict) for cause in causes[:CAUSES_SHOWN]],
        more=max(0, len(causes) - CAUSES_SHOWN),
        next=_next(verdict),
    )


def held_factor(verdict: Verdict) -> float | None:
    """The highest step that held, whichever were sent; None when none did."""
    return max((step.factor for step in verdict.steps if step.held), default=None)


def scores_of(verdict: Verdict) -> list[Score]:
    """Money and stock, load, faults: a fault that is still in place did not hold."""
    sound = [one for one in verdict.invariants if one.held and one.checked]
    drills = [drill for drill in verdict.drills if drill.held and drill.reverted]
    return [
        Score("Money and stock", len(sound), len(verdict.invariants)),
        Score("Load", sum(step.held for step in verdict.steps), len(verdict.steps)),
        Score("Faults", len(drills), len(verdict.drills)),
    ]


def cause_line(cause: Reason, verdict: Verdict) -> str:
    """Who, which promise was broken by how much, and who was the limit: `6×–10×: order p99 215 ms, limit 100 ms`."""
    steps = [step for step in verdict.steps if f"{step.factor:g}×" in cause.subjects]
    drills = [drill for drill in verdict.drills if f"drill {drill.name}" in cause.subjects]
    broken = [one for one in verdict.invariants if f"invariant {one.name}" in cause.subjects]
    who = [*_ranges(steps, verdict.steps), *_named("drill", drills), *_named("invariant", broken)]
    if not who:
        return _short(cause.says)
    promises = [*_invariant_promises(broken), *_step_promise(steps), *_drill_promises(drills)]
    limit = _limit([*steps, *drills])
    said = "; ".join([*promises[:2], *([limit] if limit else [])])
    whole = f"{listed(who)}: {said or _short(cause.says)}."
    return whole[0].upper() + whole[1:]


def _step_name(factor: float | None) -> str:
    return "none" if factor is None else f"{factor:g}×"


def _ranges(missed: Sequence[StepVerdict], steps: Sequence[StepVerdict]) -> Iterator[str]:
    """Neighbours of the climb as one range: `1×`, `6×–10×`."""
    order = sorted(step.factor for step in steps)
    places = sorted(order.index(step.factor) for step in missed)
    begin = 0
    for at, place in enumerate(places):
        if at + 1 == len(places) or places[at + 1] != place + 1:
            ends = dict.fromkeys((order[places[begin]], order[place]))
            yield "–".join(f"{factor:g}×" for factor in ends)
            begin = at + 1


def _named(noun: str, found: Sequence[DrillVerdict | InvariantVerdict]) -> Iterator[str]:
    if found:
        yield f"{noun} {found[0].name}" if len(found) == 1 else f"{len(found)} {noun}s"


def _step_promise(steps: Sequence[StepVerdict]) -> Iterator[str]:
    """The promise that was broken the most, and how many other journeys broke theirs."""
    broken = [(name, found) for step in steps for name, found in step.journeys.items() if not found.slo_held]
    if broken:
        name, found = max(broken, key=lambda one: _excess(one[1]))
        others = len({other for other, _ in broken}) - 1
        yield f"{name} {_promise(found)}{f' (+{others} more)' if others else ''}"
    elif dropped := sum(step.dropped for step in steps):
        yield f"{dropped:,} arrivals never sent, limit 0"


def _excess(found: JourneyVerdict) -> float:
    return found.p99_ms / found.p99_max_ms if found.p99_max_ms else found.p99_ms


def _promise(found: JourneyVerdict) -> str:
    if found.p99_max_ms and found.p99_ms <= found.p99_max_ms:
        share = f"{1 - found.availability_ratio:.2%}" if found.availability_ratio < 1 else "0"
        return f"{found.errors:,} of {found.requests:,} failed, limit {share}"
    limit = f", limit {found.p99_max_ms:,.0f} ms" if found.p99_max_ms else ""
    return f"p99 {found.p99_ms:,.0f} ms{limit}"


def _drill_promises(drills: Sequence[DrillVerdict]) -> Iterator[str]:
    remaining = [drill for drill in drills if not drill.reverted]
    late = [drill for drill in drills if drill.recover_ms is None]
    if errors := sum(drill.errors for drill in drills if not drill.held):
        yield f"{errors:,} requests failed, limit 0"
    if remaining:
        yield "the fault is still in place"
    if late:
        within_s = max(drill.recover_max_ms for drill in late) / 1e3
        yield f"not steady{f' within {within_s:,.0f} s' if within_s else ' in time'}"
    if any(drill.detect_ms is None for drill in drills):
        yield "the fault was never noticed"


def _invariant_promises(broken: Sequence[InvariantVerdict]) -> Iterator[str]:
    if broken:
        wrong, checked = sum(one.violations for one in broken), sum(one.checked for one in broken)
        yield f"{wrong:,} of {checked:,} wrong, limit 0" if checked else "checked on nothing"


def _limit(found: Iterable[StepVerdict | DrillVerdict]) -> str:
    first = next((one for one in found if one.limited_by != "none"), None)
    return "" if first is None else _LIMITS[first.limited_by].format(culprit=first.culprit or "the server")


def _fitness(verdict: Verdict) -> tuple[bool | None, str]:
    """Whether the machine spoiled a finding, or is likely to be too slow for what was asked."""
    found: list[StepVerdict | DrillVerdict] = [*verdict.steps, *verdict.drills]
    spoiled = [one for one in found if one.limited_by == _SPOILED]
    if spoiled:
        return False, f"Not fit to judge: the machine spoiled {len(spoiled)} of {len(found)} steps and drills."
    bears = verdict.calibration.bears_rps if verdict.calibration else None
    asked = max((step.target_rps for step in verdict.steps), default=0.0)
    if bears is not None and bears < asked and verdict.verdict != "go":
        return False, f"Slow for this plan: likely to bear {bears:,.0f} of {asked:,.0f} requests/s."
    if not any(one.machine for one in found):
        return None, "Not known: nobody watched the machine."
    return True, "Fit to judge: it spoiled nothing."


def _next(verdict: Verdict) -> str:
    """What a person should do, the gravest first."""
    if verdict.verdict == "go":
        return "Nothing. Rehearse again after the next change."
    if any(not drill.reverted for drill in verdict.drills):
        return "End the faults that are still in place, then rehearse again."
    if any(one.violations for one in verdict.invariants):
        return "Mend the wrong orders or stock first: the plan's query of each broken invariant finds them."
    if verdict.verdict == "inconclusive" or any(step.limited_by == _SPOILED for step in verdict.steps):
        return "End other programs (`tenfold doctor` names what is wrong), then rehearse again."
    return _next_of_load(verdict)


def _next_of_load(verdict: Verdict) -> str:
    missed = next((step for step in verdict.steps if not step.held), None)
    if missed is not None:
        return f"Make {missed.culprit or 'the server'} faster or give it more cores, then rehearse again."
    drill = next((drill for drill in verdict.drills if not drill.held), None)
    if drill is not None:
        return f"Mend one fault at a time: tenfold rehearse --drills {drill.name}"
    return "Rehearse the whole plan: what was left out is not proven."


def _short(sentence: str) -> str:
    """As many words as a line has room for; the whole stands below."""
    words = sentence.split()
    return sentence if len(words) <= _WORDS_MAX else f"{' '.join(words[:_WORDS_MAX])} …"
