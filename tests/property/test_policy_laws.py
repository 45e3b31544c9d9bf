"""Laws of the near cache's policy, whatever is called in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenfold.protect.reads.near import AdmissionPolicy, Resident
from tenfold.protect.reads.near.duels import DEBT_RATIO, RATIO_MAX

KEYS = [str(number) for number in range(12)]


class PolicyMachine(RuleBasedStateMachine):
    """A cache whose caps may change at any time, and the policy that serves it."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = AdmissionPolicy()
        self.held: dict[str, Resident] = {}
        self.left: list[Resident] = []
        self.most = 0

    @rule(key=st.sampled_from(KEYS), size_bytes=st.integers(0, 1000), times=st.integers(1, 5))
    def ask(self, key: str, size_bytes: int, times: int) -> None:
        if key not in self.held:
            self.held[key] = Resident(key, size_bytes)
            self.policy.came(self.held[key])
            self.most = max(self.most, len(self.held))
        for _ in range(times):
            self.policy.touched(self.held[key])

    @precondition(lambda self: self.held)
    @rule()
    def evict(self) -> None:
        leaver = self.policy.evict()
        assert self.held.pop(leaver.key) is leaver
        self.left.append(leaver)

    @rule(key=st.sampled_from(KEYS))
    def invalidate(self, key: str) -> None:
        resident = self.held.pop(key, None)
        if resident is not None:
            self.policy.went(resident)
            self.left.append(resident)

    @precondition(lambda self: self.left)
    @rule()
    def hear_of_one_who_left(self) -> None:
        self.policy.touched(self.left[-1])
        self.policy.went(self.left[-1])

    @rule()
    def clear(self) -> None:
        self.policy.clear()
        self.left += self.held.values()
        self.held.clear()

    @invariant()
    def everybody_stands_in_one_place(self) -> None:
        segments = self.policy._segments
        lines = (segments.window, segments.probation, segments.protected)
        assert {id(resident) for line in lines for resident in line} == {id(each) for each in self.held.values()}
        assert sum(map(len, lines)) == len(self.policy) == len(self.held)
        assert all(resident.place is line for line in lines for resident in line)

    @invariant()
    def bytes_add_up(self) -> None:
        segments = self.policy._segments
        assert segments.held_bytes == sum(each.size_bytes for each in self.held.values())
        assert segments.window_bytes == sum(each.size_bytes for each in segments.window)
        assert segments.protected_bytes == sum(each.size_bytes for each in segments.protected)

    @invariant()
    def only_residents_are_in_duels(self) -> None:
        duels = self.policy._duels
        rivals = {each.key: each.rival for each in self.held.values() if each.rival is not None}
        assert {spared.key: key for key, (spared, _) in duels._open.items()} == rivals
        assert -DEBT_RATIO <= duels.score <= RATIO_MAX

    @invariant()
    def nobody_who_left_is_held_on_to(self) -> None:
        assert all(each.place is None and each.rival is None for each in self.left)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert self.policy.sketch_bytes <= max(64 * self.most, 512)


PolicyMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestPolicyMachine = PolicyMachine.TestCase
