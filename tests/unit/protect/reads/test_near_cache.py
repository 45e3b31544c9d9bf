"""The near cache: fresh, stale, bounded, and known to be nothing."""

from tests.recency_policy import Recency

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache
from tenfold.protect.reads.near import Lifetimes, NearBounds, NearParts
from tenfold.protect.reads.near.store import charge_of
from tenfold.telemetry import Registry, render

TTL = Duration.from_s(10)


def cache_with(clock: VirtualClock, registry: Registry | None = None, **bounds: int) -> NearCache:
    return NearCache(
        "price",
        bytes_max=bounds.get("bytes_max", 1 << 20),
        bounds=NearBounds(entries_max=bounds.get("entries_max", 100)),
        ttl=TTL,
        stale=Duration.from_s(60),
        lifetimes=Lifetimes(jitter_ratio=0.0),
        parts=NearParts(policy=Recency()),
        clock=clock,
        registry=registry,
    )


def test_a_value_is_answered_until_its_ttl_is_over() -> None:
    """Fresh means younger than the ttl, to the nanosecond."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1")
    clock.advance(Duration(TTL.ns - 1))
    assert cache.get("a") == cache.hit("a") == b"1"
    clock.advance(Duration(1))
    assert cache.get("a") is cache.hit("a") is None


def test_a_stale_value_can_be_looked_at_until_its_stale_time_is_over() -> None:
    """What is no longer fresh is still the best answer when nobody else has one."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1", 7)
    clock.advance(Duration.from_s(69))
    entry = cache.entry("a")
    assert entry is not None
    assert (entry.value, entry.age, entry.version) == (b"1", Duration.from_s(69), 7)
    assert (entry.fresh, entry.answerable, entry.refresh, entry.proven) == (False, False, False, True)
    clock.advance(Duration.from_s(1))
    assert cache.entry("a") is None


def test_the_age_of_a_value_begins_when_it_was_certainly_true() -> None:
    """What a rung held for a while is as old as that; how long it is fresh here is another matter."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", b"1", age=Duration.from_s(3))
    clock.advance(Duration.from_s(2))
    entry = cache.read("a")
    assert entry is not None
    assert (entry.age, entry.fresh) == (Duration.from_s(5), True)


def test_what_was_asked_for_is_spared_and_what_was_not_goes_first() -> None:
    """The policy hears of every hit, and of a value that is renewed."""
    cache = cache_with(VirtualClock(), entries_max=3)
    for key in "abc":
        cache.put(key, b"1")
    cache.get("a")
    cache.put("b", b"2")
    cache.put("d", b"1")
    assert [key for key in "abcd" if cache.entry(key)] == ["a", "b", "d"]


def test_bytes_are_bounded_with_keys_and_overhead_counted() -> None:
    """Five entries' room holds five entries."""
    room = charge_of("0", bytes(100))
    cache = cache_with(VirtualClock(), bytes_max=5 * room)
    for number in range(9):
        cache.put(str(number), bytes(100))
    assert len(cache) == 5
    assert cache.held_bytes == 5 * room


def test_a_renewed_value_is_charged_what_it_is_now() -> None:
    """Larger, smaller, and larger than the cache: the sum is what lies there."""
    cache = cache_with(VirtualClock(), bytes_max=100_000)
    for size in (10, 5_000, 100, 99, 200_000, 10):
        cache.put("a", bytes(size))
        cache.put("b", b"1")
        expected = charge_of("b", b"1") + (charge_of("a", bytes(size)) if size < 100_000 else 0)
        assert cache.held_bytes == expected


def test_a_key_of_wide_characters_is_charged_for_them() -> None:
    """A character of the store's names may take four bytes."""
    assert charge_of("价" * 100, b"") > charge_of("p" * 100, b"") + 250


def test_a_value_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    """It replaces nothing but the older value of its own key, which is no longer true."""
    cache = cache_with(VirtualClock(), bytes_max=2_000)
    cache.put("a", b"1")
    cache.put("b", bytes(4_000))
    assert cache.get("a") == b"1"
    cache.put("a", bytes(4_000))
    assert cache.entry("a") is None
    assert cache.held_bytes == 0


def test_what_came_together_does_not_expire_together() -> None:
    """Lifetimes are spread over the jitter and never longer than the ttl."""
    clock = VirtualClock()
    cache = NearCache(
        "price", bytes_max=1 << 20, ttl=TTL, lifetimes=Lifetimes(jitter_ratio=0.5), clock=clock, parts=NearParts(seed=7)
    )
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
    cache.put("c", None)
    cache.clear()
    assert (len(cache), cache.held_bytes) == (0, 0)


