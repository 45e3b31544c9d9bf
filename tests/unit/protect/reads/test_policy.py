"""The near cache's policy, driven as the cache drives it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenfold.protect.reads.near import AdmissionPolicy, Resident
from tenfold.protect.reads.near.policy import HEARD_MAX, TOUCHES_MAX, WINDOW_RATIO_MIN


class Cache:
    """The least that the policy works for: a table and a cap in bytes."""

    def __init__(self, bytes_max: int) -> None:
        self.policy = AdmissionPolicy()
        self.table: dict[str, Resident] = {}
        self.held_bytes = self.misses = 0
        self._bytes_max = bytes_max

    def ask(self, key: str, size_bytes: int = 1) -> bool:
        resident = self.table.get(key)
        if resident is not None:
            self.policy.touched(resident)
            return True
        self.misses += 1
        self.table[key] = resident = Resident(key, size_bytes)
        self.held_bytes += size_bytes
        self.policy.came(resident)
        while self.held_bytes > self._bytes_max:
            leaver = self.policy.evict()
            assert self.table.pop(leaver.key) is leaver
            self.held_bytes -= leaver.size_bytes
        return False

    def misses_of(self, keys: Iterable[object]) -> int:
        before = self.misses
        for key in keys:
            self.ask(str(key))
        return self.misses - before


def test_a_scan_passes_through_and_leaves_the_asked_for_in_place() -> None:
    """Ten times the cache's size of keys that are asked for once cost next to nothing."""
    cache = Cache(100)
    for _ in range(5):
        cache.misses_of(range(90))
    cache.misses_of(f"scan-{number}" for number in range(1000))
    assert cache.misses_of(range(90)) <= 2


def test_a_loop_larger_than_the_cache_is_held_in_part() -> None:
    """An LRU would hold none of it when its turn comes."""
    cache = Cache(100)
    for _ in range(20):
        cache.misses_of(range(150))
    assert cache.misses_of(range(150)) <= 60


def test_a_loop_that_is_all_hits_is_not_forgotten_before_the_next_arrival() -> None:
    """Its touches all lie in the buffer when something arrives at last."""
    cache = Cache(HEARD_MAX)
    for _ in range(3):
        cache.misses_of(range(HEARD_MAX))
    cache.misses_of(f"scan-{number}" for number in range(HEARD_MAX))
    assert cache.misses_of(range(HEARD_MAX)) <= HEARD_MAX // 50


def test_when_the_new_is_what_is_asked_for_the_window_takes_nearly_all() -> None:
    """Each key is asked for again after 40 others, and then never: what an LRU holds without a miss."""
    cache = Cache(100)
    cache.misses_of(range(-50, 0))
    assert cache.policy.window_ratio == WINDOW_RATIO_MIN
    keys = [key for number in range(3000) for key in (number, max(0, number - 40))]
    cache.misses_of(keys)
    assert cache.policy.window_ratio > 0.5
    later = [key for number in range(3000, 4000) for key in (number, number - 40)]
    assert cache.misses_of(later) <= 1050


def test_the_window_closes_again_when_residents_are_what_is_asked_for() -> None:
    """A loop after a phase of recency."""
    cache = Cache(100)
    cache.misses_of(key for number in range(3000) for key in (number, max(0, number - 40)))
    for _ in range(30):
        cache.misses_of(f"loop-{number}" for number in range(150))
    assert cache.policy.window_ratio < 0.1


def test_new_favourites_replace_the_old_ones() -> None:
    """Fame fades: what was hot for long is gone soon after all turn to something else."""
    cache = Cache(100)
    for _ in range(50):
        cache.misses_of(range(100))
    for _ in range(20):
        cache.misses_of(range(1000, 1080))
    assert cache.misses_of(range(1000, 1080)) == 0


def test_one_giant_does_not_flush_the_cache() -> None:
    """It is judged on its arrival, whatever the window's share, and leaves at once."""
    cache = Cache(100)
    for _ in range(5):
        cache.misses_of(range(95))
    cache.ask("giant", 60)
    assert "giant" not in cache.table
    assert cache.misses_of(range(95)) <= 5


