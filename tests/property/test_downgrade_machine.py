"""The downgrade against a plain model of it, on virtual time: hands, alarms, repairs that fail, caches still wrong."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.downgrade import Downgrade, Phase
from tenfold.protect.reads.ladder import EVERYTHING
from tenfold.telemetry import EventLog

LEAVING, RETURNING = (0.6, 0.0), (0.2, 0.7, 1.0)
LEAVE_MS, RETURN_MS, REST_MS, REST_MAX_MS = 30, 1_000, 2_000, 7_000
CLEAN = 300
KEYS = [f"key-{number}" for number in range(40)]


class DowngradeMachine(RuleBasedStateMachine):
    """The model keeps the phase, since when, who holds it, and what has been sampled since reads began to return."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.events = VirtualClock(), EventLog("model", keep=10)
        self.downgrade = Downgrade(
            "model",
            leaving=LEAVING,
            leave_step=Duration.from_ms(LEAVE_MS),
            returning=RETURNING,
            return_step=Duration.from_ms(RETURN_MS),
            rest=Duration.from_ms(REST_MS),
            rest_max=Duration.from_ms(REST_MAX_MS),
            clock=self.clock,
            events=self.events,
        )

    @initialize()
    def begin_normal(self) -> None:
        self.phase, self.since_ms, self.held = Phase.NORMAL, 0, ""
        self.share, self.clean = 0, False
        self.repair_from_ms, self.rest_ms = 0, REST_MS

    @property
    def now_ms(self) -> int:
        return self.clock.monotonic_ns() // 1_000_000

    def become(self, phase: Phase) -> None:
        self.phase, self.since_ms, self.clean = phase, self.now_ms, False
        if phase is Phase.NORMAL:
            self.held = ""

    def rest(self) -> None:
        self.become(Phase.DOWNGRADED)
        self.repair_from_ms = self.now_ms + self.rest_ms
        self.rest_ms = min(2 * self.rest_ms, REST_MAX_MS)

    @rule(hold=st.booleans(), who=st.sampled_from(["auditor", "li.wei"]))
    def begin(self, hold: bool, who: str) -> None:
        self.held = who if hold else self.held
        away = self.phase in (Phase.DOWNGRADED, Phase.REPAIRING)
        assert self.downgrade.begin(who, hold=hold) == (not away)
        if not away:
            self.become(Phase.DOWNGRADED)
            self.repair_from_ms = self.now_ms

    @rule()
    def release(self) -> None:
        self.downgrade.release("chen.jie")
        self.held = ""

    @rule()
    def end(self) -> None:
        self.downgrade.end("chen.jie")
        if self.phase is not Phase.NORMAL:
            self.become(Phase.NORMAL)

    @rule()
    def begin_repair(self) -> None:
        left = self.now_ms >= self.since_ms + LEAVE_MS * (len(LEAVING) - 1)
        due = self.phase is Phase.DOWNGRADED and left and not self.held and self.now_ms >= self.repair_from_ms
        assert self.downgrade.repair_began() == due
        if due:
            self.become(Phase.REPAIRING)

    @rule(done=st.booleans())
    def end_repair(self, done: bool) -> None:
        """Also when nobody waits for it any more."""
        if done:
            self.downgrade.repaired()
        else:
            self.downgrade.repair_failed("model")
        if self.phase is Phase.REPAIRING and done and not self.held:
            self.become(Phase.RETURNING)
            self.share = 0
        elif self.phase is Phase.REPAIRING:
            self.rest()

    @rule(right=st.booleans())
    def judge(self, right: bool) -> None:
        self.downgrade.judge(CLEAN, 0 if right else CLEAN // 10)
        if self.phase is not Phase.RETURNING:
            return
        if not right and not self.clean:
            self.rest()
            return
        self.clean = True
        if self.now_ms >= self.since_ms + RETURN_MS:
            self.share += 1
            if self.share < len(RETURNING):
                self.become(Phase.RETURNING)
            else:
                self.rest_ms = REST_MS
                self.become(Phase.NORMAL)

    @rule(ms=st.sampled_from([1, 29, 30, 60, 999, 1_000, 2_000, 7_000, 3_600_000]))
    def wait(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @invariant()
    def same_state(self) -> None:
        assert (self.downgrade.phase, self.downgrade.held_by) == (self.phase, self.held)

    @invariant()
    def the_last_event_says_the_phase(self) -> None:
        told = [event.kind for event in self.events if event.kind != "downgrade-released"]
        ended = {Phase.NORMAL: "downgrade-ended", Phase.DOWNGRADED: "downgrade-begun"}
        assert not told or told[-1] == ended.get(self.phase, f"downgrade-{self.phase.value}")

    @invariant()
    def a_strict_read_is_never_sent_where_it_may_be_wrong(self) -> None:
        for key in KEYS[:5]:
            route = self.downgrade.route(key, 0, True)
            assert route.database
            assert (route.cache or route.near) == (self.phase is Phase.NORMAL)

    @invariant()
    def as_many_keys_are_at_the_cache_as_the_phase_says(self) -> None:
        step = min((self.now_ms - self.since_ms) // LEAVE_MS, len(LEAVING) - 1)
        expected = {
            Phase.NORMAL: 1.0,
            Phase.DOWNGRADED: LEAVING[step],
            Phase.REPAIRING: LEAVING[-1],
            Phase.RETURNING: RETURNING[min(self.share, len(RETURNING) - 1)],
        }[self.phase]
        assert self.downgrade.cache_share() == expected
        at_cache = [self.downgrade.route(key) is EVERYTHING for key in KEYS]
        assert all(at_cache) if expected == 1 else not any(at_cache) if expected == 0 else any(at_cache)

    @rule()
    def never_wedged(self) -> None:
        """Whatever happened: released, repaired and clean, it is normal again within its longest rest."""
        self.release()
        for _ in range(2 * len(RETURNING) + 3):
            self.wait(REST_MAX_MS)
            self.begin_repair()
            if self.phase is Phase.REPAIRING:
                self.end_repair(True)
            self.wait(RETURN_MS)
            self.judge(True)
        assert self.downgrade.phase is Phase.NORMAL


TestDowngradeMachine = DowngradeMachine.TestCase
TestDowngradeMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
