"""The pure parts of failover between two clusters: the keys read lately, and which cluster is asked."""

from random import Random

import pytest

from tenfold.engines.valkey import Health
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.failover import Failover, FailoverState, Side
from tenfold.protect.reads.recent import RecentKeys
from tenfold.telemetry import EventLog, Registry

WELL = Health(readable=True, primary=True)
HEADLESS = Health(readable=True, primary=False)
GONE = Health(readable=False, primary=False)
MS, S = Duration.from_ms, Duration.from_s


def test_recent_keys_are_bounded_and_forget_the_oldest() -> None:
    """A key stands as often as it was read."""
    recent = RecentKeys(keys_max=3, chance=Random(1))
    for key in "abcdd":
        recent.saw(key)
    assert sorted(recent.sample_reads(10)) == ["c", "d", "d"]
    assert len(recent.sample_reads(2)) == 2


# --- failover


class Pair:
    """A failover on virtual time."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.events = EventLog("test", clock=self.clock)
        self.registry = Registry()
        self.failover = Failover(
            "cache", clock=self.clock, events=self.events, registry=self.registry, stay=S(2), hold=S(1), calm=S(300)
        )

    def state(self) -> FailoverState:
        return self.failover.state

    def examine(
        self, main: Health = WELL, standby: Health = WELL, warmth: float | None = 1.0, *, after: float = 0
    ) -> None:
        """One look, `after` seconds from now."""
        self.clock.advance(S(after))
        self.failover.examined(main, standby, warmth)

    def lose(self) -> None:
        self.failover.doubt(Side.MAIN, "late")
        self.examine(GONE)

    def return_slowly(self) -> None:
        for _ in range(200):
            if self.state() is FailoverState.MAIN:
                return
            self.examine(after=1)
        raise AssertionError("it never returned")


def test_traffic_moves_reads_at_once_and_an_examination_confirms_it() -> None:
    """The standby serves before anybody has confirmed anything."""
    pair = Pair()
    assert pair.failover.asks_main("a")
    pair.failover.doubt(Side.MAIN, "late")
    assert pair.state() is FailoverState.SUSPECTED
    assert not pair.failover.asks_main("a")
    pair.examine(GONE)
    assert pair.state() is FailoverState.STANDBY
    assert [event.kind for event in pair.events] == ["failover-suspected", "failover-standby"]


def test_a_false_alarm_is_over_when_the_main_has_been_well_for_a_while() -> None:
    """Not at the first good word."""
    pair = Pair()
    pair.failover.doubt(Side.MAIN, "late")
    pair.examine(after=1)
    assert pair.state() is FailoverState.SUSPECTED
    pair.examine(after=1)
    assert pair.state() is FailoverState.MAIN


def test_a_main_without_a_primary_is_left_though_its_replica_answers() -> None:
    """Nothing can be written there, so it grows cold; but a standby known to be cold is worse."""
    pair = Pair()
    pair.examine(HEADLESS, warmth=0.5)
    assert pair.state() is FailoverState.MAIN
    pair.examine(HEADLESS, warmth=0.95)
    assert pair.state() is FailoverState.STANDBY


def test_a_main_that_comes_back_empty_before_anybody_noticed_is_left_too() -> None:
    """Its history is another: the restart was faster than the traffic's suspicion."""
    pair = Pair()
    pair.examine(Health(readable=True, primary=True, renewals=1), warmth=None)
    assert pair.state() is FailoverState.STANDBY
    assert list(pair.events)[-1].detail["reason"] == "its data are gone"


def test_the_main_returns_only_when_it_stayed_away_and_is_warm() -> None:
    """Warmth that cannot be measured is not warm."""
    pair = Pair()
    pair.lose()
    pair.examine(warmth=0.95, after=1.9)
    assert pair.state() is FailoverState.STANDBY
    for warmth in (None, 0.0, 0.89):
        pair.examine(warmth=warmth, after=1)
        assert pair.state() is FailoverState.STANDBY
    pair.examine(HEADLESS, warmth=1.0)
    assert pair.state() is FailoverState.STANDBY
    pair.examine(warmth=0.9)
    assert pair.state() is FailoverState.RETURNING