def test_a_giant_has_to_win_against_everyone_who_would_leave_for_it() -> None:
    """Hotter than those of one request, colder than the favourites: it stops at the first of these."""
    cache = Cache(100)
    cache.misses_of(f"cold-{number}" for number in range(20))
    for _ in range(10):
        cache.misses_of(range(80))
    for _ in range(3):
        cache.ask("giant", 60)
    assert sum(f"cold-{number}" in cache.table for number in range(20)) < 20
    assert all(str(number) in cache.table for number in range(80))


def test_a_touch_of_one_who_left_is_ignored() -> None:
    """Hits are heard later, when their entry may be gone."""
    cache = Cache(10)
    cache.misses_of(range(5))
    resident = cache.table.pop("3")
    cache.policy.went(resident)
    cache.policy.touched(resident)
    cache.misses_of(["new"])
    assert len(cache.policy) == 5
    cache.policy.went(resident)
    assert len(cache.policy) == 5


def test_who_comes_back_is_remembered() -> None:
    """What a key was asked for before it was invalidated still counts for it."""
    policy = AdmissionPolicy()
    first, again = Resident("7/4711", 1), Resident("7/4711", 1)
    policy.came(first)
    for _ in range(5):
        policy.touched(first)
    policy.came(Resident("other", 1))
    policy.went(first)
    policy.came(again)
    assert again.heat > 5


def test_nobody_can_leave_an_empty_cache() -> None:
    """To ask is a mistake of the cache, and is told so."""
    with pytest.raises(LookupError, match="holds nobody"):
        AdmissionPolicy().evict()


def test_everybody_can_leave() -> None:
    """A cap that falls is obeyed to the last entry."""
    policy = AdmissionPolicy()
    residents = [Resident(str(number), number + 1) for number in range(50)]
    for resident in residents:
        policy.came(resident)
        policy.touched(resident)
    assert {policy.evict() for _ in residents} == set(residents)
    assert len(policy) == 0


def test_entries_without_a_size_can_leave_too() -> None:
    """A cache may count entries alone."""
    policy = AdmissionPolicy()
    for number in range(20):
        policy.came(Resident(str(number), 0))
    for number in range(20, 100):
        policy.came(Resident(str(number), 0))
        policy.evict()
    assert len(policy) == 20


def test_clear_forgets_residents_and_their_past() -> None:
    """As if new."""
    cache = Cache(100)
    for _ in range(5):
        cache.misses_of(range(150))
    held = next(iter(cache.table.values()))
    cache.policy.clear()
    assert len(cache.policy) == 0
    assert held.place is None
    assert cache.policy.sketch_bytes == AdmissionPolicy().sketch_bytes
    again = Resident("1", 1)
    cache.policy.came(again)
    assert again.heat == 1


def test_heat_stays_comparable_however_long_it_runs() -> None:
    """The scale begins anew now and then; order is kept, and nothing overflows."""
    cache = Cache(10)
    for number in range(30_000):
        cache.misses_of(["favourite", "favourite", "second" if number % 9 == 0 else f"once-{number}"])
    assert {"favourite", "second"} <= cache.table.keys()
    assert cache.table["favourite"].heat > cache.table["second"].heat
    assert cache.table["favourite"].heat < 2.0**110


def test_touches_are_bounded_and_may_come_from_any_thread() -> None:
    """Only the oldest are lost, and what an arrival has to hear stays short."""
    policy = AdmissionPolicy()
    residents = [Resident(str(number), 1) for number in range(100)]
    for resident in residents:
        policy.came(resident)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(lambda: [policy.touched(resident) for resident in residents * 100])
        for number in range(1000):
            policy.came(Resident(f"new-{number}", 1))
    assert len(policy) == 1100
    for _ in range(TOUCHES_MAX // HEARD_MAX + 1):
        policy.came(Resident("last", 1))
    assert all(resident.heat > 1 for resident in residents)
