"""Who is served, who waits and who is refused at a shedder's door."""

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import End, FixedLimit
from tenfold.protect.doors.admission import Fate, Shedder, Ticket
from tenfold.telemetry import EventLog, Registry


class Door:
    """A shedder of two at a time whose service takes 100 ms, on a clock set by hand; calls are listed as they begin."""

    def __init__(self, limit: int = 2) -> None:
        self.clock = VirtualClock()
        self.levels: list[float] = []
        self.registry = Registry()
        self.events = EventLog("test", clock=self.clock)
        self.limit = FixedLimit(limit)
        self.shedder = Shedder(
            "shop",
            self.limit,
            clock=self.clock,
            on_pressure=self.levels.append,
            registry=self.registry,
            events=self.events,
        )
        self.woken: list[Ticket] = []
        self.came: list[Ticket] = []
        for _ in range(100):
            served = self.shedder.enter(0)
            self.pass_ms(100)
            self.shedder.leave(served)

    def pass_ms(self, length_ms: float) -> None:
        self.clock.advance(Duration.from_ms(length_ms))

    def come(self, tier: int, tenant: str = "", *, deadline_ms: float | None = None) -> Ticket:
        if deadline_ms is None:
            ticket = self.shedder.enter(tier, tenant)
        else:
            ticket = self.shedder.enter(tier, tenant, self.clock.monotonic_ns() + round(deadline_ms * 1e6))
        self.came.append(ticket)
        if ticket.fate is Fate.WAITING:
            self.shedder.attend(ticket, lambda: self.woken.append(ticket))
        return ticket

    def fill(self) -> list[Ticket]:
        return [self.come(0) for _ in range(self.limit.value)]

    def stand(self, tier: int) -> None:
        """Let the tier's line stand: it is asked for more than it is served, for a second and a half."""
        for _ in range(150):
            self.come(tier)
            self.pass_ms(10)
            for ticket in list(self.waiting):
                if self.clock.monotonic_ns() >= ticket.until_ns:
                    self.shedder.give_up(ticket)

    @property
    def waiting(self) -> list[Ticket]:
        """The best tier first."""
        return sorted((one for one in self.came if one.fate is Fate.WAITING), key=lambda ticket: ticket.tier)


def test_as_many_are_served_as_the_limit_says_and_the_next_waits() -> None:
    """Until one leaves."""
    door = Door()
    first, second = door.fill()
    third = door.come(3)
    assert (first.fate, second.fate, third.fate) == (Fate.ADMITTED, Fate.ADMITTED, Fate.WAITING)
    door.shedder.leave(first)
    assert third.fate is Fate.ADMITTED
    assert door.woken == [third]


def test_the_best_tier_is_next_whoever_came_first() -> None:
    """P0 before P1 before P2 before P3."""
    door = Door(1)
    (serving,) = door.fill()
    waiting = [door.come(tier) for tier in (3, 2, 1, 0)]
    for _ in range(4):
        door.shedder.leave(serving)
        serving = door.woken[-1]
    assert door.woken == waiting[::-1]


def test_a_full_house_makes_room_for_the_better_by_turning_out_the_lowest() -> None:
    """And refuses the lowest at the door, without turning anybody out."""
    door = Door(4)
    door.fill()
    low = [door.come(3) for _ in range(8)]
    assert door.come(3).fate is Fate.SHED
    better = door.come(1)
    assert better.fate is Fate.WAITING
    assert [ticket.fate for ticket in low].count(Fate.SHED) == 1


def test_whoever_has_waited_in_vain_is_told_so() -> None:
    """A request of a lower tier waits as long as one takes to be served, no longer."""
    door = Door()
    door.fill()
    ticket = door.come(2)
    assert ticket.until_ns - ticket.came_ns == 100_000_000
    door.clock.advance(Duration(ticket.until_ns - door.clock.monotonic_ns()))
    door.shedder.give_up(ticket)
    assert ticket.fate is Fate.EXPIRED
    assert door.woken == [ticket]
    assert door.shedder.waiting == 0


def test_work_whose_deadline_has_passed_is_not_begun() -> None:
    """Neither at the door nor when its turn comes."""
    door = Door()
    first, _ = door.fill()
    assert door.come(0, deadline_ms=0).fate is Fate.LATE
    waits = door.come(0, deadline_ms=10)
    door.pass_ms(11)
    door.shedder.leave(first)
    assert waits.fate is Fate.LATE
    assert door.shedder.inflight == 1


def test_a_caller_who_leaves_gives_the_place_to_somebody_else() -> None:
    """Whether it waited or had just been called."""
    door = Door(1)
    (serving,) = door.fill()
    gone, called, last = (door.come(0) for _ in range(3))
    door.shedder.give_up(gone, Fate.GONE)
    door.shedder.leave(serving)
    assert (gone.fate, called.fate) == (Fate.GONE, Fate.ADMITTED)
    door.shedder.leave(called, End.IGNORED)
    door.shedder.leave(called, End.IGNORED)
    assert last.fate is Fate.ADMITTED
    assert door.shedder.inflight == 1


def test_below_a_line_that_stands_nobody_is_let_in() -> None:
    """A refusal costs next to nothing then; the tiers above are not concerned."""
    door = Door()
    door.fill()
    door.stand(1)
    assert [door.come(tier).fate for tier in (3, 2)] == [Fate.SHED, Fate.SHED]
    assert door.come(0).fate is Fate.WAITING


