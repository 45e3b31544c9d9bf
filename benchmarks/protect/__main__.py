"""`make bench-protect`: every figure of protect, peers side by side in one run, alternated.

    python -m benchmarks.protect [--rounds N] [--figures 1,7]

Each subject is measured in a process of its own, one after the other. Exit status: 0 every figure reached its target,
1 one did not, 2 one could not be measured.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Figures, write_figures
from benchmarks.protect.runner import ROUNDS
from tenfold.kernel import SystemClock
from tenfold.kernel.clock import utc
from tenfold.rehearse.rehearsal import machine

CHECKOUT = Path(__file__).parents[2]
LIMIT_S = 1_200
SUBJECTS: Mapping[int, str] = {
    1: "near_hit",
    2: "near_hit_async",
    3: "waiters",
    4: "cold_key",
    5: "failover",
    6: "inconsistency",
    7: "switch_flip",
    8: "hot_key",
    9: "overload",
    10: "misses",
    11: "trackers",
    12: "flapping",
}
"""The figure's number in the table, and the module that measures it."""


class Unmeasured(Exception):
    """A subject's process failed or answered no figures."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    terminal = Console()
    began_at, load_average = utc(SystemClock().wall_ns()), os.getloadavg()[0]
    figures: list[Figure] = []
    failures: list[str] = []
    for number in options.figures:
        with terminal.status(f"figure {number}: {SUBJECTS[number]}"):
            try:
                figures += measured(SUBJECTS[number], options.rounds)
            except Unmeasured as error:
                failures.append(f"figure {number}: {error}")
    path = write_figures(
        "protect",
        Figures(machine=machine(), measured_at=began_at, load_average=round(load_average, 2), figures=figures),
    )
    terminal.print(table_of(figures))
    terminal.print(f"written to {path.relative_to(CHECKOUT)}")
    for failure in failures:
        print(f"benchmarks.protect: {failure}", file=sys.stderr)
    return 2 if failures else int(not all(figure.held for figure in figures))


def measured(subject: str, rounds: int) -> list[Figure]:
    """What the subject's process says on its last line. Raises Unmeasured."""
    command = [sys.executable, "-m", f"benchmarks.protect.{subject}", "--rounds", str(rounds)]
    try:
        done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=True)
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Figure])
    except (subprocess.SubprocessError, msgspec.DecodeError, IndexError) as cause:
        raise Unmeasured(f"{subject} was not measured ({cause})") from cause


def table_of(figures: Sequence[Figure]) -> Table:
    """For people."""
    table = Table(title="protect, beside its peers", box=None, padding=(0, 2, 0, 0))
    for heading in ("#", "", "tenfold", "target", "unit", "peers", "spread", "held"):
        table.add_column(heading, justify="right" if heading in ("#", "tenfold", "target", "spread") else "left")
    for one in figures:
        table.add_row(
            str(one.figure),
            one.name,
            _number(one.value),
            _number(one.target),
            one.unit,
            ", ".join(f"{name} {_number(value)}" for name, value in one.peers.items()),
            f"{one.spread:.0%}" if len(one.rounds) > 1 else "–",
            "yes" if one.held else "NO",
        )
    return table


def _number(value: float) -> str:
    """Three digits that count, and no more than are there."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-protect", description="What protecting costs and what it holds.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"turns of each (default: {ROUNDS})")
    parser.add_argument(
        "--figures",
        type=lambda text: sorted(_numbers(text)),
        default=sorted(SUBJECTS),
        metavar="1,7",
        help="these figures alone",
    )
    return parser.parse_args(argv)


def _numbers(text: str) -> Iterator[int]:
    for part in filter(None, text.replace(" ", "").split(",")):
        if not part.isdigit() or int(part) not in SUBJECTS:
            raise argparse.ArgumentTypeError(f"{part} is no figure; {min(SUBJECTS)} to {max(SUBJECTS)} may stand here")
        yield int(part)


if __name__ == "__main__":
    sys.exit(main())
