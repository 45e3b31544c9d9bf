"""Nothing is answered as fresh that an unheard invalidation may have made wrong, whatever happens on the way."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.tracked_server import MS_NS, TURN_MS, World

BOUND_MS = 100 + 200 + 2 * TURN_MS
"""Heartbeat and silence, and the turns of the driver in between."""
KEYS = st.sampled_from(["a", "b"])


class TrackingMachine(RuleBasedStateMachine):
    """The truth changes on a server that hangs, dies, is demoted, flushed, cut off; loads begin and end at any time."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.world = World(seed=seed)
        self.version = 0
        self.announced: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
        self.loads: list[tuple[str, int, int]] = []
        self.truth = {"a": 0, "b": 0}
        self.pass_time(50)

    @rule(ms=st.one_of(st.integers(1, 30), st.integers(30, 800)))
    def pass_time(self, ms: int) -> None:
        for _ in range(0, ms, TURN_MS):
            self.world.run(TURN_MS)
            self.nothing_fresh_is_wrong()

    @rule(key=KEYS)
    def change(self, key: str) -> None:
        """Announced to the server that its announcer takes for the primary: when demoted, to another one."""
        if self.world.server.role != b"master" or self.world.announce(key, self.version + 1):
            self.version += 1
            self.truth[key] = self.version
            self.announced[key].append((self.world.now_ns, self.version))

    @rule(key=KEYS)
    def begin_load(self, key: str) -> None:
        self.loads.append((key, self.truth[key], self.world.memory.epoch))

    @rule()
    def end_load(self) -> None:
        if self.loads:
            self.world.memory.put(*self.loads.pop(0))

    @rule(key=KEYS)
    def load(self, key: str) -> None:
        self.world.memory.put(key, self.truth[key], self.world.memory.epoch)

    @rule(fault=st.sampled_from(["flush", "hang", "cut off", "kill", "throw out", "demote", "refuse"]))
    def suffer(self, fault: str) -> None:
        """One more thing goes wrong, after a load, and the truth goes on changing."""
        server = self.world.server
        self.load("a")
        match fault:
            case "flush" if server.alive and not server.hung:
                server.flush()
            case "hang":
                server.hung = server.alive
            case "cut off":
                self.world.swallowed = True
            case "kill":
                server.kill()
            case "throw out":
                server.drop_all()
            case "demote":
                server.role = b"replica"
            case "refuse":
                server.refusal = b"NOPERM no"
        self.change("a")

    @rule(ms=st.integers(0, 2_500))
    def heal(self, ms: int) -> None:
        """All is well again, for a while. Nobody is made a replica and the primary again between two heartbeats."""
        if self.world.server.role != b"master":
            self.pass_time(BOUND_MS)
        self.world.swallowed = self.world.server.hung = False
        self.world.server.refusal = b""
        self.world.server.restart()
        self.pass_time(ms)

    @invariant()
    def nothing_fresh_is_wrong(self) -> None:
        if not hasattr(self, "world"):
            return
        past_ns = self.world.now_ns - BOUND_MS * MS_NS
        for key, version in self.world.memory.versions.items():
            due = [announced for at_ns, announced in self.announced[key] if at_ns <= past_ns]
            assert version >= max(due, default=0), "stale, and answered as fresh"

    @invariant()
    def the_target_is_what_it_is_said_to_be(self) -> None:
        if hasattr(self, "world"):
            assert self.world.memory.proven or not self.world.follower.proven(self.world.now_ns)

    def teardown(self) -> None:
        """All is well again: so it is proven again, and soon."""
        if hasattr(self, "world"):
            self.heal(2_500)
            assert self.world.follower.proven(self.world.now_ns)


TrackingMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
test_tracking = TrackingMachine.TestCase
