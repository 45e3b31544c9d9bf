"""Laws of the near cache under any sequence of puts, gets, drops and waits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache
from tenfold.protect.near import ENTRY_OVERHEAD_BYTES

KEYS = st.sampled_from([f"key-{number}" for number in range(12)])
ACTIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.one_of(st.none(), st.binary(max_size=400))),
    st.tuples(st.just("get"), KEYS, st.none()),
    st.tuples(st.just("drop"), KEYS, st.none()),
    st.tuples(st.just("wait"), st.just(""), st.integers(0, 3_000)),
)
BYTES_MAX = 6 * ENTRY_OVERHEAD_BYTES
ENTRIES_MAX = 5


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTIONS, max_size=120))
def test_the_cache_is_bounded_and_answers_only_the_newest_value_while_it_is_fresh(actions: list) -> None:  # type: ignore[type-arg]
    """Never over its bytes or entries, never an older value, never one older than the ttl, always fewer than put."""
    clock = VirtualClock()
    cache = NearCache(
        "law",
        bytes_max=BYTES_MAX,
        entries_max=ENTRIES_MAX,
        ttl=Duration.from_s(2),
        stale=Duration.from_s(1),
        clock=clock,
    )
    newest: dict[str, tuple[bytes | None, int]] = {}
    for action, key, argument in actions:
        if action == "put":
            cache.put(key, argument)
            newest[key] = (argument, clock.monotonic_ns())
        elif action == "drop":
            cache.drop(key)
            newest.pop(key, None)
        elif action == "wait":
            clock.advance(Duration.from_ms(argument))
        else:
            expect_truth(cache, key, newest, clock.monotonic_ns())
        assert len(cache) <= ENTRIES_MAX
        assert 0 <= cache.held_bytes <= BYTES_MAX


def expect_truth(cache: NearCache, key: str, newest: dict[str, tuple[bytes | None, int]], now_ns: int) -> None:
    value, entry = cache.get(key), cache.entry(key)
    if entry is not None:
        put, put_at_ns = newest[key]
        assert entry.value == put
        assert entry.age.ns == now_ns - put_at_ns < 3_000_000_000
        assert not entry.fresh or entry.age.ns < 2_000_000_000
    assert value == (entry.value if entry is not None and entry.fresh else None)
