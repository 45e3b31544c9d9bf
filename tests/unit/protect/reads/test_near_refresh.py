"""Who refreshes an entry of the near cache: one reader, early by chance or in its grace, and never too many."""

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.near import EarlyRefresh, Entry, Lifetimes, NearCache, NearParts
from tenfold.telemetry import Registry, render

TTL, GRACE, STALE = Duration.from_s(10), Duration.from_s(5), Duration.from_s(60)
LOAD = Duration.from_ms(50)


def cache_with(clock: VirtualClock, early: EarlyRefresh | None = None, registry: Registry | None = None) -> NearCache:
    return NearCache(
        "price",
        bytes_max=1 << 20,
        ttl=TTL,
        grace=GRACE,
        stale=STALE,
        lifetimes=Lifetimes(jitter_ratio=0.0),
        clock=clock,
        parts=NearParts(early=early),
        registry=registry,
    )


def read(cache: NearCache, key: str = "a") -> Entry:
    entry = cache.read(key)
    assert entry is not None
    return entry


def test_in_its_grace_a_value_is_answered_at_once_and_one_reader_is_told_to_refresh() -> None:
    """The others have an answer that costs no more than a fresh one."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(11))
    assert cache.hit("a") is None
    first, second = read(cache), read(cache)
    assert (first.value, first.fresh, first.answerable, first.refresh) == (b"1", False, True, True)
    assert (second.value, second.answerable, second.refresh) == (b"1", True, False)
    assert cache.hit("a") == cache.get("a") == b"1"
    cache.put("a", b"2")
    assert read(cache) == Entry(b"2", Duration(0), True, answerable=True)


def test_a_refresh_that_never_comes_is_asked_for_again() -> None:
    """Whoever was told may have died; after the lease somebody else is told."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(11))
    told = []
    for _ in range(8):
        told.append(read(cache).refresh)
        clock.advance(Duration.from_s(0.5))
    assert told == [True, False] * 4


def test_after_its_grace_a_value_is_only_for_when_nobody_else_can_answer() -> None:
    """A read then waits for a load, and nobody refreshes in the background."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(15))
    assert cache.get("a") is cache.hit("a") is None
    entry = read(cache)
    assert (entry.value, entry.answerable, entry.refresh) == (b"1", False, False)


def test_a_refresh_under_way_does_not_lengthen_a_grace() -> None:
    """RungFound half a second before its end, with a lease of a second: at its end nobody is answered at once."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(14.5))
    assert read(cache).refresh
    clock.advance(Duration.from_s(0.5))
    assert cache.get("a") is cache.hit("a") is None


def test_who_asks_with_get_and_is_told_to_load_is_told_once() -> None:
    """None for one reader, the old value for the others."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(11))
    assert [cache.get("a") for _ in range(5)] == [None, b"1", b"1", b"1", b"1"]


def test_a_refresh_that_hit_passed_up_is_given_to_the_next_who_reads() -> None:
    """`hit` says None until somebody who can refresh has come."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(11))
    assert [cache.hit("a") for _ in range(3)] == [None] * 3
    assert [read(cache).refresh for _ in range(3)] == [True, False, False]


def test_a_hot_key_is_refreshed_before_it_expires_and_by_few() -> None:
    """XFetch: the longer the load, the earlier. A key read each millisecond never expires under its readers."""
    clock = VirtualClock()
    cache = NearCache("price", bytes_max=1 << 20, ttl=TTL, lifetimes=Lifetimes(jitter_ratio=0.0), clock=clock)
    cache.put("a", b"1", load=LOAD)
    refreshed_at_ms: list[int] = []
    for at_ms in range(60_000):
        entry = cache.read("a")
        assert entry is not None
        assert entry.fresh
        if entry.refresh:
            refreshed_at_ms.append(at_ms)
            cache.put("a", b"1", load=LOAD)
        clock.advance(Duration.from_ms(1))
    lives = [later - earlier for earlier, later in zip([0, *refreshed_at_ms], refreshed_at_ms, strict=False)]
    assert 6 <= len(lives) <= 7
    assert all(9_400 < life < 10_000 for life in lives)


def test_the_token_tells_how_long_a_load_took() -> None:
    """So that early refreshes need no word of the caller."""
    clock = VirtualClock()
    cache = cache_with(clock)
    token = cache.begin("a")
    clock.advance(Duration.from_s(2))
    cache.put("a", b"1", token=token)
    clock.advance(Duration.from_s(9.999))
    assert any(read(cache).refresh for _ in range(20))


def test_an_entry_whose_load_is_unknown_or_nothing_is_not_refreshed_early() -> None:
    """There is nothing to calculate with."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration(TTL.ns - 1))
    assert not any(read(cache).refresh for _ in range(1_000))


def test_a_long_load_does_not_have_a_value_refreshed_all_its_life() -> None:
    """Half of its life is quiet, however long its load."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1", load=Duration.from_s(100))
    clock.advance(Duration(TTL.ns // 2 - 1))
    assert not any(read(cache).refresh for _ in range(1_000))
    clock.advance(Duration(1))
    assert any(read(cache).refresh for _ in range(10))


def test_refreshes_are_capped_and_what_is_not_asked_for_is_counted() -> None:
    """A thousand keys in their grace: three are refreshed at once, then ten a second; all are answered."""
    clock, registry = VirtualClock(), Registry()
    cache = cache_with(clock, EarlyRefresh(per_s_max=10, burst=3), registry)
    keys = [str(number) for number in range(1_000)]
    for key in keys:
        cache.put(key, b"1")
    clock.advance(Duration.from_s(11))
    entries = [read(cache, key) for key in keys]
    assert all(entry.answerable for entry in entries)
    assert sum(entry.refresh for entry in entries) == 3
    clock.advance(Duration.from_s(0.2))
    assert sum(read(cache, key).refresh for key in keys) == 2
    text = render(registry).decode()
    assert 'tenfold_near_refreshes_total{cache="price"} 5' in text
    assert 'tenfold_near_refreshes_capped_total{cache="price"} 1992' in text


def test_without_a_grace_nobody_is_told_to_refresh_what_has_expired() -> None:
    """The read that finds it expired loads it itself."""
    clock = VirtualClock()
    cache = NearCache(
        "price", bytes_max=1 << 20, ttl=TTL, stale=STALE, lifetimes=Lifetimes(jitter_ratio=0.0), clock=clock
    )
    cache.put("a", b"1")
    clock.advance(TTL)
    entry = read(cache)
    assert (entry.fresh, entry.answerable, entry.refresh) == (False, False, False)
