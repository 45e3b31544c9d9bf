"""The circuit breaker against a naive model of it, on virtual time: late words, lost probes, callers who leave."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState

FAILURES_MAX, CALLS_MIN, RATIO, PROBES = 3, 6, 0.5, 2
WINDOW_MS, COOL_DOWN_MS, COOL_DOWN_MAX_MS, LEASE_MS = 1_000, 200, 700, 400
CALM_MS = 5_000
SLICE_MS = WINDOW_MS // 10


class BreakerMachine(RuleBasedStateMachine):
    """The model keeps every call it has heard of since the breaker was last closed, and when each probe began."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.breaker = Breaker(
            "model",
            clock=self.clock,
            failures_max=FAILURES_MAX,
            window=Duration.from_ms(WINDOW_MS),
            ratio=RATIO,
            calls_min=CALLS_MIN,
            cool_down=Duration.from_ms(COOL_DOWN_MS),
            cool_down_max=Duration.from_ms(COOL_DOWN_MAX_MS),
            probes=PROBES,
            probe_lease=Duration.from_ms(LEASE_MS),
            calm=Duration.from_ms(CALM_MS),
            ramp=Duration(0),
        )
        self.state = BreakerState.CLOSED
        self.heard: list[tuple[int, bool]] = []
        self.doublings = -1
        self.closed_ms: int | None = None
        self.opened_ms = 0
        self.probes_out: list[int] = []
        self.proven = 0
        self.permits: list[int] = []
        self.old_permits: list[int] = []

    @property
    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    def become(self, state: BreakerState) -> None:
        self.state = state
        self.old_permits += self.permits
        self.permits = []
        self.probes_out, self.proven = [], 0
        if state is BreakerState.CLOSED:
            self.heard, self.closed_ms = [], self.now_ms

    @property
    def cool_down_ms(self) -> int:
        return min(COOL_DOWN_MS << self.doublings, COOL_DOWN_MAX_MS)

    def open(self) -> None:
        if self.closed_ms is not None:
            self.doublings = max(-1, self.doublings - (self.now_ms - self.closed_ms) // CALM_MS)
            self.closed_ms = None
        self.doublings = min(self.doublings + 1, 30)
        self.opened_ms = self.now_ms
        self.become(BreakerState.OPEN)

    def expect_admission(self) -> bool:
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN:
            if self.now_ms < self.opened_ms + self.cool_down_ms:
                return False
            self.become(BreakerState.HALF_OPEN)
        elif self.probes_out and self.now_ms >= min(self.probes_out) + LEASE_MS:
            self.open()
            return False
        if len(self.probes_out) + self.proven >= PROBES:
            return False
        self.probes_out.append(self.now_ms)
        return True

    def too_many_failures(self) -> bool:
        in_a_row = 0
        for _, failed in self.heard:
            in_a_row = in_a_row + 1 if failed else 0
        oldest = self.now_ms // SLICE_MS - 10
        recent = [failed for at_ms, failed in self.heard if at_ms // SLICE_MS > oldest]
        return in_a_row >= FAILURES_MAX or (len(recent) >= CALLS_MIN and sum(recent) >= RATIO * len(recent))

    @rule()
    def ask(self) -> None:
        """Admitted exactly when the model says so."""
        expected = self.expect_admission()
        epoch = self.breaker.admit()
        assert bool(epoch) == expected
        if epoch:
            self.permits.append(epoch)

    @precondition(lambda self: self.permits)
    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded(self.permits.pop())
        if self.state is BreakerState.CLOSED:
            self.heard.append((self.now_ms, False))
            return
        self.probes_out.pop(0)
        self.proven += 1
        if self.proven == PROBES:
            self.become(BreakerState.CLOSED)

    @precondition(lambda self: self.permits)
    @rule()
    def fail(self) -> None:
        self.breaker.failed("model", self.permits.pop())
        if self.state is BreakerState.CLOSED:
            self.heard.append((self.now_ms, True))
            if self.too_many_failures():
                self.open()
        else:
            self.open()

    @precondition(lambda self: self.permits)
    @rule()
    def leave(self) -> None:
        """The caller is cancelled: no verdict, and its place is free."""
        self.breaker.abandoned(self.permits.pop())
        if self.state is BreakerState.HALF_OPEN:
            self.probes_out.pop(0)

    @precondition(lambda self: self.old_permits)
    @rule(verdict=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def speak_late(self, verdict: str) -> None:
        """The word of a call from before the last change moves nothing."""
        epoch = self.old_permits.pop()
        if verdict == "failed":
            self.breaker.failed("late", epoch)
        else:
            getattr(self.breaker, verdict)(epoch)

    @rule(ms=st.one_of(st.integers(0, 50), st.sampled_from([100, 200, 400, 700, 1_000, 60_000])))
    def wait(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @rule()
    def never_wedged(self) -> None:
        """Whatever happened, and if no probe ever reports: of three asks, far enough apart, one is let through."""
        granted = 0
        for _ in range(3):
            self.clock.advance(Duration.from_ms(max(LEASE_MS, COOL_DOWN_MAX_MS)))
            had = len(self.permits)
            self.ask()
            granted += len(self.permits) > had
        assert granted

    @invariant()
    def same_state(self) -> None:
        assert self.breaker.state is self.state


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
