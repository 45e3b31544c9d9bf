"""A run as lines for a log: what is worth one, and in which words."""

from collections.abc import Iterator

from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, StepVerdict
from tenfold.rehearse.view.machine_row import machine_row
from tenfold.rehearse.view.progress import DrillView, RunProgress, ServerView, StepView
from tenfold.rehearse.view.screen import milliseconds

END_STATES = frozenset({"held", "missed", "inconclusive", "failed", "broken"})


def changes(progress: RunProgress) -> list[tuple[str, str, str]]:
    """What is worth a line, as (of what, its state, the line): what ended is said before what begins."""
    told = [*_things(progress)]
    ended = [thing for thing in told if thing[1] in END_STATES]
    begun = [thing for thing in told if thing[1] not in END_STATES]
    return [*ended, ("phase", progress.phase, f"phase     {progress.phase}"), *begun]


def _things(progress: RunProgress) -> Iterator[tuple[str, str, str]]:
    if progress.console:
        yield "console", progress.console, f"console   {progress.console}"
    for warning in progress.warnings:
        yield f"warning {warning}", "said", f"warning   {warning}"
    for server in progress.servers:
        if server.state != "starting":
            again = f" {server.restarts}" if server.restarts and server.state == "ready" else ""
            yield f"server {server.name}", server.state + again, _server_line(server)
    for step in progress.steps:
        if step.state != "waiting":
            yield f"step {step.name}", step.state, _step_line(step)
    left_out = [drill.name for drill in progress.drills if drill.state == "left-out"]
    if left_out:
        yield "drills", "left-out", f"drills    left out: {', '.join(left_out)}; this run cannot be GO"
    for drill in progress.drills:
        if drill.state not in ("waiting", "left-out"):
            yield f"drill {drill.name}", drill.state, _drill_line(drill)
    for one in progress.invariants:
        if one.result:
            yield f"invariant {one.name}", one.state, f"invariant {one.name} {one.state}: {_checked(one.result)}"


def _server_line(server: ServerView) -> str:
    """A service speaks HTTP, so its address is one that a browser opens."""
    kind, scheme = ("service  ", "http://") if server.role == "service" else ("server   ", "")
    at = f" at {scheme}{server.address}" if server.address else ""
    again = f", restarted {server.restarts}×" if server.restarts else ""
    return f"{kind} {server.name} {server.state}{at}{again}"


def _step_line(step: StepView) -> str:
    found = step.result
    if step.state == "repeating" and found:
        return f"step      {step.name} repeated, the machine was the limit: {found.evidence}"
    if step.state not in END_STATES or found is None:
        return f"step      {step.name} {step.state}: {step.target_rps:,.0f}/s"
    limited = f", limited by {found.limited_by}{_known_by(found)}" if found.limited_by != "none" else ""
    return (
        f"step      {step.name} {step.state}: sent {found.sent_rps:,.1f} of {step.target_rps:,.0f}/s, "
        f"p99 {milliseconds(found.slowest_p99_ms)} ms, {found.errors:,} errors, {found.dropped:,} dropped"
        f"{limited}{_machine(found)}"
    )


def _drill_line(drill: DrillView) -> str:
    found = drill.result
    if drill.state == "repeating" and found:
        return f"drill     {drill.name} repeated, the machine was the limit: {found.evidence}"
    if drill.state not in END_STATES or found is None:
        return f"drill     {drill.name} {drill.state}"
    limited = f", limited by machine{_known_by(found)}" if found.limited_by == "machine" else ""
    reverted = "reverted" if found.reverted else f"not reverted ({', '.join(found.remains)})"
    return (
        f"drill     {drill.name} {drill.state}: noticed {_after(found.detect_ms)}, {reverted}, "
        f"recovered {_after(found.recover_ms)}, {found.errors:,} errors in {found.requests:,} requests, "
        f"answered in time {found.served_rps:,.0f} of {found.offered_rps:,.0f}/s meanwhile{limited}{_machine(found)}"
    )


def _machine(found: StepVerdict | DrillVerdict) -> str:
    row = machine_row(found, "")
    return f"; {row.summary}" if row else ""


def _known_by(found: StepVerdict | DrillVerdict) -> str:
    return f": {found.evidence}" if found.evidence else ""


def _after(ms: float | None) -> str:
    return "never" if ms is None else f"after {ms:,.0f} ms"


def _checked(found: InvariantVerdict) -> str:
    return f"{found.violations:,} violations in {found.checked:,} checked"
