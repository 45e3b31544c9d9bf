"""What one metric costs on the hottest path: ours beside prometheus-client, in one process, alternating.

    python -m benchmarks.metrics_cost            # ours alone where the peer is not installed, and says so

The peer is no dependency of Tenfold; install it in a scratch environment and run this there with PYTHONPATH=src:.
Every figure is nanoseconds of one call, loop included: the median of ROUNDS rounds in which all contestants took turns.
"""

import importlib
import sys
import timeit
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from tenfold.telemetry import Registry

ROUNDS = 9
CALLS = 100_000
LATENCY_NS = 1_234_567
PEER = "prometheus_client"

Contestants = dict[str, Callable[[], object]]


def main() -> int:
    contestants = _ours()
    peer = _import_peer()
    if peer is None:
        print(f"{PEER} is not installed here: ours is measured alone. See the docstring.", file=sys.stderr)
    else:
        contestants |= _theirs(peer)
    _print(_cost_ns(contestants))
    return 0


def _import_peer() -> Any:
    try:
        return importlib.import_module(PEER)
    except ModuleNotFoundError:
        return None


def _ours() -> Contestants:
    registry = Registry()
    reads = registry.counter("reads_total", "Reads.", labels=("rung",))
    near = reads.child("near")
    timer = registry.timer("read_seconds", "Reads.", labels=("rung",)).child("near")
    return {
        "count, no labels | ours": registry.counter("plain_total", "Reads.").child().inc,
        "count, child in hand | ours": near.inc,
        "count, child looked up | ours": lambda: reads.child("near").inc(),
        "time, child in hand | ours": lambda: timer.record_ns(LATENCY_NS),
    }


def _theirs(peer: Any) -> Contestants:
    registry = peer.CollectorRegistry()
    plain = peer.Counter("plain", "Reads.", registry=registry)
    reads = peer.Counter("reads", "Reads.", ["rung"], registry=registry)
    timer = peer.Histogram("read_seconds", "Reads.", ["rung"], registry=registry)
    near, timed = reads.labels("near"), timer.labels("near")
    return {
        "count, no labels | theirs": plain.inc,
        "count, child in hand | theirs": near.inc,
        "count, child looked up | theirs": lambda: reads.labels("near").inc(),
        "time, child in hand | theirs": lambda: timed.observe(LATENCY_NS / 1e9),
    }


def _cost_ns(contestants: Contestants) -> dict[str, float]:
    """Nanoseconds a call: each round gives every contestant its turn, so that a busy moment is shared."""
    rounds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, call in contestants.items():
            rounds[name].append(timeit.timeit(call, number=CALLS) / CALLS * 1e9)
    return {name: median(costs) for name, costs in rounds.items()}


def _print(costs_ns: Mapping[str, float]) -> None:
    for name, cost_ns in sorted(costs_ns.items()):
        act, _, whose = name.partition(" | ")
        base_ns = costs_ns.get(f"{act} | ours")
        ratio = f"{cost_ns / base_ns:5.1f}x" if base_ns and whose == "theirs" else ""
        print(f"{act:<24} {whose:<7} {cost_ns:8.0f} ns  {ratio}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
