"""Figure 11: ten million different keys through everything that remembers something by key.

Each tracker in a process of its own, as many at a time as there are cores. Once: memory does not vary by chance as
time does, and `rounds` rounds of ten million keys would say the same.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec

from benchmarks.figures import Figure
from benchmarks.protect.runner import run
from benchmarks.protect.tracked import TRACKERS, Watched

KEYS = 10_000_000
BOUND = 1.1
LIMIT_S = 290


def measure(rounds: int) -> list[Figure]:  # noqa: ARG001  # see above
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        watched = dict(zip(TRACKERS, pool.map(watch_apart, TRACKERS), strict=True))
    return [figure(name, seen) for name, seen in watched.items()]


def watch_apart(name: str) -> Watched:
    command = [sys.executable, "-m", "benchmarks.protect.tracked", name, "--keys", str(KEYS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=LIMIT_S)
    return msgspec.json.decode(done.stdout, type=Watched)


def figure(name: str, seen: Watched) -> Figure:
    ratio = seen.grown_bytes_max / seen.bytes_max
    return Figure(
        figure=11,
        name=f"resident memory after {seen.keys:,} keys: {name}",
        value=round(ratio, 4),
        unit="of its cap",
        target=BOUND,
        held=ratio <= BOUND,
        peers={"cap, bytes": seen.bytes_max, "most resident, bytes": seen.grown_bytes_max},
        rounds=[ratio],
    )


if __name__ == "__main__":
    run(measure)
