"""Undo, when a part of what was set is over: at a control node in memory, with a clock that stands still."""

from typing import Any

import pytest
from tests.memory_control import MemoryControl

from tenfold.channel import Change
from tenfold.commands.switch import text
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.switchboard import SwitchOperator
from tenfold.respond.switchboard.operator import ChangedAgain, UndoRefused

REVIEWS = Declaration(name="reviews", kind="boolean", default=True)


class Duty:
    """Ann at the node, who sets and undoes; time passes when she says so, and the node clears up what is over."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.control = MemoryControl(self.clock)
        self.control.declare(REVIEWS)
        self.operator = SwitchOperator(self.control, by="ann", clock=self.clock)  # type: ignore[arg-type]

    def set(self, *, ttl_s: float = 0, value: object = False, **scope: Any) -> int:
        """Its epoch; a second goes by."""
        until_ms = self._now_ms() + round(ttl_s * 1000) if ttl_s else 0
        rule = Rule(value=value, owner="ann", reason="slow", until_ms=until_ms, **scope)
        change = self.operator.put(self.operator.draft_set("reviews", rule), reason="slow", confirmed=True)
        assert isinstance(change, Change)
        self.clock.advance(Duration.from_s(1))
        return change.epoch

    def end(self, after_s: float) -> int:
        """What is over then is taken out, as the node does it."""
        self.clock.advance(Duration.from_s(after_s))
        left = self.record.at(self._now_ms())
        said: dict[str, Any] = {"by": "tenfold", "reason": "was set until then", "confirmed": True}
        change = self.control.put(TOPIC, "reviews", left, **said)
        assert isinstance(change, Change)
        return change.epoch

    def undo(self, change: int | None = None) -> int:
        """The epoch that was undone."""
        draft = self.operator.draft_undo("reviews", change)
        assert isinstance(self.operator.put(draft, reason="fast again", confirmed=True), Change)
        assert draft.undoes is not None
        return draft.undoes.epoch

    @property
    def record(self) -> SwitchRecord:
        change = self.control.get(TOPIC, "reviews")
        return SwitchRecord.read("reviews", change.json if change is not None else None)

    def _now_ms(self) -> int:
        return self.clock.wall_ns() // 1_000_000


@pytest.fixture
def duty() -> Duty:
    return Duty()


@pytest.mark.parametrize("stated", [True, False])
def test_the_end_of_one_rule_does_not_keep_another_from_being_undone(duty: Duty, stated: bool) -> None:
    """The newest entry is the node's own, which took out what was over; the newest change is still ann's."""
    duty.set(ttl_s=60, stores=("7",))
    everywhere = duty.set()
    duty.end(60)
    assert duty.undo(everywhere if stated else None) == everywhere
    assert duty.record == SwitchRecord()


def test_who_names_the_end_undoes_the_change_before_it(duty: Duty) -> None:
    """A page shows the epoch of what is set, and that is the node's entry."""
    duty.set(ttl_s=60, stores=("7",))
    everywhere = duty.set()
    assert duty.undo(duty.end(60)) == everywhere


def test_what_is_over_cannot_be_undone_and_nobody_elses_change_is_taken_for_it(duty: Duty) -> None:
    """It is refused, with the change that could be undone; naming that one works."""
    everywhere = duty.set()
    ended = duty.set(ttl_s=60, stores=("7",))
    duty.end(60)
    for stated in (None, ended):
        with pytest.raises(UndoRefused, match=f"epoch {ended} .* over by now. To take back epoch {everywhere}, by ann"):
            duty.undo(stated)
    assert duty.undo(everywhere) == everywhere
    assert duty.record == SwitchRecord()


def test_nothing_is_left_to_undo_once_all_is_over(duty: Duty) -> None:
    """Also before the node has taken it out of the record, and no epoch is spent on it."""
    epoch = duty.set(ttl_s=60)
    duty.clock.advance(Duration.from_s(60))
    with pytest.raises(UndoRefused, match="over by now"):
        duty.undo(epoch)
    duty.end(0)
    with pytest.raises(UndoRefused, match="over by now"):
        duty.undo()


def test_what_was_undone_comes_back_by_another_undo(duty: Duty) -> None:
    """An undo is a change like any other."""
    duty.set()
    duty.undo()
    assert duty.record == SwitchRecord()
    duty.undo()
    assert [rule.value for rule in duty.record.rules] == [False]


def test_a_newer_change_that_still_holds_stands_in_the_way(duty: Duty) -> None:
    """Undoing the older would take it along; one that is over would not."""
    first = duty.set()
    second = duty.set(stores=("7",), ttl_s=60)
    with pytest.raises(ChangedAgain, match=f"Undo epoch {second} first"):
        duty.undo(first)
    duty.end(60)
    assert duty.undo(first) == first


def test_an_entry_that_changed_nothing_is_looked_through(duty: Duty) -> None:
    """Such were written once; they keep nobody from going back."""
    first = duty.set()
    duty.control.put(TOPIC, "reviews", duty.record, by="ben", reason="a no-op", confirmed=True)
    assert duty.undo() == first


def test_a_change_of_type_only_is_undone() -> None:
    """True and 1 are equal to Python; to whoever reads the switch they are not."""
    duty = Duty()
    duty.control.declare(Declaration(name="reviews", kind="json", default=None))
    duty.set(value={"a": 1})
    typed = duty.set(value={"a": True})
    assert duty.undo() == typed
    assert duty.record.rules[0].value["a"] is not True


def test_a_record_that_cannot_be_read_is_undone_to_what_was_set_before(duty: Duty) -> None:
    """Such an earlier node took; to nothing, when nothing was."""
    duty.control.slip_in("reviews", b"7")
    assert duty.operator.draft_undo("reviews").after == SwitchRecord()
    assert duty.undo() == duty.control.history(TOPIC, "reviews")[1].epoch
    duty.set()
    before = duty.record
    duty.control.slip_in("reviews", b"7")
    duty.undo()
    assert duty.record == before


def test_a_switch_that_was_never_changed_cannot_be_undone(duty: Duty) -> None:
    """In words."""
    with pytest.raises(UndoRefused, match="never changed"):
        duty.undo()


def test_what_undoing_would_touch_says_which_change_it_takes_back(duty: Duty) -> None:
    """The duty officer sees whose it was before and after pressing."""
    duty.set(ttl_s=60, stores=("7",))
    everywhere = duty.set()
    duty.end(60)
    effect = duty.operator.effect(duty.operator.draft_undo("reviews"))
    assert f"  takes back epoch {everywhere}" in text.effect_lines(effect, 0)


def test_a_long_history_is_read_as_far_as_it_takes(duty: Duty) -> None:
    """Longer than one page of it."""
    first = duty.set()
    for _ in range(60):
        duty.set(ttl_s=0.5, stores=("7",))
        duty.end(0)
    assert duty.undo(first) == first
