"""The failover of two clusters under any order of faults, doubts and looks, on virtual time."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tenfold.engines.valkey import Health, Suspicion, Trust
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.failover import Failover, FailoverState, Side

STAY_MS, STAY_MAX_MS, HOLD_MS, CALM_MS = 2_000, 30_000, 1_000, 60_000
WARMTH_MIN = 0.9
HOME = (FailoverState.MAIN, FailoverState.RETURNING)
KEYS = [f"key-{number}" for number in range(50)]

mostly = st.sampled_from([True, True, True, False])
healths = st.builds(Health, readable=mostly, primary=mostly)
warmths = st.one_of(st.none(), st.floats(0, 1), st.floats(0.9, 1))


class FailoverMachine(RuleBasedStateMachine):
    """What must never happen, whatever is said: a return to a cold main, a flip-flop, a reader sent to the dead while
    the living answers."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.failover = Failover(
            "model",
            clock=self.clock,
            stay=Duration.from_ms(STAY_MS),
            stay_max=Duration.from_ms(STAY_MAX_MS),
            hold=Duration.from_ms(HOLD_MS),
            calm=Duration.from_ms(CALM_MS),
            warmth_min=WARMTH_MIN,
        )
        self.main = self.standby = Health(readable=True, primary=True)
        self.left_ms = 0

    @property
    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    @rule(side=st.sampled_from(Side))
    def doubt(self, side: Side) -> None:
        before = self.failover.state
        self.failover.doubt(side, "model")
        if side is Side.MAIN:
            self.main = self.main._replace(readable=False)
        else:
            self.standby = self.standby._replace(readable=False)
        assert self.failover.state in (before, FailoverState.SUSPECTED)
        self.note(before)

    @rule(main=healths, standby=healths, warmth=warmths, renewed=st.sampled_from([False, False, False, True]))
    def examine(self, main: Health, standby: Health, warmth: float | None, renewed: bool) -> None:
        before = self.failover.state
        main = main._replace(renewals=self.main.renewals + renewed)
        self.main, self.standby = main, standby
        ratio_before = self.failover.main_ratio
        self.failover.examined(main, standby, warmth)
        after = self.failover.state
        well = main.readable and main.primary and not renewed
        if before is FailoverState.STANDBY and after is FailoverState.RETURNING:
            assert self.warm(warmth)
        if before not in HOME and after in HOME:
            assert well
            assert self.now_ms - self.left_ms >= STAY_MS or not standby.readable
        if before is FailoverState.STANDBY and after is FailoverState.MAIN:
            assert not standby.readable
        if before is FailoverState.RETURNING and after in HOME and standby.readable and not self.warm(warmth):
            assert self.failover.main_ratio <= ratio_before
        if standby.readable and not main.readable:
            assert after is FailoverState.STANDBY
        self.note(before)

    @rule(ms=st.one_of(st.integers(0, 200), st.sampled_from([500, 1_000, 2_000, 4_000, 30_000, 60_000])))
    def wait(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @rule(warmths=st.lists(warmths, min_size=1, max_size=8), ms=st.sampled_from([100, 1_000, 2_000]))
    def look_again_and_again(self, warmths: list[float | None], ms: int) -> None:
        """Both are well; only the warmth changes."""
        for warmth in warmths:
            self.wait(ms)
            self.examine(Health(True, True), Health(True, True), warmth, False)

    @rule()
    def recover(self) -> None:
        """Whatever happened: when both are well and warm for long enough, the main serves everything again."""
        renewals = self.main.renewals
        self.main = Health(True, True, renewals)
        self.standby = Health(True, True, self.standby.renewals)
        for _ in range(8):
            self.clock.advance(Duration.from_ms(STAY_MAX_MS))
            self.failover.examined(self.main, self.standby, 1.0)
        assert self.failover.state is FailoverState.MAIN
        assert all(self.failover.asks_main(key) for key in KEYS)

    @staticmethod
    def warm(warmth: float | None) -> bool:
        return warmth is not None and warmth >= WARMTH_MIN

    def note(self, before: FailoverState) -> None:
        """When the main was left; being sent away by doubt and then confirmed is one leaving."""
        after = self.failover.state
        if before in HOME and after not in HOME:
            self.left_ms = self.now_ms

    @invariant()
    def somebody_who_answers_is_asked(self) -> None:
        """While one side answers and the other does not, nobody is sent to the dead one, once it is known."""
        if self.main.readable and not self.standby.readable:
            assert all(self.failover.asks_main(key) for key in KEYS)
        if self.failover.state in (FailoverState.STANDBY, FailoverState.SUSPECTED) and self.standby.readable:
            assert not any(self.failover.asks_main(key) for key in KEYS)


class SuspicionMachine(RuleBasedStateMachine):
    """A server under any order of failures, answers and probes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.suspicion = Suspicion(
            clock=self.clock, failures_max=3, stay=Duration.from_ms(50), stay_max=Duration.from_ms(400)
        )
        self.left_ms = 0

    @property
    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    @rule(ms=st.sampled_from([1, 10, 50, 100, 400, 60_000]))
    def wait(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @rule()
    def answer(self) -> None:
        """Traffic clears nobody."""
        before = self.suspicion.state
        self.suspicion.answered()
        assert self.suspicion.state is before

    @rule()
    def fail(self) -> None:
        before = self.suspicion.state
        became = self.suspicion.failed()
        assert became == (before is Trust.TRUSTED and self.suspicion.state is Trust.SUSPECTED)
        self.left_ms = self.now_ms if became else self.left_ms

    @rule(answers=st.booleans())
    def probe(self, answers: bool) -> None:
        before = self.suspicion.state
        self.suspicion.probed(answers)
        after = self.suspicion.state
        if before is Trust.TRUSTED and after is not Trust.TRUSTED:
            self.left_ms = self.now_ms
        if before is not Trust.TRUSTED and after is Trust.TRUSTED:
            assert answers
            assert self.now_ms - self.left_ms >= 50
        if not answers:
            assert after is not Trust.TRUSTED

    @rule()
    def recover(self) -> None:
        """A server that answers its probes is trusted again within the longest stay."""
        self.clock.advance(Duration.from_ms(400))
        self.suspicion.probed(True)
        assert self.suspicion.state is Trust.TRUSTED


TestFailoverMachine = FailoverMachine.TestCase
TestFailoverMachine.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestSuspicionMachine = SuspicionMachine.TestCase
TestSuspicionMachine.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
