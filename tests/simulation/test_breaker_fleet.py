"""Fifty processes, a control node and a dependency on virtual time: how many calls it takes until all know."""

import random
import sys
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest

from tenfold.channel import Process
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.breaker import Breaker, BreakerReport, Breakers, BreakerState, link_breakers
from tenfold.respond.merges import BreakerMerge

SEED = 20261122
MS = 1_000_000
PROCESSES = 50
CALL_EVERY_MS = 500
"""Each process calls the supplier twice a second."""
TIMEOUT_MS = 200
GONE_MS, BACK_MS, END_MS = 2_000, 12_000, 20_000


class World:
    """Time, and what happens in it: calls in order of when they are due."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    @property
    def now_ms(self) -> float:
        return self.clock.monotonic_ns() / MS

    def after_ms(self, length_ms: float, call: Callable[[], object]) -> None:
        heappush(self._due, (self.clock.monotonic_ns() + int(length_ms * MS), next(self._order), call))

    def run_until_ms(self, end_ms: float) -> None:
        while self._due and self._due[0][0] < end_ms * MS:
            due_ns, _, call = heappop(self._due)
            self.clock.advance(Duration(due_ns - self.clock.monotonic_ns()))
            call()


class Said(NamedTuple):
    key: str
    json: bytes | None


class Node:
    """The control node's part, each word on its way for as long as a real one's."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.fleet = BreakerMerge()
        self.tellers: list[Callable[[Any], None]] = []
        self._world = world
        self._chance = chance
        self._turn()

    def report(self, process: str, report: BreakerReport) -> None:
        payload = msgspec.json.encode(report)
        self._world.after_ms(self._chance.uniform(25, 50), partial(self._take, process, payload))

    def _take(self, process: str, payload: bytes) -> None:
        report = msgspec.json.decode(payload, type=BreakerReport)
        self.fleet.took(process, report, self._world.clock.monotonic_ns())

    def _turn(self) -> None:
        self._world.after_ms(20, self._turn)
        for name, word in self.fleet.changes(self._world.clock.monotonic_ns()).items():
            said = Said(name, None if word is None else msgspec.json.encode(word))
            for tell in self.tellers:
                self._world.after_ms(self._chance.uniform(1, 10), partial(tell, said))


class MemoryChannel:
    """A process's side of the channel."""

    def __init__(self, node: Node, process: str) -> None:
        self.process = Process(id=process, service="shop")
        self._node = node

    def report(self, topic: str, payload: Any) -> bool:
        assert topic == "breakers"
        self._node.report(self.process.id, payload)
        return True

    def subscribe(self, topic: str, on_change: Callable[[Any], None]) -> Callable[[], None]:
        assert topic == "breakers"
        self._node.tellers.append(on_change)
        return lambda: self._node.tellers.remove(on_change)


class Caller:
    """One process: calls when it is time, and is answered after 5 ms or not within its timeout."""

    def __init__(self, world: World, name: str, answers: Callable[[], bool], chance: random.Random) -> None:
        self.breakers = Breakers(clock=world.clock)
        self.breaker: Breaker = self.breakers.of("supplier", "order")
        self.name = name
        self.asked_in_vain = self.answered = self.refused = 0
        self.alive = True
        self._world = world
        self._answers = answers
        self._chance = chance
        world.after_ms(chance.uniform(0, CALL_EVERY_MS), self._call)

    def _call(self) -> None:
        if not self.alive:
            return
        self._world.after_ms(self._chance.uniform(0.8, 1.2) * CALL_EVERY_MS, self._call)
        epoch = self.breaker.admit()
        if not epoch:
            self.refused += 1
        elif self._answers():
            self._world.after_ms(5, partial(self._hear, epoch, answered=True))
        else:
            self.asked_in_vain += 1
            self._world.after_ms(TIMEOUT_MS, partial(self._hear, epoch, answered=False))

    def _hear(self, epoch: int, *, answered: bool) -> None:
        if not self.alive:
            return
        if answered:
            self.answered += 1
            self.breaker.succeeded(epoch)
        else:
            self.breaker.failed("timeout", epoch, timeout=True)


