"""Figure 7: a switch to 50 processes, and what is left of 1,000 flips when the control node is killed meanwhile.

Measured on one host, whose CLOCK_MONOTONIC is one for all: from the moment before the PUT is sent until the process
has the change in force and its subscriber was told.
"""

import random
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.followers import KEY, TOPIC, ControlProcess, Followers, Seen, flip
from benchmarks.protect.runner import run
from tenfold.kernel import derive_seed

PROCESSES = 50
FLIPS_A_ROUND = 60
FLIP_EVERY_S = 0.05
FLIPS_UNDER_KILLS = 1000
KILLS = 5
DOWN_S = 0.15
P99_MS_MAX = 20.0
SEED = 7


def measure(rounds: int) -> list[Figure]:
    return [*delivery(rounds), *kills()]


def delivery(rounds: int) -> list[Figure]:
    """How long a flip takes to the 50 processes, at a rate that people and rules flip at."""
    with TemporaryDirectory() as name:
        node = ControlProcess(Path(name))
        node.open()
        try:
            return _delivery_figures(*_flipped(node, Path(name), rounds))
        finally:
            node.close()


def kills() -> list[Figure]:
    """1,000 flips as fast as they are accepted, the node killed by SIGKILL at moments drawn from the seed."""
    with TemporaryDirectory() as name:
        node = ControlProcess(Path(name))
        node.open()
        try:
            return _kill_figures(_flipped_under_kills(node, Path(name)))
        finally:
            node.close()


def _flipped(node: ControlProcess, folder: Path, rounds: int) -> tuple[dict[int, int], list[list[Seen]]]:
    """When each flip was sent, and what each process saw."""
    followers, client = Followers(node, folder, PROCESSES), node.client()
    try:
        followers.wait_until(client, 0)
        sent_ns, epoch = {}, 0
        for number in range(rounds * FLIPS_A_ROUND):
            time.sleep(FLIP_EVERY_S)
            sent_ns[number] = time.monotonic_ns()
            change = client.put(TOPIC, KEY, number)
            epoch = getattr(change, "epoch", epoch)
        followers.wait_until(client, epoch)
        return sent_ns, followers.seen()
    finally:
        client.close()
        followers.close()


def _delivery_figures(sent_ns: dict[int, int], seen: list[list[Seen]]) -> list[Figure]:
    by_round: dict[int, list[float]] = {}
    for process in seen:
        for number, applied_ns in process:
            by_round.setdefault(number // FLIPS_A_ROUND, []).append((applied_ns - sent_ns[number]) / 1e6)
    p99s = [quantiles(took_ms, n=100)[98] for took_ms in by_round.values()]
    p50s = [median(took_ms) for took_ms in by_round.values()]
    slowest = max(map(max, by_round.values()))
    sys.stderr.write(f"delivery: p50 {median(p50s):.2f} ms, slowest of all {slowest:.2f} ms\n")
    return [
        Figure(
            figure=7,
            name=f"a switch to {PROCESSES} processes, p99",
            value=median(p99s),
            unit="ms",
            target=P99_MS_MAX,
            held=median(p99s) <= P99_MS_MAX,
            spread=spread_of(p99s),
            rounds=p99s,
        )
    ]


def _flipped_under_kills(node: ControlProcess, folder: Path) -> list[list[Seen]]:
    followers, client = Followers(node, folder, PROCESSES), node.client()
    killer = _Killer(node)
    try:
        followers.wait_until(client, 0)
        killer.start()
        epoch = 0
        for number in range(FLIPS_UNDER_KILLS):
            killer.pass_number(number)
            epoch = flip(client, number).epoch
        killer.join()
        followers.wait_until(client, epoch)
        return followers.seen()
    finally:
        client.close()
        followers.close()


class _Killer(threading.Thread):
    """Kills the node a moment after certain flips begin, whatever it is doing then, and starts it again."""

    def __init__(self, node: ControlProcess) -> None:
        super().__init__(daemon=True)
        self._node = node
        self._chance = random.Random(derive_seed(SEED, "kills"))
        self._at = sorted(self._chance.sample(range(50, FLIPS_UNDER_KILLS - 50), KILLS))
        self._number = threading.Condition()
        self._passed = -1

    def pass_number(self, number: int) -> None:
        with self._number:
            self._passed = number
            self._number.notify()

    def run(self) -> None:
        for at in self._at:
            with self._number:
                self._number.wait_for(lambda at=at: self._passed >= at)  # type: ignore[misc]
            time.sleep(self._chance.uniform(0, 0.005))
            self._node.kill()
            time.sleep(DOWN_S)
            self._node.open()
            sys.stderr.write(f"control node killed at flip {at} and restarted\n")


def _kill_figures(seen: list[list[Seen]]) -> list[Figure]:
    expected = list(range(FLIPS_UNDER_KILLS))
    numbers = [[number for number, _ in process] for process in seen]
    lost = sum(len(set(expected) - set(process)) for process in numbers)
    disorder = sum(1 for process in numbers for one, other in pairwise(process) if other <= one)
    what = f"{FLIPS_UNDER_KILLS} flips to {PROCESSES} processes, node killed {KILLS} times"
    return [_none_of(f"{what}: lost", lost), _none_of(f"{what}: out of order or twice", disorder)]


def _none_of(name: str, count: int) -> Figure:
    return Figure(figure=7, name=name, value=count, unit="changes", target=0, held=count == 0)


if __name__ == "__main__":
    run(measure)