def test_a_line_that_stands_serves_the_newest_and_one_that_moves_the_oldest() -> None:
    """The old ones of a line that stands have given up or will (adaptive LIFO)."""
    for stands in (False, True):
        door = Door(8)
        first, *_ = door.fill()
        if stands:
            door.stand(1)
            for ticket in door.waiting:
                door.shedder.give_up(ticket)
        oldest, _, newest = (door.come(1) for _ in range(3))
        door.shedder.leave(first)
        assert (oldest.fate is Fate.ADMITTED) is not stands
        assert (newest.fate is Fate.ADMITTED) is stands


def test_a_line_that_stood_is_a_line_again_when_nobody_was_refused_for_a_while() -> None:
    """It does not shed for ever."""
    door = Door()
    first, _ = door.fill()
    door.stand(1)
    for ticket in door.waiting:
        door.shedder.give_up(ticket)
    door.pass_ms(1_500)
    assert door.come(3).fate is Fate.WAITING
    door.shedder.leave(first)


def test_of_one_tier_the_greedy_tenant_makes_room_for_the_modest() -> None:
    """A noisy store fills the line; another store's first request turns one of its out."""
    door = Door(4)
    door.fill()
    noisy = [door.come(2, "noisy") for _ in range(8)]
    assert door.come(2, "noisy").fate is Fate.SHED
    modest = door.come(2, "modest")
    assert modest.fate is Fate.WAITING
    assert [ticket.fate for ticket in noisy].count(Fate.SHED) == 1


def test_shields_are_asked_to_leave_before_a_request_of_a_better_tier_hears_its_refusal() -> None:
    """The level is 0.25 when P3 is refused, 0.5 for P2, 0.75 for P1, 1 for P0."""
    door = Door(4)
    door.fill()
    for tier, level in ((3, 0.25), (2, 0.5), (1, 0.75), (0, 1.0)):
        heard = []
        for _ in range(9):
            ticket = door.shedder.enter(tier)
            heard.append((ticket.fate, door.levels[-1:]))
        assert heard[-1] == (Fate.SHED, [level])
    assert door.levels == [0.25, 0.5, 0.75, 1.0]


def test_shields_are_asked_to_leave_before_whoever_waited_in_vain_hears_so() -> None:
    """When the loop is late it is a leaving request that finds whose wait was too long."""
    door, heard = Door(1), list[tuple[Fate, list[float]]]()
    (serving,) = door.fill()
    waits = door.shedder.enter(3)
    door.shedder.attend(waits, lambda: heard.append((waits.fate, list(door.levels))))
    door.pass_ms(300)
    door.shedder.leave(serving)
    assert heard == [(Fate.EXPIRED, [0.25])]


def test_shields_are_asked_to_leave_before_whoever_is_turned_out_hears_so() -> None:
    """A better request needs the room; one of another thread may attend only after that, and hears it no sooner."""
    door, heard = Door(1), list[tuple[Fate, list[float]]]()
    door.fill()
    first, second = [door.shedder.enter(3) for _ in range(8)][:2]

    def hear(ticket: Ticket) -> None:
        heard.append((ticket.fate, list(door.levels)))

    door.shedder.attend(first, lambda: hear(first))
    door.come(0)
    door.come(0)
    door.shedder.attend(second, lambda: hear(second))
    assert heard == [(Fate.SHED, [0.25])] * 2


def test_the_pressure_falls_by_itself_when_nobody_is_refused() -> None:
    """Five seconds after the last refusal; looking is enough, and it is an event each time."""
    door = Door(1)
    door.fill()
    for _ in range(9):
        door.come(3)
    assert door.shedder.pressure == 0.25
    door.pass_ms(5_000)
    assert door.shedder.pressure == 0.0
    assert door.levels == [0.25, 0.0]
    assert [event.detail["level"] for event in door.events if event.subject == "shop"] == [0.25, 0.0]


def test_every_request_is_counted_once_by_tier_and_fate() -> None:
    """What came in is what was admitted and what was not."""
    door = Door(1)
    (serving,) = door.fill()
    for tier in (3, 3, 2, 1):
        door.come(tier)
    door.come(0, deadline_ms=-1)
    door.shedder.give_up(door.waiting[0], Fate.GONE)
    door.shedder.leave(serving)
    family = door.registry.counter("tenfold_admission_requests_total", "", ("shedder", "tier", "fate"))
    counts = {words[1:]: child.value for words, child in family if child.value}
    assert counts == {("P0", "admitted"): 101, ("P0", "late"): 1, ("P1", "gone"): 1, ("P2", "admitted"): 1}


def test_a_closed_event_loop_costs_no_place() -> None:
    """Whoever cannot be woken is gone, and the next is called."""
    door = Door(1)
    (serving,) = door.fill()
    deaf, hearing = door.shedder.enter(0), door.come(0)

    def cannot() -> None:
        raise RuntimeError("Event loop is closed")

    door.shedder.attend(deaf, cannot)
    door.shedder.leave(serving)
    assert (deaf.fate, hearing.fate) == (Fate.GONE, Fate.ADMITTED)
    assert door.shedder.inflight == 1
