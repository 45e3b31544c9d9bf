"""Figure 12: a flapping dependency behind a breaker: how often that one changes its mind, and what it lets through.

The same dependency, seed and kind of arrivals for each: tenfold with its defaults; pybreaker with its default of five
failures and our cool-down, 250 ms, and again with our longest, 1 s, since ours grows to that. On virtual time, many
seeds: 2,000 calls/s can be borne and 1,600 are wanted; ours hears of a call 10 ms after it went, pybreaker at once,
which is to its advantage. Then in real time with threads, as many calls; the server answers at once there, since
pybreaker holds its lock during a call and would be a limit to the load. A transition is one change of state.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from heapq import heappop, heappush
from statistics import mean, median
from typing import NamedTuple

import pybreaker

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.flapping_server import FlappingServer, S
from benchmarks.protect.runner import run
from tenfold.kernel import derive_seed
from tenfold.protect.calls.breaker import Breaker

SEED = 12
WANTED = 0.8
"""What is wanted, of what a healthy server bears."""
VIRTUAL_PER_S, VIRTUAL_NS, HEARD_NS, SEEDS_A_ROUND = 2_000, 30 * S, S // 100, 3
REAL_PER_S, REAL_S, THREADS = 2_000, 12.0, 16
COOL_DOWN_S, COOL_DOWN_MAX_S = 0.25, 1.0
TRANSITIONS_MAX, OVERLOAD_MAX, ANSWERED_MIN = 1 / 3, 1.2, 0.9


class Seen(NamedTuple):
    """What one run came to. `overload` is the most in a tenth of a second of recovery, of what could be borne."""

    transitions: int
    overload: float
    answered: float


class Refused(Exception):
    """The server did not answer."""


class Hand:
    """A clock that is moved by whoever drives."""

    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns


class Changes(pybreaker.CircuitBreakerListener):
    """Counts pybreaker's changes of state."""

    def __init__(self) -> None:
        self.count = 0

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        self.count += 1


def measure(rounds: int) -> list[Figure]:
    return [*_figures("virtual time", virtual(rounds)), *_figures("real time", real(rounds))]


Runs = dict[str, list[Seen]]
OURS, THEIRS, PATIENT = "tenfold", "pybreaker", "pybreaker, cool-down 1 s"


def virtual(rounds: int) -> Runs:
    runs: Runs = {OURS: [], THEIRS: [], PATIENT: []}
    for number in range(rounds):
        seeds = [derive_seed(SEED, "virtual", f"{number}.{part}") for part in range(SEEDS_A_ROUND)]
        runs[OURS].append(_sum([virtual_ours(seed) for seed in seeds]))
        runs[THEIRS].append(_sum([virtual_theirs(seed, COOL_DOWN_S) for seed in seeds]))
        runs[PATIENT].append(_sum([virtual_theirs(seed, COOL_DOWN_MAX_S) for seed in seeds]))
        _say("virtual", number, runs)
    return runs


def virtual_ours(seed: int) -> Seen:
    hand = Hand()
    server = FlappingServer(VIRTUAL_PER_S, random.Random(seed))
    breaker, changes = _breaker(hand)
    out: list[tuple[int, int, bool]] = []
    wanted = 0
    for at_ns in _arrivals(seed):
        while out and out[0][0] <= at_ns:
            hand.now_ns, epoch, answered = heappop(out)
            _report(breaker, epoch, answered)
        hand.now_ns = at_ns
        wanted += 1
        epoch = breaker.admit()
        if epoch:
            heappush(out, (at_ns + HEARD_NS, epoch, server.call(at_ns)))
    return Seen(len(changes), server.overload_max, server.answered / wanted)


def virtual_theirs(seed: int, cool_down_s: float) -> Seen:
    hand = Hand()
    server = FlappingServer(VIRTUAL_PER_S, random.Random(seed))
    changes = Changes()
    breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=cool_down_s, listeners=[changes])
    wanted = 0

    def call() -> None:
        if not server.call(hand.now_ns):
            raise Refused

    with _its_time(hand):
        for at_ns in _arrivals(seed):
            hand.now_ns = at_ns
            wanted += 1
            try:
                breaker.call(call)
            except (Refused, pybreaker.CircuitBreakerError):
                continue
    return Seen(changes.count, server.overload_max, server.answered / wanted)


def _arrivals(seed: int) -> Iterator[int]:
    """An open model: whoever is refused does not come back, nor does anybody wait."""
    chance = random.Random(derive_seed(seed, "arrivals"))
    at_ns = 0
    while (at_ns := at_ns + round(chance.expovariate(WANTED * VIRTUAL_PER_S) * S)) < VIRTUAL_NS:
        yield at_ns


@contextmanager
def _its_time(hand: Hand) -> Iterator[None]:
    """pybreaker asks `datetime.now`, and has no other clock to be given."""

    class HandTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(hand.now_ns / 1e9, tz)

    pybreaker.datetime = HandTime  # type: ignore[attr-defined]
    try:
        yield
    finally:
        pybreaker.datetime = datetime  # type: ignore[attr-defined]