def test_knowing_that_there_is_nothing_is_an_entry_and_never_stale() -> None:
    """A negative entry answers `read` and `entry`, not `get`, and is gone when its own short ttl is over."""
    clock = VirtualClock()
    cache = cache_with(clock)
    cache.put("a", None, 7)
    for entry in (cache.entry("a"), cache.read("a")):
        assert entry is not None
        assert (entry.value, entry.fresh, entry.answerable, entry.version) == (None, True, True, 7)
    assert cache.get("a") is None
    clock.advance(Duration.from_s(1))
    assert cache.entry("a") is cache.read("a") is None


def test_a_value_takes_the_place_of_nothing_and_nothing_that_of_a_value() -> None:
    """A key is here once."""
    cache = cache_with(VirtualClock())
    cache.put("a", None)
    cache.put("a", b"1")
    assert cache.get("a") == b"1"
    assert (len(cache), cache.absent_entries) == (1, 0)
    cache.put("a", None)
    assert cache.get("a") is None
    assert (len(cache), cache.absent_entries) == (1, 1)


def test_a_flood_of_keys_that_lead_to_nothing_pushes_out_no_value() -> None:
    """They have a quota of their own, a tenth; the oldest of them leave."""
    cache = cache_with(VirtualClock(), entries_max=100)
    for number in range(90):
        cache.put(f"value-{number}", b"1")
    for number in range(10_000):
        cache.put(f"nothing-{number}", None)
    assert all(cache.get(f"value-{number}") for number in range(90))
    assert cache.absent_entries == 10
    assert cache.entry("nothing-9990") is not None


def test_keys_that_lead_to_nothing_come_and_go_without_leaving_anything_behind() -> None:
    """Neither bytes nor places in a line."""
    cache = cache_with(VirtualClock())
    for number in range(10_000):
        cache.put(f"nothing-{number % 7}", None)
        cache.drop(f"nothing-{number % 7}")
    assert cache.held_bytes == 0
    assert len(cache._store.absences._order) <= 64


def test_hits_misses_and_holdings_are_seen_from_outside() -> None:
    """The names are documented in docs/reference/metrics.md."""
    registry = Registry()
    cache = cache_with(VirtualClock(), registry, entries_max=1)
    cache.put("a", b"1")
    cache.get("a")
    cache.hit("a")
    cache.read("a")
    cache.get("b")
    cache.read("b")
    cache.hit("b")
    cache.put("b", b"1")
    text = render(registry).decode()
    for line in (
        'tenfold_near_hits_total{cache="price"} 3',
        'tenfold_near_misses_total{cache="price"} 2',
        'tenfold_near_evictions_total{cache="price"} 1',
        'tenfold_near_entries{cache="price"} 1',
        'tenfold_near_absent_entries{cache="price"} 0',
        'tenfold_near_proven{cache="price"} 1',
        'tenfold_near_on{cache="price"} 1',
        f'tenfold_near_bytes{{cache="price"}} {charge_of("b", b"1")}',
    ):
        assert line in text


def test_one_hit_among_many_is_sampled_and_the_samples_stand_for_all() -> None:
    """Whoever counts weights counts hits, and whoever reads in step is seen all the same."""
    cache = NearCache("price", bytes_max=1 << 20, ttl=TTL, parts=NearParts(sample_every=16))
    weights = dict.fromkeys("abcd", 0)

    def sampled(key: str, weight: int) -> None:
        weights[key] += weight

    cache.sampled = sampled
    for key in weights:
        cache.put(key, b"1")
    for _ in range(10_000):
        for key in weights:
            cache.get(key)
    assert all(8_000 < weight < 12_000 for weight in weights.values())


def test_whoever_is_told_of_samples_may_say_how_many_it_wants() -> None:
    """Every hit at first, and one among a thousand when there are many."""
    cache = NearCache("price", bytes_max=1 << 20, ttl=TTL)
    told: list[int] = []

    def sampled(_key: str, weight: int) -> int:
        told.append(weight)
        return 1 if len(told) < 10 else 1_000

    cache.sampled = sampled
    cache.put("a", b"1")
    for _ in range(9):
        cache.hit("a")
    assert told == [1] * 9
    for _ in range(100_000):
        cache.read("a")
    assert 50 < len(told) < 200
