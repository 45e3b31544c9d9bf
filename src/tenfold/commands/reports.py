"""`tenfold reports`: the runs that are over, and two of them side by side."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tenfold.commands.options import Subparsers, port
from tenfold.kernel import interrupts_held_back

if TYPE_CHECKING:
    from tenfold.rehearse.past import PastRun

FOLDER = Path("reports")
HEAD = ("BEGAN", "PLAN", "VERDICT", "HELD", "P99 AT THE TOP", "RUN")


def add_reports(commands: Subparsers) -> None:
    command = commands.add_parser(
        "reports",
        help="list past runs, compare two, write one as CSV",
        description="Without a word more: the runs that left a verdict, the newest first. A run is named by its id, by "
        "the beginning or the end of it, or as `latest`. Exit status: 0, or 2 when no such run is known.",
    )
    command.set_defaults(folder=FOLDER, json=False)
    _add_common(command)
    more = command.add_subparsers(title="more", metavar="WHAT")
    compare = more.add_parser("compare", help="two runs side by side: steps, drills, processor time a request")
    compare.add_argument("first", metavar="A")
    compare.add_argument("second", metavar="B")
    _add_common(compare)
    compare.set_defaults(run=_compare)
    export = more.add_parser("csv", help="every journey of every step of a run as CSV on stdout")
    export.add_argument("name", metavar="RUN", nargs="?", default="latest")
    _add_folder(export)
    export.set_defaults(run=_csv)
    serve = more.add_parser("serve", help="show past runs in a browser until Ctrl-C")
    serve.add_argument("--port", type=port, default=0, metavar="N", help="the port on loopback (default: a free one)")
    _add_folder(serve)
    serve.set_defaults(run=_serve)
    command.set_defaults(run=_list)


def _add_common(command: argparse.ArgumentParser) -> None:
    _add_folder(command)
    command.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="the list or the comparison as JSON"
    )


def _add_folder(command: argparse.ArgumentParser) -> None:
    """Before or after the word: what was typed first must not be set back by a default."""
    command.add_argument(
        "--folder",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help=f"where runs left their reports (default: {FOLDER})",
    )


def _list(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.rehearse.past import RunArchive

    archive = RunArchive(options.folder)
    runs = archive.runs()
    if options.json:
        _write_json([_record(run) for run in runs])
        return 0
    if not runs:
        print(f"No run has left a verdict in {options.folder}. `tenfold rehearse` makes one.")
        return 0
    _write_table([HEAD, *(_row(run) for run in runs)])
    if archive.unreadable:
        print(
            f"{archive.unreadable} more left no verdict that can be read: they were interrupted, or are still running."
        )
    return 0


def _compare(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.rehearse.past import RunArchive, compared

    archive = RunArchive(options.folder)
    first, second = archive.find(options.first), archive.find(options.second)
    rows = compared(first, second)
    if options.json:
        told = [{"name": row.name, "first": row.first, "second": row.second} for row in rows]
        _write_json({"first": first.id, "second": second.id, "rows": told})
        return 0
    marked = [(row.name, row.first, "≠" if row.differs else "", row.second) for row in rows]
    _write_table([("", first.id, "", second.id), *marked])
    return 0


def _csv(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.rehearse.past import RunArchive, steps_csv

    sys.stdout.write(steps_csv(RunArchive(options.folder).find(options.name)))
    return 0


def _serve(options: argparse.Namespace) -> int:
    with interrupts_held_back():
        from tenfold.bootstrap import serve_reports

    return serve_reports(
        options.folder,
        port=options.port,
        on_open=lambda url: print(f"reports   {url}   Ctrl-C ends it", flush=True),
    )


def _row(run: "PastRun") -> tuple[str, ...]:
    top = f"{run.top.slowest_p99_ms:,.1f} ms at {run.top.factor:g}×" if run.top else "–"
    return run.began(), run.verdict.plan, run.verdict.verdict.upper(), run.summary.held, top, run.id


def _record(run: "PastRun") -> dict[str, object]:
    top = run.top
    return {
        "run_id": run.id,
        "began": run.began(),
        "plan": run.verdict.plan,
        "verdict": run.verdict.verdict,
        "highest_step_held": run.summary.held,
        "top_step": None if top is None else top.factor,
        "top_p99_ms": None if top is None else top.slowest_p99_ms,
        "report": str(run.page),
    }


def _write_json(told: object) -> None:
    with interrupts_held_back():
        import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")


def _write_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join(_cells(row, widths)).rstrip())


def _cells(row: Sequence[str], widths: Iterable[int]) -> list[str]:
    return [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
