"""Hot keys in one process: found by reads, held near, refreshed by one, let go."""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tenfold.channel import Process as ChannelProcess
from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.hot import HotKey, HotKeys, HotReport, HotSet, Seen, link_hot_keys
from tenfold.protect.reads.hot.pinned_key import digest_of
from tenfold.protect.reads.near import Lifetimes, NearCache
from tenfold.telemetry import EventLog, Registry

HOLD = Duration.from_s(1)


class Process:
    """Hot keys over a near cache, with everything they ask for and say written down."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.near = NearCache(
            "price", bytes_max=1 << 20, ttl=Duration.from_ms(100), clock=self.clock, lifetimes=Lifetimes(jitter_ratio=0)
        )
        self.refreshes: list[str] = []
        self.reports: list[HotReport] = []
        self.registry = Registry()
        self.events = EventLog("test", clock=self.clock)
        self.hot = HotKeys(
            "price",
            send=self.reports.append,
            hold=HOLD,
            clock=self.clock,
            registry=self.registry,
            events=self.events,
        )
        self.hot.attach(self.near, self.refreshes.append)

    def read(self, key: str, times: int = 20, *, every_ms: float = 1) -> None:
        for _ in range(times):
            self.clock.advance(Duration.from_ms(every_ms))
            self.hot.saw(key)

    def climb(self, key: str, value: bytes | None, version: int) -> None:
        token = self.near.begin(key)
        self.near.put(key, value, version, token=token, ttl=self.hot.found(key, value, version))

    def told(self, key: str, value: bytes, version: int, *, age_ms: int = 0, by: str = "another") -> None:
        wall_ms = self.clock.wall_ns() // 1_000_000
        seen = Seen(version, digest_of(value), wall_ms - age_ms, wall_ms - age_ms)
        self.hot.notified(HotSet(wall_ms, [HotKey(key, 0.2, seen, by)]))

    def is_fresh(self, key: str) -> bool:
        entry = self.near.entry(key)
        return entry is not None and entry.fresh

    def pass_ms(self, length_ms: float) -> None:
        self.clock.advance(Duration.from_ms(length_ms))


@pytest.fixture
def process() -> Process:
    return Process()


def test_what_is_read_often_is_hot_and_held_longer(process: Process) -> None:
    """A hot value is held for the hold, and not for the near cache's own ttl, which every other has."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.climb("cold", b"1", 7)
    process.pass_ms(500)
    assert process.hot.keys() == ["hot"]
    assert (process.is_fresh("hot"), process.is_fresh("cold")) == (True, False)


def test_a_held_key_is_asked_for_anew_before_it_expires_and_once_at_a_time(process: Process) -> None:
    """Reads drive it: after 0.4 of the hold the next one asks, and those after it do not."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.refreshes.clear()
    process.read("hot", 300)
    assert process.refreshes == []
    process.read("hot", 200)
    assert process.refreshes == ["hot"]


def test_a_refresh_that_never_comes_is_asked_for_again(process: Process) -> None:
    """A quarter of the hold is its time; a ladder that is full just now is no reason to give up."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.refreshes.clear()
    process.read("hot", 700)
    assert process.refreshes == ["hot", "hot"]


def test_another_process_seeing_the_same_value_saves_the_read(process: Process) -> None:
    """Same content, seen a moment ago: held longer, and nobody is asked for the time that it takes others to look."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.refreshes.clear()
    for _ in range(5):
        process.read("hot", 390)
        process.told("hot", b"1", 7, age_ms=20)
    assert process.refreshes == []
    assert process.is_fresh("hot")


def test_a_new_version_of_the_same_content_is_taken_over_without_a_read(process: Process) -> None:
    """Versions may grow while nothing changes: what counts is the content."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.told("hot", b"1", 9, age_ms=-1)
    entry = process.near.entry("hot")
    assert entry is not None
    assert (entry.value, entry.version, entry.fresh) == (b"1", 9, True)


def test_a_newer_value_seen_elsewhere_throws_ours_out_and_keeps_it_out(process: Process) -> None:
    """After the word of version 9 nobody is answered version 7, not even by a slow fill that was under way."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    slow = process.near.begin("hot")
    process.told("hot", b"2", 9)
    assert process.near.entry("hot") is None
    assert not process.near.put("hot", b"1", 7, token=slow)
    process.climb("hot", b"2", 9)
    assert process.is_fresh("hot")


def test_an_old_sight_changes_nothing(process: Process) -> None:
    """What was seen longer ago than the hold, or of an older version, neither prolongs nor throws out."""
    process.read("hot")
    process.climb("hot", b"2", 9)
    process.told("hot", b"1", 7)
    assert process.is_fresh("hot")
    process.pass_ms(950)
    process.told("hot", b"2", 9, age_ms=1_500)
    process.pass_ms(100)
    assert not process.is_fresh("hot")


def test_what_another_saw_some_time_ago_is_held_for_the_rest_of_the_hold_only(process: Process) -> None:
    """The bound is on the age of the sight, however late the word of it comes."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.pass_ms(650)
    process.told("hot", b"1", 7, age_ms=600)
    process.pass_ms(350)
    assert process.is_fresh("hot")
    process.pass_ms(60)
    assert not process.is_fresh("hot")


