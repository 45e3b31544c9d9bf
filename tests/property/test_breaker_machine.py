"""The circuit breaker against a naive model of it, on virtual time: late words, lost probes, callers who leave."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState

FAILURES_MAX, CALLS_MIN, RATIO, PROBES = 3, 6, 0.5, 2
WINDOW_MS, COOL_DOWN_MS, COOL_DOWN_MAX_MS, LEASE_MS = 1_000, 200, 700, 400
LEASE_MAX_MS, SILENT_MAX = 10_000, 16
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
        self.epoch = 1
        self.heard: list[tuple[int, bool]] = []
        self.doublings = -1
        self.closed_ms: int | None = None
        self.opened_ms = 0
        self.probes_out: list[int] = []
        self.before_out: list[tuple[int, int]] = []
        """Probes of earlier stays that are still out: their epoch, and when each began."""
        self.silent: dict[int, int] = {}
        """Stays that ended by silence, since anything else has happened: when each began, by epoch."""
        self.lease_ms, self.stay_ms = LEASE_MS, 0
        self.proven = 0
        self.permits: list[int] = []
        self.old_permits: list[int] = []

    @property
    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    def become(self, state: BreakerState, *, silently: bool = False) -> None:
        self.before_out += [(self.epoch, at_ms) for at_ms in self.probes_out]
        silent = [*self.silent.items(), (self.epoch, self.stay_ms)]
        self.epoch += 1
        self.state = state
        self.old_permits += self.permits
        self.permits = []
        self.probes_out, self.proven = [], 0
        if state is BreakerState.HALF_OPEN:
            self.stay_ms = self.now_ms
        else:
            self.silent = dict(silent[-SILENT_MAX:]) if silently else {}
        if state is BreakerState.CLOSED:
            self.heard, self.closed_ms = [], self.now_ms
            self.lease_ms = LEASE_MS

    @property
    def cool_down_ms(self) -> int:
        return min(COOL_DOWN_MS << self.doublings, COOL_DOWN_MAX_MS)

    def open(self, *, silently: bool = False) -> None:
        if self.closed_ms is not None:
            self.doublings = max(-1, self.doublings - (self.now_ms - self.closed_ms) // CALM_MS)
            self.closed_ms = None
        self.doublings = min(self.doublings + 1, 30)
        self.opened_ms = self.now_ms
        self.become(BreakerState.OPEN, silently=silently)

    def expect_admission(self) -> bool:
        if self.state is BreakerState.CLOSED:
            return True
        if self.state is BreakerState.OPEN:
            if self.now_ms < self.opened_ms + self.cool_down_ms:
                return False
            self.become(BreakerState.HALF_OPEN)
        elif self.probes_out and self.now_ms >= min(self.probes_out) + self.lease_ms:
            self.open(silently=True)
            return False
        self.before_out = [one for one in self.before_out if self.now_ms < one[1] + self.lease_ms]
        if len(self.before_out) + len(self.probes_out) + self.proven >= PROBES:
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
            self.probes_out.pop(0)
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
        """The word of a call from before the last change moves nothing, unless it answers where all was silent."""
        epoch = self.old_permits.pop()
        out = [one for one in self.before_out if one[0] == epoch]
        if out:
            self.before_out.remove(out[0])
        if verdict == "failed":
            self.breaker.failed("late", epoch)
        else:
            getattr(self.breaker, verdict)(epoch)
        if verdict == "succeeded" and epoch in self.silent and self.state is not BreakerState.CLOSED:
            self.end_silence(self.now_ms - self.silent[epoch])

    def end_silence(self, took_ms: int) -> None:
        """As good as an answered probe when no newer one is out; and those that follow may take twice as long."""
        self.lease_ms = max(self.lease_ms, min(2 * took_ms, LEASE_MAX_MS))
        if self.probes_out:
            return
        if self.state is BreakerState.OPEN:
            self.become(BreakerState.HALF_OPEN)
        self.proven += 1
        if self.proven == PROBES:
            self.become(BreakerState.CLOSED)

    @rule(ms=st.one_of(st.integers(0, 50), st.sampled_from([100, 200, 400, 700, 1_000, 60_000])))
    def wait(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @rule()
    def never_wedged(self) -> None:
        """Whatever happened, and if no probe ever reports: of three asks, far enough apart, one is let through."""
        granted = 0
        for _ in range(3):
            self.clock.advance(Duration.from_ms(max(self.lease_ms, COOL_DOWN_MAX_MS)))
            had = len(self.permits)
            self.ask()
            granted += len(self.permits) > had
        assert granted

    @invariant()
    def same_state(self) -> None:
        assert self.breaker.state is self.state


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
