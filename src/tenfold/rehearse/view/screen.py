"""A run as a picture of text: pure, so that tests hold it as text. 80 columns by 24 rows are enough for ten steps."""

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tenfold.rehearse.view.machine_row import machine_rows
from tenfold.rehearse.view.progress import DrillView, InvariantView, RunProgress, Sample, ServerView, StepView

SIGNS = {
    "waiting": ("·", "dim"),
    "left-out": ("–", "dim"),
    "starting": ("…", "yellow"),
    "ready": ("●", "green"),
    "faulted": ("!", "bold red"),
    "stopped": ("○", "dim"),
    "running": ("▶", "cyan"),
    "repeating": ("↻", "yellow"),
    "steady": ("▶", "cyan"),
    "injected": ("!", "bold red"),
    "reverting": ("↺", "yellow"),
    "held": ("✓", "green"),
    "missed": ("✗", "bold red"),
    "failed": ("✗", "bold red"),
    "broken": ("✗", "bold red"),
    "inconclusive": ("?", "yellow"),
}
"""A sign for each state, so that colour is never the only signal."""

BLOCKS = "▁▂▃▄▅▆▇█"
SPARKS_MAX = 60
TABLE_COLUMNS_MAX = 80


def draw(progress: RunProgress, *, width: int, height: int) -> RenderableType:
    """The whole view in `width` columns and at most `height` - 1 rows; 80 by 24 is enough for ten steps."""
    wide = width >= 120
    steps, drills, invariants = _steps(progress.steps), _drills(progress.drills), _invariants(progress.invariants)
    body = Table.grid(expand=True, padding=(0, 2))
    body.add_column(width=39)
    body.add_column(ratio=1)
    body.add_row(steps, Group(drills, Text(), invariants))
    top = [_header(progress), _phase(progress), _now(progress, width), Text()]
    parts: list[RenderableType] = [*top, _servers(progress.servers, 5 if wide else 4), Text(), body]
    room = height - 1 - _height(progress)
    parts += (
        [Text(), *(_message(line.at, line.kind, line.text) for line in progress.messages[-room + 1 :])]
        if room > 1
        else []
    )
    if progress.verdict:
        parts.insert(3, _verdict_line(progress))
    return Group(*parts)


