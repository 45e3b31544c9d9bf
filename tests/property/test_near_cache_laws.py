"""Laws of the near cache with its own policy, under any sequence of anything."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache
from tenfold.protect.reads.near import ENTRY_OVERHEAD_BYTES, EarlyRefresh, Lifetimes, NearBounds, NearParts, Tombstones

KEYS = st.sampled_from([f"key-{number}" for number in range(12)])
NOTHING = st.none()
ACTIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.one_of(st.none(), st.binary(max_size=400))),
    st.tuples(st.just("get"), KEYS, NOTHING),
    st.tuples(st.sampled_from(["drop", "invalidate"]), KEYS, NOTHING),
    st.tuples(st.sampled_from(["doubt", "prove", "clear"]), st.just(""), NOTHING),
    st.tuples(st.just("wait"), st.just(""), st.integers(0, 3_000)),
)
BYTES_MAX = 6 * ENTRY_OVERHEAD_BYTES
ENTRIES_MAX = 5


@settings(max_examples=200, deadline=None)
@given(st.lists(ACTIONS, max_size=120))
def test_the_cache_is_bounded_and_answers_only_the_newest_value_while_it_is_fresh(actions: list) -> None:  # type: ignore[type-arg]
    """Never over its bytes or entries, never an older value, never one older than the ttl, never one in doubt."""
    clock = VirtualClock()
    cache = NearCache(
        "law",
        bytes_max=BYTES_MAX,
        bounds=NearBounds(entries_max=ENTRIES_MAX, absent_ratio=0.4),
        ttl=Duration.from_s(2),
        lifetimes=Lifetimes(absent_ttl=Duration.from_s(1)),
        stale=Duration.from_s(1),
        clock=clock,
    )
    newest: dict[str, tuple[bytes | None, int]] = {}
    for action, key, argument in actions:
        if action == "put":
            cache.put(key, argument)
            newest[key] = (argument, clock.monotonic_ns())
        elif action == "wait":
            clock.advance(Duration.from_ms(argument))
        elif action == "get":
            expect_truth(cache, key, newest, clock.monotonic_ns())
        elif key:
            getattr(cache, action)(key)
            newest.pop(key, None)
        else:
            getattr(cache, action)()
        if action == "doubt":
            assert not any(cache.get(each) for each in newest)
        assert len(cache) <= ENTRIES_MAX
        assert 0 <= cache.held_bytes <= BYTES_MAX
    for key in list(newest):
        cache.drop(key)
    if all(action != "clear" for action, _, _ in actions):
        assert (len(cache), cache.held_bytes) == (0, 0)


def expect_truth(cache: NearCache, key: str, newest: dict[str, tuple[bytes | None, int]], now_ns: int) -> None:
    value, entry = cache.get(key), cache.entry(key)
    if entry is not None:
        put, put_at_ns = newest[key]
        assert entry.value == put
        assert entry.age.ns == now_ns - put_at_ns < 3_000_000_000
        assert not entry.fresh or entry.age.ns < 2_000_000_000
    assert value == (entry.value if entry is not None and entry.fresh else None)


STEPS = st.lists(st.tuples(st.sampled_from(["begin", "end", "invalidate"]), st.integers(0, 5), st.integers(0, 400)))


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(1, 4))
def test_however_few_tombstones_there_are_no_fill_brings_back_what_was_invalidated(
    steps: list[tuple[str, int, int]], number_max: int
) -> None:
    """A fill that was taken began after the last invalidation of its key; the bound is kept."""
    clock, tombstones = VirtualClock(), Tombstones(number_max=number_max, lifetime=Duration.from_ms(1_000))
    cache = NearCache(
        "law", bytes_max=1 << 20, ttl=Duration.from_s(100), parts=NearParts(tombstones=tombstones), clock=clock
    )
    begun = {str(number): (cache.begin(str(number)), 0) for number in range(6)}
    invalidated: dict[str, int] = {}
    for at, (step, number, ms) in enumerate(steps, start=1):
        key = str(number)
        if step == "begin":
            begun[key] = (cache.begin(key), at)
        elif step == "invalidate":
            cache.invalidate(key)
            invalidated[key] = at
        elif cache.put(key, b"1", token=begun[key][0]):
            assert begun[key][1] > invalidated.get(key, -1)
        clock.advance(Duration.from_ms(ms))
        assert len(tombstones) <= number_max
        assert len(tombstones._order) <= number_max


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 50_000_000), min_size=1, max_size=300),
    st.sampled_from([1.0, 37.0, 1_000.0]),
    st.integers(1, 5),
)
def test_in_no_stretch_of_time_are_more_refreshes_asked_for_than_the_cap(
    waits_ns: list[int], per_s_max: float, burst: int
) -> None:
    """Between any two refreshes lie no more than `burst` and what the rate allows for the time between."""
    early, now_ns = EarlyRefresh(per_s_max=per_s_max, burst=burst), 0
    granted_at_ns = []
    for wait_ns in waits_ns:
        now_ns += wait_ns
        if early.permits(now_ns):
            granted_at_ns.append(now_ns)
    assert granted_at_ns[0] == waits_ns[0]
    for first, from_ns in enumerate(granted_at_ns):
        for count, until_ns in enumerate(granted_at_ns[first:], start=1):
            assert count <= burst + (until_ns - from_ns) * per_s_max / 1e9 + 1e-6


def test_how_early_a_key_is_refreshed_is_as_the_paper_says() -> None:
    """XFetch: at `x` loads before expiry a read wins with a chance of e^-x; steady reads, twenty thousand lives."""
    chance, load_ns = random.Random(11), 1_000_000
    early = EarlyRefresh(beta=1.0, seed=chance.getrandbits(32))
    wins = [sum(early.wins(x * load_ns, load_ns) for _ in range(20_000)) / 20_000 for x in (1, 2, 3)]
    assert all(abs(share - expected) < 0.01 for share, expected in zip(wins, (0.368, 0.135, 0.050), strict=True))
    assert all(earlier > later for earlier, later in pairwise(wins))
