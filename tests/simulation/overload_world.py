"""A dependency with so many slots, an open stream of requests of four tiers, and a shedder between: on virtual time."""

import heapq
import itertools
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tenfold.kernel import Duration
from tenfold.protect.calls.limit import End, Limit
from tenfold.protect.doors.admission import Fate, Shedder, Ticket

SECOND_NS = 1_000_000_000
NOTHING = Duration(0)
MIX = (0.08, 0.12, 0.30, 0.50)
"""By tier, P0 first: its share of what is asked."""


class Hands:
    """A clock whose time is set by the simulation alone."""

    def __init__(self) -> None:
        self.ns = 0

    def monotonic_ns(self) -> int:
        return self.ns

    def wall_ns(self) -> int:
        return self.ns


@dataclass
class Seen:
    """What came of a stretch of simulated time."""

    offered: Counter[int] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    by_tenant: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    response_ns: list[int] = field(default_factory=list)
    response_ns_by_tier: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    answered_in_time: int = 0
    """Before the arrivals ended; the rest was under way then."""

    def answered_ratio(self, tier: int) -> float:
        return self.answered[tier] / max(1, self.offered[tier])

    def goodput_ratio(self, capacity_per_s: float, length: Duration) -> float:
        return self.answered_in_time / (capacity_per_s * length.s)

    def p99_ms(self, tier: int | None = None) -> float:
        ordered = sorted(self.response_ns if tier is None else self.response_ns_by_tier[tier]) or [0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] / 1e6


class OverloadWorld:
    """`slots` requests are worked on at a time, the others wait in the dependency's own queue, unseen."""

    def __init__(self, seed: int, limit: Limit | None = None, *, slots: int = 20, service_ms: float = 80.0) -> None:
        self.chance = random.Random(seed)
        self.clock = Hands()
        self.levels: list[float] = []
        self.shedder = Shedder("world", limit, clock=self.clock, on_pressure=self.levels.append)
        self.slots = slots
        self.service_ms = service_ms
        self.service_of: Callable[[random.Random], float] = lambda chance: chance.uniform(0.75, 1.25)
        """How long one takes, in times of the mean."""
        self.seen = Seen()
        self.settled_ns = 0
        """What came before is not counted."""
        self._ends_ns = 0
        self._busy = 0
        self._queue: deque[Callable[[], None]] = deque()
        self._moments: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def capacity_per_s(self) -> float:
        return self.slots * 1000 / self.service_ms

    def at(self, ns: int, do: Callable[[], None]) -> None:
        heapq.heappush(self._moments, (ns, next(self._order), do))

    def offer(
        self,
        per_s: float,
        length: Duration,
        *,
        mix: tuple[float, ...] = MIX,
        tenant: Callable[[random.Random], str] = lambda chance: "",
        settle: Duration = NOTHING,
    ) -> Seen:
        """Let `length` pass with open arrivals; answers what came of those after `settle`."""
        self.seen = Seen()
        began_ns = self.clock.ns
        self.settled_ns = began_ns + settle.ns
        arrivals = self._arrivals(per_s, began_ns + length.ns, mix, tenant)
        self._next(arrivals)
        self._ends_ns = began_ns + length.ns
        while self._moments:
            self.clock.ns, _, do = heapq.heappop(self._moments)
            do()
        return self.seen

    def _arrivals(
        self, per_s: float, end_ns: int, mix: tuple[float, ...], tenant: Callable[[random.Random], str]
    ) -> Iterator[tuple[int, int, str]]:
        now_ns, tiers = self.clock.ns, range(len(mix))
        while (now_ns := now_ns + int(self.chance.expovariate(per_s) * SECOND_NS)) < end_ns:
            yield now_ns, self.chance.choices(tiers, mix)[0], tenant(self.chance)

    def _next(self, arrivals: Iterator[tuple[int, int, str]]) -> None:
        arrival = next(arrivals, None)
        if arrival is not None:
            self.at(arrival[0], lambda: self._arrive(arrival[1], arrival[2], arrivals))

    def _arrive(self, tier: int, tenant: str, arrivals: Iterator[tuple[int, int, str]]) -> None:
        self._next(arrivals)
        if self.clock.ns >= self.settled_ns:
            self.seen.offered[tier] += 1
        ticket = self.shedder.enter(tier, tenant)
        if ticket.fate is Fate.WAITING:
            self.at(ticket.until_ns, lambda: self.shedder.give_up(ticket))
            self.shedder.attend(ticket, lambda: self._work(ticket))
        else:
            self._work(ticket)

    def _work(self, ticket: Ticket) -> None:
        if ticket.fate is not Fate.ADMITTED:
            return
        if self._busy >= self.slots:
            self._queue.append(lambda: self._begin(ticket))
        else:
            self._begin(ticket)

    def _begin(self, ticket: Ticket) -> None:
        self._busy += 1
        length_ms = self.service_of(self.chance) * self.service_ms
        self.at(self.clock.ns + int(length_ms * 1e6), lambda: self._finish(ticket))

    def _finish(self, ticket: Ticket) -> None:
        self._busy -= 1
        if self._queue and self._busy < self.slots:
            self._queue.popleft()()
        if ticket.came_ns >= self.settled_ns:
            self.seen.answered[ticket.tier] += 1
            self.seen.by_tenant[ticket.tier][ticket.tenant] += 1
            self.seen.answered_in_time += self.clock.ns <= self._ends_ns
            self.seen.response_ns.append(self.clock.ns - ticket.came_ns)
            self.seen.response_ns_by_tier[ticket.tier].append(self.clock.ns - ticket.came_ns)
        self.at(self.clock.ns, lambda: self.shedder.leave(ticket, End.ANSWERED))
