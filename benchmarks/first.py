"""`make bench`: reads/s and orders/s of freshmart through HTTP, beside the plain version on the same servers.

    python -m benchmarks.first [--rounds N] [--quick | --smoke]

Contestants take turns, each from the same morning (no order, full shelves, empty caches, then its own warming). A
figure is the highest open-loop arrival rate whose p99 stays within 100 ms with no error and nothing dropped.
Exit status: 0 every figure reached its target, 1 one did not, 2 it could not be measured.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Figures, spread_of, write_figures
from benchmarks.questions import Questions
from benchmarks.search import LEAP, STEP, Search
from benchmarks.shop import CHECKOUT, Shop, open_shop
from benchmarks.turn import Turn, Workload, take_turn
from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import Interrupted, SystemClock, TenfoldError, run_until_signal
from tenfold.kernel.clock import utc
from tenfold.plan import read_plan
from tenfold.rehearse.rehearsal import machine

OURS, PEER = "freshmart", "plain"
COMMANDS: Mapping[str, Sequence[str]] = {
    OURS: ("python", "-m", "freshmart.api"),
    PEER: ("python", "-m", "benchmarks.plain"),
}
PLAN = CHECKOUT / "plans" / "freshmart.yaml"
ROUNDS = 3
FAILURES = (TenfoldError, OSError, HTTPException, asyncpg.PostgresError, RedisError)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is measured, and what is promised of it: so many a second, so many times the plain version's."""

    name: str
    workload: Workload
    rate: float
    ratio: float


PROMISES = (
    Promise("price reads", Workload("price", "answered", first_rps=500), rate=3_000, ratio=2),
    Promise("orders", Workload("order", "accepted", first_rps=50, audited=True), rate=300, ratio=2),
)

Say = Callable[[str], None]


@dataclass(slots=True)
class Score:
    """All turns of one run, in the order of the rounds."""

    turns: dict[tuple[str, str], list[Turn]] = field(default_factory=dict)

    def add(self, contestant: str, journey: str, turn: Turn) -> None:
        self.turns.setdefault((contestant, journey), []).append(turn)

    def known_rps(self, contestant: str, journey: str) -> float:
        """What was held last time: where the next search begins."""
        turns = self.turns.get((contestant, journey))
        return turns[-1].held_rps if turns else 0.0

    def rates(self, contestant: str, journey: str) -> list[float]:
        return [turn.rate_rps for turn in self.turns[contestant, journey]]

    def ratios(self, journey: str) -> list[float]:
        """How many times the peer's, round by round: a busy minute hits both."""
        pairs = zip(self.rates(OURS, journey), self.rates(PEER, journey), strict=True)
        return [ours / plain if plain else 0.0 for ours, plain in pairs]

    def limit(self, journey: str) -> str:
        return self.turns[OURS, journey][-1].limited_by


async def compare(rounds: int, say: Say, *, looks_max: float = inf) -> Score:
    """Everything that is measured, by at most `looks_max` looks at each.

    Each round begins with the one who came last in the round before.
    """
    score, questions = Score(), Questions()
    with _scratch() as root:
        async with open_shop(read_plan(PLAN, FAULT_KINDS), root) as shop:
            for number in range(rounds):
                for contestant in list(COMMANDS)[:: -1 if number % 2 else 1]:
                    say(f"round {number + 1} of {rounds}: {contestant} starts")
                    await shop.new_morning()
                    async with shop.serving(contestant, COMMANDS[contestant]) as url:
                        await questions.ask(contestant, url, shop.token)
                        await _measure(Stand(shop, contestant, url), score, looks_max, say)
    return score


@dataclass(frozen=True, slots=True)
class Stand:
    """Who serves where."""

    shop: Shop
    contestant: str
    url: str


async def _measure(stand: Stand, score: Score, looks_max: float, say: Say) -> None:
    for workload in (promise.workload for promise in PROMISES):
        known_rps = score.known_rps(stand.contestant, workload.journey)
        search = Search(known_rps or workload.first_rps, leap=STEP if known_rps else LEAP, looks_max=looks_max)
        turn = await take_turn(stand.shop, stand.url, workload, search, _titled(stand, workload, say))
        score.add(stand.contestant, workload.journey, turn)


