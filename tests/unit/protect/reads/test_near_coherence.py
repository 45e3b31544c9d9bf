"""What was invalidated does not come back, and what is in doubt is not answered as fresh."""

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.near import Lifetimes, NearCache, NearParts, Tombstones
from tenfold.telemetry import EventLog, Registry, render

TTL = Duration.from_s(10)


def cache_with(
    clock: VirtualClock | None = None,
    registry: Registry | None = None,
    events: EventLog | None = None,
    tombstones: Tombstones | None = None,
) -> NearCache:
    return NearCache(
        "price",
        bytes_max=1 << 20,
        ttl=TTL,
        stale=Duration.from_s(60),
        lifetimes=Lifetimes(jitter_ratio=0.0),
        parts=NearParts(tombstones=tombstones),
        clock=clock or VirtualClock(),
        registry=registry,
        events=events,
    )


def test_a_fill_begun_before_an_invalidation_is_refused_and_one_begun_after_is_kept() -> None:
    """The classic race: read the old value, hear that it has changed, write the old value."""
    registry = Registry()
    cache = cache_with(registry=registry)
    slow = cache.begin("a")
    cache.invalidate("a")
    assert not cache.put("a", b"old", token=slow)
    assert cache.entry("a") is None
    assert cache.put("a", b"new", token=cache.begin("a"))
    assert cache.get("a") == b"new"
    text = render(registry).decode()
    assert 'tenfold_near_fills_refused_total{cache="price",why="invalidated"} 1' in text
    assert 'tenfold_near_invalidations_total{cache="price"} 1' in text


def test_an_invalidation_of_another_key_refuses_nothing() -> None:
    """Else a busy day would keep the cache empty."""
    cache = cache_with()
    token = cache.begin("a")
    cache.invalidate("b")
    assert cache.put("a", b"1", token=token)


def test_an_invalidation_removes_what_is_there_and_what_is_known_to_be_nothing() -> None:
    """A product that was added is found at once."""
    cache = cache_with()
    cache.put("a", b"1")
    cache.put("b", None)
    cache.invalidate("a")
    cache.invalidate("b")
    assert cache.entry("a") is cache.entry("b") is None


def test_an_older_version_is_refused_by_what_is_held_and_by_a_tombstone() -> None:
    """Per key, larger is newer; the same version again is a renewal."""
    registry = Registry()
    cache = cache_with(registry=registry)
    assert cache.put("a", b"5", 5)
    assert not cache.put("a", b"4", 4)
    assert cache.put("a", b"five", 5)
    cache.put("b", None, 5)
    assert not cache.put("b", b"4", 4)
    cache.invalidate("c", 5)
    assert not cache.put("c", b"4", 4)
    assert cache.put("c", b"5", 5)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"five", None, b"5")
    assert 'tenfold_near_fills_refused_total{cache="price",why="older"} 2' in render(registry).decode()


def test_an_invalidation_leaves_what_is_as_new_as_it_says() -> None:
    """The echo of one's own write costs nothing."""
    cache = cache_with()
    cache.put("a", b"5", 5)
    cache.invalidate("a", 5)
    assert cache.get("a") == b"5"
    cache.invalidate("a", 6)
    assert cache.entry("a") is None


def test_a_version_as_new_as_the_invalidation_is_kept_however_early_its_load_began() -> None:
    """It is certainly the new value."""
    cache = cache_with()
    token = cache.begin("a")
    cache.invalidate("a", 6)
    assert cache.put("a", b"6", 6, token=token)


def test_a_value_of_unknown_version_is_held_against_the_tombstone_by_its_token() -> None:
    """Nothing says that it is new enough."""
    cache = cache_with()
    token = cache.begin("a")
    cache.invalidate("a", 6)
    assert not cache.put("a", b"?", token=token)


def test_of_several_invalidations_of_a_key_the_newest_version_counts() -> None:
    """They may arrive in another order than they were sent."""
    cache = cache_with()
    cache.invalidate("a", 6)
    cache.invalidate("a", 5)
    assert not cache.put("a", b"5", 5)
    assert cache.put("a", b"6", 6)


def test_an_invalidation_without_a_version_is_not_undone_by_a_later_one_with() -> None:
    """A load from before it is refused, whatever its version; one from after it is kept."""
    cache = cache_with()
    before = cache.begin("a")
    cache.invalidate("a")
    between = cache.begin("a")
    cache.invalidate("a", 5)
    assert not cache.put("a", b"7", 7, token=before)
    assert cache.put("a", b"7", 7, token=between)


