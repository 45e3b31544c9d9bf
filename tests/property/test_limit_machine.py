"""The shedder against what must hold at any moment, whatever comes, leaves, gives up, and however the limit moves."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import End, FixedLimit
from tenfold.protect.doors.admission import Fate, Shedder, Ticket

REFUSED = (Fate.SHED, Fate.EXPIRED, Fate.LATE, Fate.GONE)


class ShedderMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.limit = FixedLimit(3)
        self.levels: list[float] = []
        self.shedder = Shedder("model", self.limit, clock=self.clock, on_pressure=self.levels.append)
        self.tickets: list[Ticket] = []
        self.woken: dict[int, int] = {}
        self.attended: set[int] = set()

    def with_fate(self, fate: Fate) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.fate is fate]

    @rule(tier=st.integers(0, 3), tenant=st.sampled_from("abc"), left_ms=st.one_of(st.none(), st.integers(0, 300)))
    def come(self, tier: int, tenant: str, left_ms: int | None) -> None:
        now_ns = self.clock.monotonic_ns()
        before = {id(ticket) for ticket in self.with_fate(Fate.WAITING) if ticket.tier <= tier}
        ticket = (
            self.shedder.enter(tier, tenant)
            if left_ms is None
            else self.shedder.enter(tier, tenant, now_ns + left_ms * 1_000_000)
        )
        self.tickets.append(ticket)
        if ticket.fate is Fate.WAITING:
            number = id(ticket)
            self.attended.add(number)
            self.shedder.attend(ticket, lambda: self.woken.update({number: self.woken.get(number, 0) + 1}))
        if ticket.fate is Fate.ADMITTED and not self.shedder._lines.stands(tier, now_ns):
            still = before & {id(other) for other in self.with_fate(Fate.WAITING)}
            assert not still, "nobody overtakes an equal or a better one"

    @precondition(lambda self: self.with_fate(Fate.ADMITTED))
    @rule(which=st.randoms(use_true_random=False), end=st.sampled_from(End))
    def leave(self, which: object, end: End) -> None:
        ticket = which.choice(self.with_fate(Fate.ADMITTED))  # type: ignore[attr-defined]
        self.shedder.leave(ticket, end)
        self.shedder.leave(ticket, end)

    @precondition(lambda self: self.with_fate(Fate.WAITING))
    @rule(which=st.randoms(use_true_random=False), fate=st.sampled_from((None, Fate.GONE)))
    def give_up(self, which: object, fate: Fate | None) -> None:
        ticket = which.choice(self.with_fate(Fate.WAITING))  # type: ignore[attr-defined]
        self.shedder.give_up(ticket, fate)
        assert ticket.fate in REFUSED

    @rule(length_ms=st.integers(0, 700))
    def wait(self, length_ms: int) -> None:
        self.clock.advance(Duration.from_ms(length_ms))

    @rule(value=st.integers(1, 6))
    def move_limit(self, value: int) -> None:
        self.limit.value = value

    @invariant()
    def counts_are_true(self) -> None:
        assert self.shedder.inflight == len(self.with_fate(Fate.ADMITTED))
        assert self.shedder.waiting == len(self.with_fate(Fate.WAITING))

    @invariant()
    def the_house_is_bounded(self) -> None:
        assert self.shedder.inflight <= 6
        assert self.shedder.waiting <= 12

    @invariant()
    def every_waiter_is_woken_once_when_its_fate_is_known(self) -> None:
        for ticket in self.tickets:
            if id(ticket) in self.attended:
                assert self.woken.get(id(ticket), 0) == (ticket.fate is not Fate.WAITING)

    @invariant()
    def the_pressure_is_a_share(self) -> None:
        assert 0 <= self.shedder.pressure <= 1
        assert self.levels == [
            level for before, level in zip([0.0, *self.levels], self.levels, strict=False) if level != before
        ]

    def teardown(self) -> None:
        """Nothing wedges: when those inside leave, the last is gone and the house is empty."""
        while admitted := self.with_fate(Fate.ADMITTED):
            self.shedder.leave(admitted[0])
        assert (self.shedder.inflight, self.shedder.waiting) == (0, 0)


ShedderMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_shedder_machine = ShedderMachine.TestCase
