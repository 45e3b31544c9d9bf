"""A breaker cannot be wedged: it finds a dependency that is back, and leaves alone one that is not, after anything."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenfold.protect.calls.breaker import Breaker, Breakers, BreakerState, KeyedBreaker

WHO = {"owner": "machine", "reason": "to see"}
MS = 1_000_000
FOUND_MS = 30_000
"""Longest rest, waiting for others, ramp with doubts: it is found within this time by steady traffic."""
BURSTS_MAX = 5
"""By calls that come in bursts, within so many of them: those that find lost calls, wait for others, probe and ramp."""
BURNT_MAX_PER_S = 25
"""What a dependency that answers nothing may get: probes, and the few that were let through before it was noticed."""


class JumpingClock:
    """Monotonic, or so it says."""

    def __init__(self) -> None:
        self.now_ns = 10**15

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns


class WedgeMachine(RuleBasedStateMachine):
    """Calls that report, report late, twice or never; clocks that jump; forks; hands; words of others."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = JumpingClock()
        self.breakers = Breakers(clock=self.clock, keys_max=3)
        self.whole: Breaker = self.breakers.of("stock", "read")
        self.keyed = self.breakers.of("stock", "read", "store-7")
        self.permits: list[tuple[Breaker | KeyedBreaker, int]] = []

    def either(self, keyed: bool) -> Breaker | KeyedBreaker:
        return self.keyed if keyed else self.whole

    @rule(keyed=st.booleans(), calls=st.integers(1, 30), each_us=st.sampled_from([0, 100, 1_000, 20_000]))
    def ask(self, keyed: bool, calls: int, each_us: int) -> None:
        """Calls begin; they may never be heard of again."""
        for _ in range(calls):
            self.clock.now_ns += each_us * 1_000
            epoch = self.either(keyed).admit()
            if epoch:
                self.permits.append((self.either(keyed), epoch))

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), how=st.sampled_from(["ok", "slow", "failed", "timeout", "left", "twice"]))
    def report(self, data: st.DataObject, how: str) -> None:
        breaker, epoch = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        if how in ("ok", "twice"):
            breaker.succeeded(epoch)
        if how == "slow":
            breaker.succeeded(epoch, took_ns=10**10)
        if how in ("failed", "timeout", "twice"):
            breaker.failed(how, epoch, timeout=how == "timeout")
        if how == "left":
            breaker.abandoned(epoch)

    @rule(keyed=st.booleans(), calls=st.integers(1, 40))
    def break_down(self, keyed: bool, calls: int) -> None:
        for _ in range(calls):
            self.either(keyed).failed("refused")

    @rule(ms=st.sampled_from([1, 100, 300, 1_000, 5_000, 3_600_000, -1, -300, -5_000, -3_600_000]))
    def jump(self, ms: int) -> None:
        self.clock.now_ns += ms * MS

    @rule()
    def fork(self) -> None:
        self.breakers.after_fork()
        for breaker in self.breakers:
            breaker.after_fork()

    @rule(how=st.sampled_from(["suspect", "wait", "wake", "hold open", "hold closed", "isolate", "trust", "release"]))
    def be_told(self, how: str) -> None:
        for breaker in self.breakers:
            if how == "suspect":
                breaker.suspect(others=3)
            elif how == "wait":
                breaker.wait()
            elif how == "wake":
                breaker.wake()
            elif how == "hold open":
                breaker.force_open(**WHO)
            elif how == "hold closed":
                breaker.force_closed(**WHO)
        if how == "isolate":
            self.breakers.isolate("stock", **WHO)
        elif how == "trust":
            self.breakers.trust("stock", **WHO)
        elif how == "release":
            self.release()

    @rule(number=st.integers(0, 10))
    def other_trouble(self, number: int) -> None:
        self.breakers.of("stock", "read", f"other-{number}").failed("refused")

    @invariant()
    def bounded(self) -> None:
        assert sum(1 for _ in self.breakers) <= 2 + 3

    def release(self) -> None:
        self.breakers.release("stock", **WHO)
        for breaker in self.breakers:
            breaker.release(**WHO)

    @rule(keyed=st.booleans())
    def found_when_back(self, keyed: bool) -> None:
        """100 calls a second, each answered: CLOSED in time, whatever was before; lost calls stay lost."""
        self.release()
        breaker = self.either(keyed)
        for _ in range(FOUND_MS // 10):
            self.clock.now_ns += 10 * MS
            epoch = breaker.admit()
            if epoch:
                breaker.succeeded(epoch)
            elif breaker.state is BreakerState.CLOSED:
                raise AssertionError("CLOSED refuses nobody")
        assert breaker.state is BreakerState.CLOSED
        assert breaker.admit()

    @rule(keyed=st.booleans(), took_ms=st.sampled_from([1_200, 3_000]))
    def found_when_back_though_slow(self, keyed: bool, took_ms: int) -> None:
        """100 calls a second, each answered later than a lease: CLOSED in time all the same."""
        self.release()
        breaker = self.either(keyed)
        out: deque[tuple[int, int]] = deque()
        for _ in range(FOUND_MS // 10):
            self.clock.now_ns += 10 * MS
            while out and out[0][0] <= self.clock.now_ns:
                breaker.succeeded(out.popleft()[1])
            epoch = breaker.admit()
            if epoch:
                out.append((self.clock.now_ns + took_ms * MS, epoch))
        assert breaker.state is BreakerState.CLOSED

    @rule(keyed=st.booleans(), every_s=st.sampled_from([5, 10, 60]))
    def found_when_back_by_bursts(self, keyed: bool, every_s: int) -> None:
        """Fifty calls at once now and then, each answered in 20 ms: CLOSED after a few, whatever was before."""
        self.release()
        breaker = self.either(keyed)
        for _ in range(BURSTS_MAX):
            self.clock.now_ns += every_s * 1_000 * MS
            epochs = [epoch for epoch in (breaker.admit() for _ in range(50)) if epoch]
            self.clock.now_ns += 20 * MS
            for epoch in epochs:
                breaker.succeeded(epoch)
        assert breaker.state is BreakerState.CLOSED

    @rule(keyed=st.booleans())
    def left_alone_when_gone(self, keyed: bool) -> None:
        """1,000 calls in a second, none answered: what gets through is a few."""
        self.release()
        breaker = self.either(keyed)
        burnt = 0
        for _ in range(1_000):
            self.clock.now_ns += MS
            epoch = breaker.admit()
            if epoch:
                burnt += 1
                breaker.failed("refused", epoch)
        assert burnt <= BURNT_MAX_PER_S


TestWedgeMachine = WedgeMachine.TestCase
TestWedgeMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
