"""The search for the highest rate that is held."""

import pytest
from benchmarks.search import FLOOR_RPS, LEAP, MISSES, RESOLUTION, STEP, Search
from hypothesis import given
from hypothesis import strategies as st


def finish(search: Search, limit_rps: float) -> int:
    """Let a system that holds exactly `limit_rps` be searched; answers how often it was tried."""
    tries = 0
    while search.next_rps is not None:
        search.tell(held=search.next_rps <= limit_rps)
        tries += 1
    return tries


@given(st.floats(50, 50_000), st.floats(20, 20_000), st.sampled_from([LEAP, STEP]))
def test_a_search_ends_just_below_the_limit(limit_rps: float, first_rps: float, leap: float) -> None:
    """What is found is held, and is within the resolution of what is not."""
    search = Search(first_rps, leap=leap)
    finish(search, limit_rps)
    assert search.held_rps <= limit_rps <= search.missed_rps <= search.held_rps * RESOLUTION


def test_a_search_that_knows_where_to_begin_is_short() -> None:
    """Later rounds begin where an earlier one ended: seven tries instead of a dozen."""
    assert finish(Search(3_900, leap=STEP), 4_000) <= 7 < finish(Search(200), 4_000)


def test_a_stumble_is_not_a_limit() -> None:
    """A rate that is missed once and then held is held."""
    search = Search(100)
    search.tell(held=False)
    assert search.next_rps == 100
    search.tell(held=True)
    assert search.held_rps == 100
    assert search.next_rps == 100 * LEAP


def test_what_holds_nothing_is_given_up() -> None:
    """A system that answers nobody is not searched for ever, and its figure is zero."""
    search = Search(100)
    assert finish(search, 0) < 20
    assert search.held_rps == 0
    assert search.missed_rps / LEAP < FLOOR_RPS


def test_looks_are_short_while_the_limit_is_far() -> None:
    """Once a rate was missed twice, every further look is a long one."""
    search = Search(100)
    assert search.is_rough
    for _ in range(MISSES):
        search.tell(held=False)
    assert not search.is_rough
    assert not Search(100, leap=STEP).is_rough


def test_a_search_of_one_look_is_over_after_it() -> None:
    """Held or missed."""
    held, missed = Search(100, looks_max=1), Search(100, looks_max=1)
    held.tell(held=True)
    missed.tell(held=False)
    assert (held.next_rps, held.held_rps) == (None, 100)
    assert (missed.next_rps, missed.held_rps) == (None, 0)


def test_a_search_that_is_over_is_told_nothing_more() -> None:
    """Whoever goes on has lost count."""
    search = Search(100)
    finish(search, 0)
    with pytest.raises(ValueError, match="over"):
        search.tell(held=True)
