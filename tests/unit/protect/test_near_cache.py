"""The near cache: fresh, stale, bounded."""

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache
from tenfold.protect.near import ENTRY_OVERHEAD_BYTES
from tenfold.telemetry import Registry, render

TTL = Duration.from_s(10)


def cache_with(clock: VirtualClock, registry: Registry | None = None, **bounds: int) -> NearCache:
    return NearCache(
        "price",
        bytes_max=bounds.get("bytes_max", 1 << 20),
        entries_max=bounds.get("entries_max", 100),
        ttl=TTL,
        stale=Duration.from_s(60),
        jitter_ratio=0.0,
        clock=clock,
        registry=registry,
    )


def test_a_value_is_answered_until_its_ttl_is_over() -> None:
    """Fresh means younger than the ttl, to the nanosecond."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration(TTL.ns - 1))
    assert cache.get("a") == b"1"
    clock.advance(Duration(1))
    assert cache.get("a") is None


def test_a_stale_value_can_be_looked_at_until_its_stale_time_is_over() -> None:
    """What is no longer fresh is still the best answer when nobody else has one."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration.from_s(69))
    entry = cache.entry("a")
    assert entry is not None
    assert (entry.value, entry.age, entry.fresh) == (b"1", Duration.from_s(69), False)
    clock.advance(Duration.from_s(1))
    assert cache.entry("a") is None


def test_knowing_that_there_is_nothing_is_an_entry_and_never_stale() -> None:
    """A negative entry answers `entry`, not `get`, and is gone when its own ttl is over."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", None, ttl=Duration.from_s(1))
    entry = cache.entry("a")
    assert entry is not None
    assert entry.value is None
    assert cache.get("a") is None
    clock.advance(Duration.from_s(1))
    assert cache.entry("a") is None


def test_what_was_asked_for_is_spared_and_what_was_not_goes_first() -> None:
    """Second chance: a hot key survives a scan."""
    cache = cache_with(VirtualClock(), entries_max=3)
    for key in "abc":
        cache.put(key, b"1")
    cache.get("a")
    cache.put("d", b"1")
    assert [key for key in "abcd" if cache.entry(key)] == ["a", "c", "d"]


def test_bytes_are_bounded_with_keys_and_overhead_counted() -> None:
    """Five entries' room holds five entries."""
    cache = cache_with(VirtualClock(), bytes_max=5 * (ENTRY_OVERHEAD_BYTES + 101))
    for number in range(9):
        cache.put(str(number), bytes(100))
    assert len(cache) == 5
    assert cache.held_bytes == 5 * (ENTRY_OVERHEAD_BYTES + 101)


def test_a_value_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    """It replaces nothing but the older value of its own key, which is no longer true."""
    cache = cache_with(VirtualClock(), bytes_max=1000)
    cache.put("a", b"1")
    cache.put("b", bytes(2000))
    assert cache.get("a") == b"1"
    cache.put("a", bytes(2000))
    assert cache.entry("a") is None
    assert cache.held_bytes == 0


def test_what_came_together_does_not_expire_together() -> None:
    """Lifetimes are spread over the jitter and never longer than the ttl."""
    clock = VirtualClock()
    cache = NearCache("price", bytes_max=1 << 20, ttl=TTL, jitter_ratio=0.5, clock=clock, seed=7)
    for number in range(100):
        cache.put(str(number), b"1")
    clock.advance(Duration.from_s(7.5))
    assert 30 < sum(cache.get(str(number)) is not None for number in range(100)) < 70
    clock.advance(Duration.from_s(2.5))
    assert all(cache.get(str(number)) is None for number in range(100))


def test_dropping_forgets_and_may_be_repeated() -> None:
    """A key that is not here can be dropped."""
    cache = cache_with(VirtualClock())
    cache.put("a", b"1")
    cache.drop("a")
    cache.drop("a")
    assert cache.entry("a") is None
    cache.put("b", b"1")
    cache.clear()
    assert (len(cache), cache.held_bytes) == (0, 0)


def test_hits_misses_and_holdings_are_seen_from_outside() -> None:
    """The names are documented in docs/reference/metrics.md."""
    registry = Registry()
    cache = cache_with(VirtualClock(), registry, entries_max=1)
    cache.put("a", b"1")
    cache.get("a")
    cache.get("b")
    cache.put("b", b"1")
    text = render(registry).decode()
    for line in (
        'tenfold_near_hits_total{cache="price"} 1',
        'tenfold_near_misses_total{cache="price"} 1',
        'tenfold_near_evictions_total{cache="price"} 1',
        'tenfold_near_entries{cache="price"} 1',
        f'tenfold_near_bytes{{cache="price"}} {ENTRY_OVERHEAD_BYTES + 2}',
    ):
        assert line in text