def _titled(stand: Stand, workload: Workload, say: Say) -> Say:
    return lambda text: say(f"{stand.contestant}, {workload.journey}: {text}")


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder of the benchmark's own; it stays when something went wrong, for its logs to be read."""
    root = Path(tempfile.mkdtemp(prefix="tenfold-bench-"))
    try:
        yield root
    except TenfoldError:
        print(f"benchmarks.first: what the processes said is in {root}", file=sys.stderr)
        raise
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    shutil.rmtree(root, ignore_errors=True)


def figures_of(score: Score) -> list[Figure]:
    """The four figures: reads and orders a second, and both beside the plain version."""
    rates = [_rate(number, promise, score) for number, promise in enumerate(PROMISES, 1)]
    ratios = [_ratio(number, promise, score) for number, promise in enumerate(PROMISES, 1 + len(PROMISES))]
    return [*rates, *ratios]


def _rate(number: int, promise: Promise, score: Score) -> Figure:
    journey = promise.workload.journey
    ours = score.rates(OURS, journey)
    return Figure(
        figure=number,
        name=promise.name,
        value=median(ours),
        unit="1/s",
        target=promise.rate,
        held=median(ours) >= promise.rate,
        peers={PEER: median(score.rates(PEER, journey))},
        ratio=median(score.ratios(journey)),
        spread=spread_of(ours),
        rounds=ours,
        limited_by=score.limit(journey),
    )


def _ratio(number: int, promise: Promise, score: Score) -> Figure:
    ratios = score.ratios(promise.workload.journey)
    return Figure(
        figure=number,
        name=f"{promise.name}, ratio",
        value=median(ratios),
        unit="1",
        target=promise.ratio,
        held=median(ratios) >= promise.ratio,
        peers={PEER: 1.0},
        ratio=median(ratios),
        spread=spread_of(ratios),
        rounds=ratios,
    )


def table_of(figures: Sequence[Figure]) -> Table:
    """For people. `limit`: who was the limit above the figure."""
    table = Table(title=f"through HTTP, beside the {PEER} version", box=None, padding=(0, 2, 0, 0))
    for heading in ("#", "", OURS, PEER, "spread", "target", "limit", "held"):
        table.add_column(heading, justify="left" if heading in ("", "limit", "held") else "right", no_wrap=True)
    for one in figures:
        table.add_row(
            str(one.figure),
            one.name,
            _quantity(one.value, one.unit),
            _quantity(one.peers[PEER], one.unit),
            f"{one.spread:.0%}" if len(one.rounds) > 1 else "–",
            _quantity(one.target, one.unit),
            one.limited_by,
            "yes" if one.held else "NO",
        )
    return table


def _quantity(value: float, unit: str) -> str:
    return f"{value:,.0f} /s" if unit == "1/s" else f"{value:.2f} ×"


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    terminal = Console()
    began_at, load_average = utc(SystemClock().wall_ns()), os.getloadavg()[0]
    try:
        with terminal.status("starting and seeding the servers") as status:
            score = run_until_signal(_work(options, status.update))
    except Interrupted as interrupted:
        print(f"benchmarks.first: {interrupted}", file=sys.stderr)
        return interrupted.status
    except FAILURES as error:
        print(f"benchmarks.first: {error}", file=sys.stderr)
        return 2
    if options.smoke:
        terminal.print("it works: both were asked, answered alike and kept the invariants; nothing was measured")
        return 0
    figures = figures_of(score)
    path = write_figures(
        "first",
        Figures(machine=machine(), measured_at=began_at, load_average=round(load_average, 2), figures=figures),
    )
    terminal.print(table_of(figures))
    terminal.print(f"written to {path.relative_to(CHECKOUT)}")
    return 0 if all(figure.held for figure in figures) else 1


def _work(options: argparse.Namespace, say: Say) -> Coroutine[Any, Any, Score]:
    if options.smoke:
        return compare(1, say, looks_max=1)
    return compare(1 if options.quick else options.rounds, say)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="freshmart beside the plain version, through HTTP.")
    parser.add_argument(
        "--rounds", type=_rounds, default=ROUNDS, metavar="N", help=f"turns of each (default: {ROUNDS})"
    )
    short = parser.add_mutually_exclusive_group()
    short.add_argument("--quick", action="store_true", help="one round: a first look, no medians")
    short.add_argument("--smoke", action="store_true", help="one look at each: whether it works; measures nothing")
    return parser.parse_args(argv)


def _rounds(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 99:
        raise argparse.ArgumentTypeError(f"{count} rounds are not possible; 1 to 99 may stand here")
    return count


if __name__ == "__main__":
    sys.exit(main())