def real(rounds: int) -> Runs:
    runs: Runs = {OURS: [], THEIRS: []}
    for number in range(rounds):
        seed = derive_seed(SEED, "real", str(number))
        runs[OURS].append(_real_ours(seed))
        runs[THEIRS].append(_real_theirs(seed))
        _say("real", number, runs)
    return runs


def _real_ours(seed: int) -> Seen:
    breaker, changes = _breaker(None)

    def guarded(call: Callable[[], None]) -> None:
        epoch = breaker.admit()
        if epoch:
            try:
                call()
            except Refused:
                breaker.failed("refused", epoch)
            else:
                breaker.succeeded(epoch)

    overload, answered = _drive(seed, guarded)
    return Seen(len(changes), overload, answered)


def _real_theirs(seed: int) -> Seen:
    changes = Changes()
    breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=COOL_DOWN_S, listeners=[changes])

    def guarded(call: Callable[[], None]) -> None:
        try:
            breaker.call(call)
        except (Refused, pybreaker.CircuitBreakerError):
            return

    overload, answered = _drive(seed, guarded)
    return Seen(changes.count, overload, answered)


def _drive(seed: int, guarded: Callable[[Callable[[], None]], None]) -> tuple[float, float]:
    """Threads that each want their part, at moments drawn from the seed; the most overload and the part answered."""
    began_ns = time.monotonic_ns()
    server = FlappingServer(REAL_PER_S, random.Random(seed), began_ns=began_ns)
    lock = threading.Lock()
    wanted = [0] * THREADS

    def call() -> None:
        with lock:
            answered = server.call(time.monotonic_ns())
        if not answered:
            raise Refused

    def want(place: int) -> None:
        chance = random.Random(derive_seed(seed, "thread", str(place)))
        due_s = 0.0
        while (due_s := due_s + chance.expovariate(WANTED * REAL_PER_S / THREADS)) < REAL_S:
            time.sleep(max(0.0, due_s - (time.monotonic_ns() - began_ns) / 1e9))
            wanted[place] += 1
            guarded(call)

    threads = [threading.Thread(target=want, args=(place,), daemon=True) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(REAL_S + 10)
    return server.overload_max, server.answered / sum(wanted)


def _breaker(hand: Hand | None) -> tuple[Breaker, list[str]]:
    """With its defaults; and the list that its changes of state go to."""
    breaker = Breaker("flapping", clock=hand)
    changes: list[str] = []
    last = [breaker.state]

    def changed(one: Breaker) -> None:
        if one.state is not last[0]:
            last[0] = one.state
            changes.append(one.state.value)

    breaker.listen(changed)
    return breaker, changes


def _report(breaker: Breaker, epoch: int, answered: bool) -> None:
    if answered:
        breaker.succeeded(epoch)
    else:
        breaker.failed("refused", epoch)


def _sum(parts: Sequence[Seen]) -> Seen:
    return Seen(
        sum(part.transitions for part in parts),
        max(part.overload for part in parts),
        mean(part.answered for part in parts),
    )


def _figures(when: str, runs: Runs) -> Iterator[Figure]:
    ours, theirs = runs[OURS], runs[THEIRS]
    transitions = [one.transitions / max(1, other.transitions) for one, other in zip(ours, theirs, strict=True)]
    yield Figure(
        figure=12,
        name=f"transitions behind a flapping dependency, {when}",
        value=median(transitions),
        unit="of pybreaker's",
        target=TRANSITIONS_MAX,
        held=median(transitions) <= TRANSITIONS_MAX,
        peers={name: median(seen.transitions for seen in all_seen) for name, all_seen in runs.items()},
        spread=spread_of(transitions),
        rounds=transitions,
    )
    overloads = [seen.overload for seen in ours]
    yield Figure(
        figure=12,
        name=f"most that it sees while it recovers, {when}",
        value=max(overloads),
        unit="of what it bears",
        target=OVERLOAD_MAX,
        held=max(overloads) <= OVERLOAD_MAX,
        peers={name: max(seen.overload for seen in all_seen) for name, all_seen in runs.items() if name != OURS},
        spread=spread_of(overloads),
        rounds=overloads,
    )
    answered = [one.answered / other.answered for one, other in zip(ours, theirs, strict=True)]
    yield Figure(
        figure=12,
        name=f"calls answered all the same, {when}",
        value=median(answered),
        unit="of pybreaker's",
        target=ANSWERED_MIN,
        held=median(answered) >= ANSWERED_MIN,
        peers={name: median(seen.answered for seen in all_seen) for name, all_seen in runs.items()},
        spread=spread_of(answered),
        rounds=answered,
    )


def _say(when: str, number: int, runs: Runs) -> None:
    last = ", ".join(f"{name} {all_seen[-1].transitions} changes" for name, all_seen in runs.items())
    sys.stderr.write(f"{when} round {number}: {last}\n")


if __name__ == "__main__":
    run(measure)