def test_the_main_takes_back_a_growing_fraction_of_the_keys_and_each_key_stays() -> None:
    """10, 25, 50, 100 %: whoever was asked for at a smaller fraction is asked for at a larger one."""
    pair = Pair()
    pair.lose()
    pair.examine(after=2)
    keys = [f"key-{number}" for number in range(10_000)]
    asked: set[str] = set()
    for fraction in (0.1, 0.25, 0.5, 1.0):
        now = {key for key in keys if pair.failover.asks_main(key)}
        assert asked <= now
        assert len(now) / len(keys) == pytest.approx(fraction, abs=0.02)
        asked = now
        pair.examine(after=0.5)
        assert {key for key in keys if pair.failover.asks_main(key)} == now
        pair.examine(after=0.5)
    assert pair.state() is FailoverState.MAIN


def test_a_main_that_is_lost_again_stays_away_twice_as_long() -> None:
    """While returning, or soon after it: no flip-flop; a calm makes it short again."""
    pair = Pair()
    pair.lose()
    pair.examine(after=2)
    assert pair.state() is FailoverState.RETURNING
    pair.lose()
    assert list(pair.events)[-1].detail["stay_ms"] == 4_000
    pair.return_slowly()
    pair.lose()
    assert list(pair.events)[-1].detail["stay_ms"] == 8_000
    pair.return_slowly()
    pair.clock.advance(S(300))
    pair.lose()
    assert list(pair.events)[-1].detail["stay_ms"] == 2_000


def test_when_the_standby_is_lost_the_main_is_asked_whatever_its_state() -> None:
    """By traffic at once while the main answers, and for good once it is confirmed."""
    pair = Pair()
    pair.lose()
    pair.examine(warmth=0.1)
    assert not pair.failover.asks_main("a")
    pair.failover.doubt(Side.STANDBY, "late")
    assert pair.failover.asks_main("a")
    pair.examine(WELL, GONE, None)
    assert pair.state() is FailoverState.MAIN
    pair.examine(WELL, WELL, 0.0)
    assert pair.failover.asks_main("a")


def test_a_main_with_nobody_behind_it_is_not_left_for_a_standby_that_is_gone_too() -> None:
    """Its replica still answers; when nobody answers anywhere, neither is waited for."""
    pair = Pair()
    pair.examine(HEADLESS, GONE, None)
    assert pair.failover.asks_main("a")
    pair.failover.doubt(Side.MAIN, "late")
    pair.examine(GONE, GONE, None)
    assert not pair.failover.asks_main("a")
    pair.examine(HEADLESS, GONE, None)
    assert pair.failover.asks_main("a")


def test_a_person_may_pin_a_side_and_set_it_free() -> None:
    """Whatever is found meanwhile; told with who did it."""
    pair = Pair()
    pair.failover.pin(Side.STANDBY, by="kim")
    assert not pair.failover.asks_main("a")
    assert pair.failover.active is Side.STANDBY
    pair.failover.pin(Side.MAIN, by="kim")
    pair.lose()
    assert pair.failover.asks_main("a")
    pair.failover.pin(None, by="kim")
    assert not pair.failover.asks_main("a")
    pinned = [event for event in pair.events if event.kind == "failover-pinned"]
    assert [event.detail["by"] for event in pinned] == ["kim", "kim"]


def test_a_main_that_fails_whenever_it_is_back_moves_readers_a_few_times_an_hour() -> None:
    """No flip-flop: the stays grow up to two minutes, and a return takes its fractions."""
    pair = Pair()
    ends_ns = pair.clock.monotonic_ns() + S(3_600).ns
    while pair.clock.monotonic_ns() < ends_ns:
        if pair.state() in (FailoverState.MAIN, FailoverState.RETURNING):
            pair.lose()
        pair.examine(after=0.1)
    assert 20 <= sum(event.kind == "failover-suspected" for event in pair.events) <= 40