def _height(progress: RunProgress) -> int:
    """Rows of everything but the messages, for the worst case of a narrow screen."""
    lists = max(len(progress.steps) + 1, len(progress.drills) + len(progress.invariants) + 3)
    return 6 + -(-len(progress.servers) // 4) + lists + bool(progress.verdict)


def _header(progress: RunProgress) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column(ratio=1, no_wrap=True)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(Text.assemble(("Tenfold ", "bold green"), progress.title), Text(progress.console, "dim"))
    return line


def _phase(progress: RunProgress) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(width=28, no_wrap=True)
    line.add_column(ratio=1)
    line.add_column(width=11, justify="right", no_wrap=True)
    what = Text.assemble((progress.phase, "bold"), f" {progress.current}" if progress.current else "")
    bar = ProgressBar(total=1.0, completed=_done(progress), width=None, complete_style="green", finished_style="green")
    line.add_row(what, bar, Text(clock(progress.elapsed_s)))
    return line


def _done(progress: RunProgress) -> float:
    running = next((step for step in progress.steps if step.state in ("running", "repeating")), None)
    return running.done_ratio if running is not None else progress.phase_done_ratio


def _now(progress: RunProgress, width: int) -> RenderableType:
    if not progress.samples:
        return Text("no load yet", "dim")
    now = progress.samples[-1]
    figures = Text.assemble(
        (f"{now.rate_rps:>7,.0f}", "bold"),
        f" of {now.target_rps:,.0f}/s   p99 ",
        (f"{milliseconds(now.p99_ms):>5}", "bold"),
        " ms   errors ",
        (f"{now.errors:,}", "bold red" if now.errors else "bold"),
        f"   in flight {now.inflight:,}",
    )
    room = width - len(figures.plain) - 2
    return Text.assemble(figures, "  ", (sparkline(progress.samples, min(room, SPARKS_MAX)), "blue"), no_wrap=True)


def sparkline(samples: list[Sample], width: int) -> str:
    """The p99 of the newest samples, a character each."""
    newest = [sample.p99_ms for sample in samples[-width:]] if width > 0 else []
    top = max(newest, default=0.0)
    return "".join(BLOCKS[min(7, int(8 * p99 / top))] for p99 in newest) if top else ""


def _servers(servers: list[ServerView], columns: int) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    for _ in range(columns):
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for start in range(0, len(servers), columns):
        row = [Text.assemble(_sign(server.state), " ", server.name) for server in servers[start : start + columns]]
        grid.add_row(*row, *[""] * (columns - len(row)))
    return grid


def _steps(steps: list[StepView]) -> RenderableType:
    table = _list("Step", "sent/s", "p99 ms", "errors", "dropped")
    for step in steps:
        name = Text.assemble(_sign(step.state), " ", step.name)
        cells = (f"{step.target_rps:,.0f}", "", "", "")
        if found := step.result:
            p99 = milliseconds(found.slowest_p99_ms)
            cells = (f"{found.sent_rps:,.0f}", p99, f"{found.errors:,}", f"{found.dropped:,}")
        table.add_row(name, *cells, style="dim" if step.state == "waiting" else "")
    return table


def _drills(drills: list[DrillView]) -> RenderableType:
    """The last column is when the system was back, or that the fault is not gone."""
    table = _list("Drill", "noticed", "back")
    for drill in drills:
        name = Text.assemble(_sign(drill.state), " ", drill.name)
        noticed, back = "left out" if drill.state == "left-out" else "", ""
        if found := drill.result:
            noticed, back = _short(found.detect_ms), _short(found.recover_ms) if found.reverted else "in place"
        table.add_row(name, noticed, back, style="dim" if drill.state in ("waiting", "left-out") else "")
    return table


def _invariants(invariants: list[InvariantView]) -> RenderableType:
    table = _list("Invariant", "checked", "broken")
    for one in invariants:
        cells = (f"{one.result.checked:,}", f"{one.result.violations:,}") if one.result else ("", "")
        name = Text.assemble(_sign(one.state), " ", one.name)
        table.add_row(name, *cells, style="dim" if one.state == "waiting" else "")
    return table


def _list(first: str, *others: str) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(first, ratio=1, no_wrap=True, overflow="ellipsis")
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def _message(at: str, kind: str, text: str) -> Text:
    style = {"bad": "red", "good": "green"}.get(kind, "")
    return Text.assemble((f"{at}  ", "dim"), (text, style), no_wrap=True, overflow="ellipsis")


def _verdict_line(progress: RunProgress) -> Text:
    colours = {"go": "bold white on green", "inconclusive": "bold black on yellow"}
    return Text(f" {progress.verdict.upper()} ", colours.get(progress.verdict, "bold white on red"))


def draw_verdict(progress: RunProgress) -> RenderableType:
    """What stays on the screen: every step, drill and invariant, and the verdict with its reasons last."""
    tables = Group(
        Text(),
        _steps(progress.steps),
        Text(),
        _drills(progress.drills),
        Text(),
        _invariants(progress.invariants),
        Text(),
        *_machines(progress),
    )
    parts: list[RenderableType] = [Constrain(tables, TABLE_COLUMNS_MAX), _verdict_line(progress)]
    parts += [Padding(Text(f"- {reason}"), (0, 0, 0, 1)) for reason in progress.reasons]
    if progress.report:
        parts.append(Text(f"Report: {progress.report}"))
    return Group(*parts)


def _machines(progress: RunProgress) -> list[RenderableType]:
    """What it was measured on, try by try; nothing when the machine was not watched."""
    steps, drills = [step.result for step in progress.steps], [drill.result for drill in progress.drills]
    rows = machine_rows(found for found in [*steps, *drills] if found)
    table = _list("Machine", "busy", "others", "steal", "waits", "driver late", "flush")
    for row in rows:
        table.add_row(row.name, row.busy, row.others, row.steal, row.waited, f"{row.late_ms} ms", f"{row.flush_ms} ms")
    return [table, Text()] if rows else []


def _sign(state: str) -> tuple[str, str]:
    return SIGNS.get(state, ("·", "dim"))


def _short(ms: float | None) -> str:
    return "" if ms is None else f"{ms:,.0f} ms"


def milliseconds(ms: float) -> str:
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}"


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
