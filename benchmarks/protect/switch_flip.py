"""Figure 7: a switch to 50 processes, what is left of 1,000 flips when the control node is killed, and a read of one.

Delivery is measured on one host, whose CLOCK_MONOTONIC is one for all: from the moment before the PUT is sent until the
process has the value in force and whoever wanted to hear of it was told. A read is a boolean that a service keeps, of a
process that follows a node, beside `openfeature-sdk`'s own call with the provider that keeps flags in memory, and the
same call with the switch behind it; what the loop itself costs is taken off.
"""

import random
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from timeit import Timer

from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.followers import ControlProcess, Followers, Seen, flip, put_setting
from benchmarks.protect.runner import run
from tenfold.channel import Channel
from tenfold.kernel import derive_seed
from tenfold.protect.live.openfeature import SwitchProvider
from tenfold.protect.live.switches import Switches

PROCESSES = 50
FLIPS_A_ROUND = 60
FLIP_EVERY_S = 0.05
FLIPS_UNDER_KILLS = 1000
KILLS = 5
DOWN_S = 0.15
P99_MS_MAX = 20.0
READ_NS_MAX = 80.0
TIMES_FASTER_MIN = 200.0
WAYS = ("switch.read()", "switch()", "switch.on")
READS, SDK_READS, BURSTS = 20_000, 500, 20
SEED = 7


def measure(rounds: int) -> list[Figure]:
    return [*delivery(rounds), *kills(), *reading(rounds)]


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


def reading(rounds: int) -> list[Figure]:
    """What reading a switch costs the code that asks, turn by turn with the same question to `openfeature-sdk`."""
    with TemporaryDirectory() as name:
        node = ControlProcess(Path(name))
        node.open()
        try:
            return _reading_figures(_read_turns(node, rounds))
        finally:
            node.close()


def _read_turns(node: ControlProcess, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a read, by who was asked, one for each round."""
    switches = Switches()
    switch = switches.boolean("recommendations", default=True)
    flags = {"recommendations": InMemoryFlag("on", {"on": True, "off": False})}
    api.set_provider_and_wait(InMemoryProvider(flags), "memory")
    api.set_provider_and_wait(SwitchProvider(switches), "tenfold")
    memory, ours = api.get_client("memory"), api.get_client("tenfold")
    asked: dict[str, tuple[str, object, int]] = {
        "switch.read()": ("ask.read()", switch, READS),
        "switch()": ("ask()", switch, READS),
        "switch.on": ("ask.on", switch, READS),
        "switch.at(store=)": ("ask.at(store='7')", switch, READS),
        "openfeature-sdk": ("ask.get_boolean_value('recommendations', False)", memory, SDK_READS),
        "openfeature-sdk on a switch": ("ask.get_boolean_value('recommendations', False)", ours, SDK_READS),
    }
    turns: dict[str, list[float]] = {name: [] for name in asked}
    channel = Channel(node.url, node.token, service="bench")
    with channel, switches.following(channel):
        for _ in range(rounds):
            for name, (statement, ask, count) in asked.items():
                loop_s = min(Timer("pass").repeat(BURSTS, count))
                read_s = min(Timer(statement, globals={"ask": ask}).repeat(BURSTS, count))
                turns[name].append((read_s - loop_s) / count * 1e9)
    api.clear_providers()
    return turns


def _reading_figures(turns: dict[str, list[float]]) -> list[Figure]:
    """Each way to ask against the bound; the quickest against the SDK, the others beside it."""
    return [*(_cost_row(way, turns) for way in WAYS), _ratio_row(WAYS[0], turns)]


def _cost_row(way: str, turns: dict[str, list[float]]) -> Figure:
    return Figure(
        figure=7,
        name=f"reading a switch, {way}",
        value=round(median(turns[way]), 1),
        unit="ns",
        target=READ_NS_MAX,
        held=median(turns[way]) <= READ_NS_MAX,
        peers={name: round(median(turn), 1) for name, turn in turns.items() if name not in WAYS},
        spread=spread_of(turns[way]),
        rounds=turns[way],
    )


def _ratio_row(way: str, turns: dict[str, list[float]]) -> Figure:
    ratios = [theirs / mine for mine, theirs in zip(turns[way], turns["openfeature-sdk"], strict=True)]
    return Figure(
        figure=7,
        name=f"{way}, times as fast as openfeature-sdk's own call",
        value=round(median(ratios), 1),
        unit="times",
        target=TIMES_FASTER_MIN,
        held=median(ratios) >= TIMES_FASTER_MIN,
        peers={f"{name}, ns": round(median(turn), 1) for name, turn in turns.items()},
        ratio=median(ratios),
        spread=spread_of(ratios),
        rounds=ratios,
    )


def _flipped(node: ControlProcess, folder: Path, rounds: int) -> tuple[dict[int, int], list[list[Seen]]]:
    """When each flip was sent, and what each process saw."""
    followers, client = Followers(node, folder, PROCESSES), node.client()
    try:
        followers.wait_until(client, 0)
        sent_ns, epoch = {}, 0
        for number in range(rounds * FLIPS_A_ROUND):
            time.sleep(FLIP_EVERY_S)
            sent_ns[number] = time.monotonic_ns()
            change = put_setting(client, number)
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
