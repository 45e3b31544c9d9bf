"""Figure 9: ten times as much is asked as can be served, for a minute.

    python -m benchmarks.protect.overload [--rounds N]

A server process (`overload_server`) has 20 slots and takes 60 to 100 ms for a request, so its capacity is known: 250 a
second; what is used here is what it was measured to serve when nothing but it is the limit. A client process
(`overload_client`) sends an open Poisson stream of ten times that: 8 % P0, 12 % P1, 30 % P2, 50 % P3, of 50 stores.

Ours runs for 60 s, in every round, each with a server of its own that learns anew. Then ours and its peers take turns
of `TURN_S`, each with its own server that lives, and learns, from turn to turn. The peers are other limits behind the
same door; "no tiers" is the door without tiers. What becomes of P0 when P0 alone is 1.0 times the capacity (10 % of
what is offered) stands beside the figure: there no line that is short enough for the p99 answers 99.9 % of a Poisson
stream.

TENFOLD_OVERLOAD_S shortens the minute, for a look.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from operator import ge, le
from statistics import median

import msgspec

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.admission_cost import cost, served_cost
from benchmarks.protect.overload_client import Seen
from benchmarks.protect.runner import run

FIGURE = 9
SLOTS, SERVICE_MS = 20, 80.0
MIX, MIX_FULL = "0.08,0.12,0.3,0.5", "0.1,0.1,0.3,0.5"
LENGTH_S = float(os.environ.get("TENFOLD_OVERLOAD_S", "60"))
TURN_S, SETTLE_S = 5.0, 2.5
FULL_S = min(15.0, LENGTH_S)
OURS = "tenfold"
PEERS = ("fixed, tuned", "fixed, 10x too high", "fixed, 4x too low", "vegas", "fixed, tuned, no tiers")
GOODPUT_MIN, P0_MIN, P99_MAX = 0.95, 0.999, 2.0


@contextmanager
def server(contender: str) -> Iterator[str]:
    """Its port; it ends with its standard input."""
    command = [sys.executable, "-m", "benchmarks.protect.overload_server", contender, str(SLOTS), str(SERVICE_MS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def ask(port: str, *words: object) -> Seen:
    command = [sys.executable, "-m", "benchmarks.protect.overload_client", port, *map(str, words)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=LENGTH_S + 60).stdout
    return msgspec.json.decode(said, type=Seen)


def p99_ms(seen: Seen) -> float:
    ordered = sorted(length for tier in seen.response_ms for length in tier)
    return ordered[int(len(ordered) * 0.99)] if ordered else 0.0


class Measures:
    """What one stretch of overload came to, as shares of what was possible."""

    def __init__(self, seen: Seen, capacity_per_s: float, unloaded_p99_ms: float) -> None:
        self.goodput = seen.in_time / seen.length_s / capacity_per_s
        self.p0 = seen.answered[0] / max(1, seen.offered[0])
        self.p99 = p99_ms(seen) / unloaded_p99_ms
        self.p99_ms = p99_ms(seen)
        self.unsent = seen.unsent / max(1, sum(seen.offered))


def ground() -> tuple[float, float]:
    """Capacity a second and unloaded p99 in ms, of the same server without a limit."""
    with server("nothing") as port:
        unloaded = ask(port, SLOTS * 1000 / SERVICE_MS / 10, 8, 0.5, 1, MIX)
        served = ask(port, "closed", 5, 1, 1, 2 * SLOTS)
    return served.in_time / served.length_s, p99_ms(unloaded)


def measure(rounds: int) -> list[Figure]:
    capacity, unloaded_ms = ground()

    def overload(port: str, length_s: float, settle_s: float, seed: int, mix: str = MIX) -> Measures:
        return Measures(ask(port, 10 * capacity, length_s, settle_s, seed, mix), capacity, unloaded_ms)

    minutes = []
    for number in range(rounds):
        with server(OURS) as port:
            minutes.append(overload(port, LENGTH_S, SETTLE_S, 1 + number))
    with server(OURS) as port:
        full = overload(port, FULL_S, SETTLE_S, 2, MIX_FULL)
    turns: dict[str, list[Measures]] = {name: [] for name in (OURS, *PEERS)}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(server(name)) for name in turns}
        for turn in range(rounds):
            for name, measures in turns.items():
                measures.append(overload(ports[name], TURN_S, SETTLE_S, 100 + turn))
    unsent, p99 = max(one.unsent for one in minutes), median(one.p99_ms for one in minutes)
    sys.stderr.write(
        f"capacity {capacity:.1f}/s, unloaded p99 {unloaded_ms:.1f} ms, in overload {p99:.1f} ms, unsent {unsent:.4%}\n"
    )
    return [*figures(minutes, full, turns), cost(rounds), served_cost(rounds)]


def figures(minutes: list[Measures], full: Measures, turns: dict[str, list[Measures]]) -> list[Figure]:
    def row(name: str, what: str, target: float, reached: Callable[[float, float], bool], **beside: float) -> Figure:
        ours = [getattr(one, what) for one in minutes]
        peers = {
            ("tenfold in the same turns" if who == OURS else who): median(getattr(one, what) for one in measures)
            for who, measures in turns.items()
        }
        return Figure(
            figure=FIGURE,
            name=f"{LENGTH_S:.0f} s at 10x: {name}",
            value=median(ours),
            unit="ratio",
            target=target,
            held=reached(median(ours), target),
            peers=peers | {name.replace("_", " "): value for name, value in beside.items()},
            spread=spread_of(ours),
            rounds=ours,
        )

    return [
        row("goodput / capacity", "goodput", GOODPUT_MIN, ge),
        row("P0 answered, P0 at 0.8x capacity", "p0", P0_MIN, ge, tenfold_with_P0_at_its_capacity=full.p0),
        row("admitted p99 / unloaded p99", "p99", P99_MAX, le),
    ]


if __name__ == "__main__":
    run(measure)