def test_what_has_expired_for_good_no_longer_refuses_an_older_version() -> None:
    """After a failover a database's log may go on from a smaller number."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"9", 9)
    cache.invalidate("b", 9)
    clock.advance(Duration.from_s(70))
    assert cache.put("a", b"3", 3)
    assert cache.put("b", b"3", 3)


@pytest.mark.parametrize("invalidations", [3, 100])
def test_a_tombstone_that_had_to_go_still_keeps_slow_fills_out(invalidations: int) -> None:
    """What is forgotten costs refused fills of other keys, never an old value."""
    cache = cache_with(tombstones=Tombstones(number_max=2))
    slow, other = cache.begin("0"), cache.begin("other")
    for number in range(invalidations):
        cache.invalidate(str(number))
    assert not cache.put("0", b"old", token=slow)
    assert not cache.put("other", b"1", token=other)
    assert cache.put("other", b"1", token=cache.begin("other"))
    assert len(cache._tombstones) == 2


def test_a_tombstone_whose_time_is_over_goes_and_keeps_slow_fills_out() -> None:
    """A load that took longer than a tombstone lies is refused."""
    clock = VirtualClock()
    cache = cache_with(clock)
    slow = cache.begin("a")
    cache.invalidate("a")
    clock.advance(Duration.from_s(10))
    cache.invalidate("b")
    assert len(cache._tombstones) == 1
    assert not cache.put("a", b"old", token=slow)


def test_a_key_that_is_invalidated_all_the_time_takes_one_place() -> None:
    """And its fill is refused until one begins after the last."""
    cache = cache_with(tombstones=Tombstones(number_max=5))
    for _ in range(100):
        token = cache.begin("a")
        cache.invalidate("a")
        assert not cache.put("a", b"old", token=token)
    assert len(cache._tombstones) == 1
    assert cache.put("a", b"new", token=cache.begin("a"))


def test_what_lay_here_when_doubt_began_is_never_fresh_again_but_better_than_nothing() -> None:
    """A gap in the stream of invalidations: the value may have changed unheard."""
    cache = cache_with()
    cache.put("a", b"1", 7)
    cache.put("b", None)
    cache.doubt()
    for _ in range(2):
        assert cache.get("a") is cache.hit("a") is None
        for entry in (cache.entry("a"), cache.read("a")):
            assert entry is not None
            assert (entry.value, entry.fresh, entry.answerable, entry.refresh) == (b"1", False, False, False)
            assert (entry.proven, entry.version) == (False, 7)
        assert cache.entry("b") is None
        cache.prove()


def test_what_is_filled_in_doubt_is_unproven_and_what_is_filled_after_is_fresh() -> None:
    """Proof begins with the stream, not with the first value after it."""
    cache = cache_with()
    cache.doubt()
    assert cache.put("a", b"1", token=cache.begin("a"))
    assert cache.get("a") is None
    slow = cache.begin("b")
    cache.prove()
    assert cache.get("a") is None
    assert not cache.put("b", b"1", token=slow)
    assert cache.put("a", b"2", token=cache.begin("a"))
    assert cache.get("a") == b"2"


def test_a_fill_begun_before_a_doubt_is_refused() -> None:
    """Everything may have changed since."""
    cache = cache_with()
    token = cache.begin("a")
    cache.doubt()
    cache.prove()
    assert not cache.put("a", b"old", token=token)


def test_doubts_may_follow_each_other_and_nothing_is_lost_or_counted_twice() -> None:
    """Two gaps: values of before the first, between them and after them."""
    cache = cache_with()
    for number in range(10):
        cache.put(f"first-{number}", b"1")
    for gap in range(2):
        cache.doubt()
        cache.prove()
        cache.put(f"gap-{gap}", b"1")
        cache.put("first-0", b"2")
    assert len(cache) == 12
    assert cache.get("first-0") == cache.entry("first-0").value == b"2"  # type: ignore[union-attr]
    assert cache.get("gap-0") is None
    assert cache.get("gap-1") == b"1"
    for number in range(10):
        cache.drop(f"first-{number}")
    cache.drop("gap-0")
    cache.drop("gap-1")
    assert (len(cache), cache.held_bytes) == (0, 0)


def test_clearing_refuses_what_is_being_loaded() -> None:
    """Whoever clears a cache has a reason."""
    cache = cache_with()
    token = cache.begin("a")
    cache.clear()
    assert not cache.put("a", b"old", token=token)


def test_doubt_and_proof_are_events_once_each() -> None:
    """With how much was in the cache."""
    events = EventLog("test")
    cache = cache_with(events=events)
    cache.put("a", b"1")
    cache.doubt()
    cache.doubt()
    cache.prove()
    cache.prove()
    assert [(event.kind, event.detail) for event in events] == [
        ("near-doubted", {"entries": 1, "unproven": 1}),
        ("near-proven", {"entries": 1, "unproven": 1}),
    ]


def test_while_it_is_off_nothing_is_answered_or_kept_and_invalidations_are_heard() -> None:
    """What comes back with it is what is still true."""
    events = EventLog("test")
    cache = cache_with(events=events)
    cache.put("a", b"1")
    cache.put("b", b"1")
    cache.put("c", None)
    cache.off()
    assert [cache.get("a"), cache.hit("a"), cache.read("a"), cache.entry("a"), cache.entry("c")] == [None] * 5
    assert not cache.put("d", b"1")
    cache.invalidate("b")
    cache.enabled = True
    assert (cache.get("a"), cache.get("b"), cache.get("d")) == (b"1", None, None)
    assert [event.kind for event in events] == ["near-off", "near-on"]


def test_a_doubt_that_comes_while_it_is_off_holds_when_it_is_on_again() -> None:
    """The switch proves nothing."""
    cache = cache_with()
    cache.put("a", b"1")
    cache.off()
    cache.doubt()
    cache.on()
    assert cache.get("a") is None
