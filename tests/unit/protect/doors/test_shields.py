"""Features that can be done without: who misses them, why, what is said of it, and what it saved."""

from typing import Any

import msgspec
import pytest
from tests.channel_in_memory import MemoryChannel

from tenfold.channel import Change
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.doors.shields import Feature, Shields
from tenfold.protect.doors.shields.report import SHIELDS
from tenfold.protect.live.switches import DeclarationInvalid, Rule, Switches, SwitchRecord
from tenfold.protect.live.switches.reporter import LOADS_EVERY_MS
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.telemetry import EventLog


class House:
    """A process with two features; its switches are told by hand what a control node would say."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.switches = Switches(clock=self.clock)
        self.events = EventLog("test", clock=self.clock)
        self.shields = Shields(self.switches, events=self.events)
        self.broken = False
        self.reviews = self.shields.declare("reviews", tier="P3", says="what others think", cost="fewer first buys")
        self.images = self.shields.declare(
            "images", tier="P2", says="what it looks like", cost="less appetite", when=lambda: self.broken
        )
        self._epoch = 0

    def set(self, name: str, *rules: Rule) -> None:
        self._epoch += 1
        value = SwitchRecord(rules).json
        raw = msgspec.UNSET if value is None else msgspec.Raw(value)
        self.switches._hear(Change(epoch=self._epoch, topic=TOPIC, key=name, value=raw))

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(event.kind, event.subject) for event in self.events]


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("tier", ["", "P4"])
def test_a_feature_needs_a_tier(house: House, tier: Any) -> None:
    """Without one nobody could say when it goes; its switch is not declared either."""
    with pytest.raises(DeclarationInvalid, match=r"'slots' cannot be declared.* P0, P1, P2 or P3"):
        house.shields.declare("slots", tier=tier, says="when it comes", cost="calls")
    assert house.switches.get("slots") is None
    assert [feature.name for feature in house.shields] == ["reviews", "images"]


def test_a_feature_is_open_until_somebody_shields_it(house: House) -> None:
    """And one that nobody declared is always open: only what is known can be left out."""
    assert house.reviews.open()
    assert house.shields.open("reviews", store="7")
    assert house.shields.open("nobody-declared-this")
    house.set("reviews", Rule(value=False))
    assert not house.reviews.open()
    house.set("reviews")
    assert house.reviews.open()
    assert house.said == [("shield-begun", "reviews"), ("shield-ended", "reviews")]


def test_a_shield_for_a_store_leaves_the_others_alone_and_is_said_all_the_same(house: House) -> None:
    """Somebody misses it, so people should know."""
    house.set("reviews", Rule(value=False, stores=("7",)))
    assert not house.reviews.open(store="7")
    assert house.reviews.open(store="8")
    assert house.said == [("shield-begun", "reviews")]
    house.set("reviews")
    assert house.said[-1] == ("shield-ended", "reviews")


def test_a_shield_for_another_service_or_instance_is_none_here(house: House) -> None:
    """Nobody misses it where it is open to all."""
    with house.switches.following(MemoryChannel(service="api", instance="a"), tended=False):
        for elsewhere in (Rule(value=False, services=("worker",)), Rule(value=False, instances=("b",), stores=("7",))):
            house.set("reviews", elsewhere)
            assert house.reviews.open(store="7")
            assert house.reviews.view.shielded_by == ()
        assert house.said == []
        house.set("reviews", Rule(value=False, services=("api",), instances=("a",), stores=("7",)))
        assert house.reviews.view.shielded_by == ("hand",)


def test_a_percentage_shields_that_share_and_always_the_same_subjects(house: House) -> None:
    house.set("reviews", Rule(value=False, percent=30))
    shut = {n for n in range(2_000) if not house.reviews.open(subject=f"customer-{n}")}
    assert len(shut) == pytest.approx(600, rel=0.15)
    assert shut == {n for n in range(2_000) if not house.reviews.open(subject=f"customer-{n}")}


@pytest.mark.parametrize(
    ("level", "open_"),
    [(0.0, {"reviews", "images"}), (0.25, {"images"}), (0.5, set()), (1.0, set())],
)
def test_load_takes_the_lowest_tier_first(house: House, level: float, open_: set[str]) -> None:
    """P3 at the first sign, P2 when P2 itself is refused."""
    house.shields.press(level)
    assert {feature.name for feature in house.shields if feature.open()} == open_


def test_a_p0_feature_is_never_taken_by_load(house: House) -> None:
    checkout = house.shields.declare("checkout", tier="P0", says="paying", cost="everything")
    house.shields.press(1.0)
    assert checkout.open()


def test_a_rule_of_the_app_shields_while_it_holds_and_one_that_raises_changes_nothing(house: House) -> None:
    house.broken = True
    assert not house.images.open()
    house.broken = False
    assert house.images.open()
    assert house.said == [("shield-begun", "images"), ("shield-ended", "images")]

    def raises() -> bool:
        raise ValueError

    odd = house.shields.declare("odd", tier="P3", says="odd", cost="nothing", when=raises)
    assert odd.open()


def test_causes_overlap_and_the_end_is_the_end_of_the_last(house: House) -> None:
    """Shielded by load and then by hand: over when both are."""
    house.shields.press(0.25)
    house.set("reviews", Rule(value=False))
    house.shields.press(0.0)
    assert house.reviews.view.shielded_by == ("hand",)
    assert house.said == [("shield-begun", "reviews")]
    house.set("reviews")
    assert house.said[1:] == [("shield-ended", "reviews")]


def test_what_it_saved_is_what_was_spared_times_what_one_takes(house: House) -> None:
    """Said when it ends, and to whoever looks."""
    feature: Feature = house.reviews
    for _ in range(4):
        assert feature.open()
        feature.spent(10_000_000)
    house.shields.press(0.25)
    for _ in range(50):
        feature.open()
    house.shields.press(0.0)
    ended = list(house.events)[-1]
    assert (ended.detail["spared"], ended.detail["saved_s"]) == (50, pytest.approx(0.5))
    assert (feature.view.served, feature.view.spared) == (4, 50)
    assert feature.view.saved_s == pytest.approx(0.5)
    house.shields.press(0.25)
    feature.open()
    house.shields.press(0.0)
    assert list(house.events)[-1].detail["spared"] == 1


def test_declared_twice_it_is_one_feature(house: House) -> None:
    again = house.shields.declare("reviews", tier="P3", says="what others think", cost="fewer first buys")
    assert again is house.reviews


def test_what_it_saved_is_unknown_while_none_was_served(house: House) -> None:
    """Shielded from the first request on: nobody knows what one takes, and nothing is not what it saved."""
    assert house.reviews.view.saved_s == 0
    house.shields.press(0.25)
    house.reviews.open()
    assert house.reviews.view.saved_s is None
    house.shields.press(0.0)
    assert list(house.events)[-1].detail["saved_s"] is None


def test_the_control_node_is_told_who_misses_what_and_what_that_saved(house: House) -> None:
    """Along with how often switches are read; also when nobody set anything."""
    channel = MemoryChannel()
    house.broken = True
    for _ in range(3):
        house.reviews.open()
        house.reviews.spent(10_000_000)
        house.images.open()
    house.shields.press(0.25)
    house.reviews.open()
    with house.switches.following(channel, tended=False):
        house.switches.look()
        house.clock.advance(Duration.from_ms(LOADS_EVERY_MS))
        house.switches.look()
    [report] = [payload for topic, payload in channel.reports if topic == SHIELDS]
    assert report["features"] == [
        {"name": "images", "by": ["rule"], "spared": {"rule": 3}, "spent_s": 0.0},
        {
            "name": "reviews",
            "by": ["load"],
            "served": 3,
            "spared": {"load": 1},
            "timed": 3,
            "spent_s": pytest.approx(0.03),
        },
    ]


def test_a_report_that_cannot_be_made_keeps_no_switch_from_going_back(house: House) -> None:
    """Whatever else is told along with the switches is not their matter."""

    def broken() -> object:
        raise RuntimeError("broken on purpose")

    channel = MemoryChannel()
    house.switches.report_also("odd", broken)
    with house.switches.following(channel, tended=False):
        house.set("reviews", Rule(value=False, until_ms=house.clock.wall_ns() // 1_000_000 + 1))
        house.switches.look()
        house.clock.advance(Duration.from_ms(LOADS_EVERY_MS))
        house.switches.look()
        assert house.reviews.open()
    assert house.said[-1] == ("shield-ended", "reviews")