def test_what_came_near_by_another_way_is_not_held_on_that_word(process: Process) -> None:
    """Only the very content that another saw is as good as seen."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.near.put("hot", b"other", 7, ttl=Duration.from_ms(100))
    process.told("hot", b"1", 7, age_ms=-1)
    process.pass_ms(110)
    assert not process.is_fresh("hot")


def test_what_lies_near_in_doubt_is_not_made_fresh_by_another(process: Process) -> None:
    """A gap in the invalidations is for this process to close, by reading."""
    process.read("hot")
    process.climb("hot", b"1", 7)
    process.near.doubt()
    process.near.prove()
    process.told("hot", b"1", 7, age_ms=-1)
    assert not process.is_fresh("hot")


def test_a_key_that_is_hot_elsewhere_is_fetched_here(process: Process) -> None:
    """Before its first reader comes; and only once, however often it is told."""
    process.told("hot", b"1", 7)
    process.told("hot", b"1", 7)
    assert process.hot.is_hot("hot")
    assert process.refreshes == ["hot"]


def test_what_the_fleet_no_longer_names_is_let_go(process: Process) -> None:
    """At once where nobody reads it here; after patience where the control node is silent."""
    process.told("a", b"1", 7)
    process.told("b", b"1", 7)
    assert process.hot.keys() == ["b"]
    process.pass_ms(6_000)
    assert process.hot.keys() == []


def test_a_set_from_the_past_is_not_believed(process: Process) -> None:
    """A record that lay somewhere for a minute tells of traffic that has been."""
    past = process.clock.wall_ns() // 1_000_000 - 60_000
    process.hot.notified(HotSet(past, [HotKey("hot", 0.2, Seen(), "another")]))
    assert process.hot.keys() == []


def test_a_rise_is_reported_at_once_and_what_was_seen_with_it(process: Process) -> None:
    """Not at the next turn of half a second: the fleet has 300 ms in all."""
    process.read("cold", 1)
    process.read("hot", 25)
    process.climb("hot", b"1", 7)
    process.read("hot", 25)
    reads = [report.reads.get("hot", 0) for report in process.reports]
    assert len(process.reports) <= 5
    assert max(reads) > 8
    assert any("hot" in report.seen for report in process.reports)


def test_reports_are_bounded_whatever_happens(process: Process) -> None:
    """At most one in 20 ms, however many keys rise, and never more than 64 keys in one."""
    for turn in range(1_000):
        process.read(f"k{turn % 90}", 1)
    assert len(process.reports) <= 51
    assert max(len(report.reads) for report in process.reports) <= 64


def test_rising_and_cooling_can_be_seen_from_outside(process: Process) -> None:
    """An event each, with the evidence, and a gauge that says how many are hot now."""
    process.read("hot")
    process.pass_ms(9_000)
    assert process.hot.keys() == []
    kinds = [(event.kind, event.subject) for event in process.events]
    assert kinds == [("hot-key-risen", "price/hot"), ("hot-key-cooled", "price/hot")]
    names = {family.name for family in process.registry}
    assert {"tenfold_hot_keys", "tenfold_hot_risen_total", "tenfold_hot_sketch_bytes"} <= names


def test_a_hit_in_the_near_cache_is_seen_too(process: Process) -> None:
    """What lies near for ever would cool although everybody wants it."""
    process.near.put("hot", b"1", 7, ttl=Duration.from_s(60))
    for _ in range(400):
        process.pass_ms(1)
        assert process.near.get("hot") == b"1"
    assert process.hot.is_hot("hot")


def test_threads_may_read_and_be_told_at_once() -> None:
    """Four readers and the channel's thread on one set of keys: nothing raises, and what is hot is found."""
    near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_s(1))
    hot = HotKeys("price")
    hot.attach(near, lambda key: None)
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for turn in range(5_000):
                hot.saw(f"k{turn % 3_000}")
                hot.saw("hot")
                hot.found("hot", b"1", turn)
        except BaseException as error:
            failures.append(error)

    def tell() -> None:
        try:
            for turn in range(500):
                hot.notified(HotSet(2**62, [HotKey(f"k{turn % 7}", 0.1, Seen(1, "x", 1, 1), "another")]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)] + [threading.Thread(target=tell)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert hot.is_hot("hot")


def test_a_forked_child_begins_with_nothing_and_hangs_on_no_lock(process: Process) -> None:
    """gunicorn forks after import, maybe while a thread counts; and a child is another process to the fleet."""
    process.read("hot", 30)
    process.hot._lock.acquire()
    child = os.fork()
    if child == 0:
        process.hot.saw("hot")
        process.clock.advance(Duration.from_ms(600))
        process.hot.saw("other")
        alien = process.reports[-1].process != process.reports[0].process
        os._exit(0 if process.hot.keys() == [] and alien else 1)
    process.hot._lock.release()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


class Said:
    def __init__(self, key: str, json: bytes | None) -> None:
        self.key = key
        self.json = json


class Channel:
    """Keeps what is reported and lets the test speak for the control node."""

    process = ChannelProcess(id="p1", service="shop")

    def __init__(self) -> None:
        self.reports: list[tuple[str, object]] = []
        self.tell: Callable[[Any], None] = lambda record: None

    def report(self, topic: str, payload: object) -> bool:
        self.reports.append((topic, payload))
        return True

    def subscribe(self, topic: str, on_change: Callable[[Any], None]) -> Callable[[], None]:
        self.tell = on_change
        return lambda: None


def test_a_link_carries_reports_up_and_sets_down(process: Process) -> None:
    """To those whose name it is, and nobody else."""
    channel = Channel()
    link_hot_keys(channel, [process.hot])
    process.read("cold", 30, every_ms=30)
    assert channel.reports[0][0] == "hot-keys"
    wall_ms = process.clock.wall_ns() // 1_000_000
    told = b'{"at_ms":%d,"keys":[["a",0.2,[7,"",0,0],"another"]]}' % wall_ms
    channel.tell(Said("stock", told))
    assert not process.hot.is_hot("a")
    channel.tell(Said("price", told))
    assert process.hot.is_hot("a")
    channel.tell(Said("price", None))
    assert not process.hot.is_hot("a")