class Fleet:
    """All of it, sharing or not."""

    def __init__(self, seed: int, *, shares: bool, answers: Callable[[int, float], bool] | None = None) -> None:
        chance = random.Random(seed)
        self.world = World()
        self.node = Node(self.world, chance)
        answers = answers or (lambda _, now_ms: not GONE_MS <= now_ms < BACK_MS)
        self.callers = [
            Caller(self.world, f"process-{number}", partial(self._ask, answers, number), chance)
            for number in range(PROCESSES)
        ]
        if shares:
            for caller in self.callers:
                link_breakers(MemoryChannel(self.node, caller.name), caller.breakers)

    def _ask(self, answers: Callable[[int, float], bool], number: int) -> bool:
        return answers(number, self.world.now_ms)

    @property
    def asked_in_vain(self) -> int:
        return sum(caller.asked_in_vain for caller in self.callers)

    def states(self) -> set[BreakerState]:
        return {caller.breaker.state for caller in self.callers if caller.alive}


@pytest.mark.parametrize("seed", [SEED, SEED + 1, SEED + 2])
def test_fifty_processes_do_not_each_learn_by_burning_requests(seed: int) -> None:
    """Ten seconds of a dependency that hangs cost less than a third of the calls in vain; all are back soon after."""
    apart, together = Fleet(seed, shares=False), Fleet(seed, shares=True)
    for fleet in (apart, together):
        fleet.world.run_until_ms(END_MS)
        assert fleet.states() == {BreakerState.CLOSED}
    sys.stdout.write(f"seed {seed}: calls in vain {apart.asked_in_vain} apart, {together.asked_in_vain} together\n")
    assert together.asked_in_vain < apart.asked_in_vain / 3
    answered = [sum(caller.answered for caller in fleet.callers) for fleet in (apart, together)]
    assert answered[1] > 0.9 * answered[0]


def test_while_it_is_gone_a_few_probe_for_all() -> None:
    """In the last five seconds of the outage: three of them, once a second."""
    apart, together = Fleet(SEED, shares=False), Fleet(SEED, shares=True)
    probes = []
    for fleet in (apart, together):
        fleet.world.run_until_ms(BACK_MS - 5_000)
        before = fleet.asked_in_vain
        fleet.world.run_until_ms(BACK_MS)
        probes.append(fleet.asked_in_vain - before)
    sys.stdout.write(f"seed {SEED}: probes in five seconds {probes[0]} apart, {probes[1]} together\n")
    assert probes[1] < probes[0] / 2


def test_all_know_within_a_moment_that_it_is_back() -> None:
    """Whoever probes finds out within a rest and a call, all others a report, a word and a call later."""
    fleet = Fleet(SEED, shares=True)
    fleet.world.run_until_ms(BACK_MS + 2_500)
    closed = sum(caller.breaker.state is BreakerState.CLOSED for caller in fleet.callers)
    assert closed >= 0.9 * PROCESSES


def test_one_process_with_a_bad_network_opens_nobody_elses() -> None:
    """Nor do two."""
    fleet = Fleet(SEED, shares=True, answers=lambda number, _: number >= 2)
    fleet.world.run_until_ms(10_000)
    assert all(caller.breaker.state is not BreakerState.CLOSED for caller in fleet.callers[:2])
    assert sum(caller.refused for caller in fleet.callers[2:]) == 0


def test_a_rack_with_a_bad_network_costs_the_others_nothing_that_they_can_reach() -> None:
    """Ten of fifty cannot reach it: the forty trust what they see themselves."""
    fleet = Fleet(SEED, shares=True, answers=lambda number, _: number >= 10)
    fleet.world.run_until_ms(10_000)
    assert all(caller.breaker.state is not BreakerState.CLOSED for caller in fleet.callers[:10])
    assert sum(caller.refused for caller in fleet.callers[10:]) == 0


def test_probers_that_die_are_replaced() -> None:
    """All three die without a word while all others wait for them: they wait for four seconds at most."""
    fleet = Fleet(SEED, shares=True)
    fleet.world.run_until_ms(BACK_MS - 1_000)
    word = fleet.node.fleet.word("supplier/order")
    assert word is not None
    assert len(word.probers) == 3
    for caller in fleet.callers:
        caller.alive = caller.name not in word.probers
    fleet.world.run_until_ms(BACK_MS + 4_500)
    assert fleet.states() == {BreakerState.CLOSED}


def test_without_the_control_node_each_decides_for_itself() -> None:
    """It dies in the middle of the outage; what was said stays said, and harms nobody."""
    fleet = Fleet(SEED, shares=True)
    fleet.world.run_until_ms(GONE_MS + 3_000)
    fleet.node.tellers.clear()
    fleet.world.run_until_ms(END_MS)
    assert fleet.states() == {BreakerState.CLOSED}
