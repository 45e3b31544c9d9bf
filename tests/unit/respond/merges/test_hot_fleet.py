"""The fleet's merge: sums, patience, what is told and when; and the loop that runs it."""

import asyncio

import msgspec
import pytest

from tenfold.kernel import VirtualClock
from tenfold.protect.reads.hot import HotReport, HotSet, Seen
from tenfold.protect.testing import run_in_virtual_time
from tenfold.respond.merges import HotKeyMerge, merge_hot_keys

MS = 1_000_000


def report(process: str, reads: dict[str, float], *, total: float = 1_000, **seen: Seen) -> HotReport:
    return HotReport("price", process, total, 0.5, reads, seen)


def told(fleet: HotKeyMerge, now_ms: int) -> HotSet | None:
    return fleet.changes(now_ms * MS, wall_ms=now_ms).get("price")


def test_what_no_process_can_tell_alone_is_found_in_the_sum() -> None:
    """A key of 1 %, in fifty processes of a thousand reads: too little evidence in each, plenty in all."""
    fleet = HotKeyMerge()
    fleet.took("0", report("0", {"hot": 10}), 0)
    assert told(fleet, 1) is None
    for number in range(1, 50):
        fleet.took(str(number), report(str(number), {"hot": 10}), 1 * MS)
    found = told(fleet, 2)
    assert found is not None
    assert [(hot.key, hot.share) for hot in found.keys] == [("hot", 0.01)]


def test_what_is_hot_in_one_process_of_fifty_is_not_hot_in_the_fleet() -> None:
    """It is that process's own business; the others have nothing of it."""
    fleet = HotKeyMerge()
    for number in range(50):
        fleet.took(str(number), report(str(number), {"hot": 200} if number == 0 else {}), 0)
    assert told(fleet, 1) is None


def test_a_report_without_a_total_breaks_nothing() -> None:
    """A process that contradicts itself costs no other its hot keys."""
    fleet = HotKeyMerge()
    fleet.took("odd", report("odd", {"hot": 1e6}, total=0), 0)
    found = told(fleet, 1)
    assert found is not None
    assert found.keys[0].share <= 1


def test_a_new_value_is_told_at_once_and_an_unchanged_one_with_others() -> None:
    """The old value is being answered until all know; that it is still right can wait a tenth of a second."""
    fleet = HotKeyMerge()
    fleet.took("a", report("a", {"hot": 200}, hot=Seen(1, "one", 10, 10)), 0)
    assert told(fleet, 1) is not None
    fleet.took("a", report("a", {"hot": 200}, hot=Seen(1, "one", 20, 20)), 20 * MS)
    assert told(fleet, 21) is None
    assert told(fleet, 101) is not None
    fleet.took("a", report("a", {"hot": 200}, hot=Seen(2, "two", 110, 110)), 110 * MS)
    changed = told(fleet, 111)
    assert changed is not None
    assert (changed.keys[0].seen.version, changed.keys[0].by) == (2, "a")


def test_an_older_version_is_not_passed_on_until_the_newer_is_forgotten() -> None:
    """A lagging replica's word must not undo a newer one; where versions began anew, it is believed in the end."""
    fleet = HotKeyMerge()
    fleet.took("a", report("a", {"hot": 200}, hot=Seen(900, "new", 10, 10)), 0)
    for now_ms in range(500, 4_500, 500):
        fleet.took("b", report("b", {"hot": 200}, hot=Seen(3, "old", 10 + now_ms, 0)), now_ms * MS)
        found = told(fleet, now_ms)
        assert found is None or found.keys[0].seen.version == 900
    told(fleet, 5_100)
    fleet.took("b", report("b", {"hot": 200}, hot=Seen(3, "old", 5_200, 0)), 5_200 * MS)
    found = told(fleet, 5_201)
    assert found is not None
    assert found.keys[0].seen.version == 3


def test_the_set_is_told_again_each_second_and_taken_away_when_all_is_cold() -> None:
    """Whoever hears nothing for long lets go, so silence must mean that nobody tends."""
    fleet = HotKeyMerge()
    fleet.took("a", report("a", {"hot": 200}), 0)
    assert told(fleet, 1) is not None
    assert told(fleet, 900) is None
    assert told(fleet, 1_002) is not None
    assert fleet.changes(9_000 * MS, wall_ms=0) == {"price": None}
    assert fleet.changes(9_001 * MS, wall_ms=0) == {}


def test_names_processes_and_the_set_itself_are_bounded() -> None:
    """Whoever floods the node costs it no more than it has set aside; the refused are counted."""
    fleet = HotKeyMerge(names_max=2, processes_max=3, hot_max=1_000)
    for name in ("one", "two", "three"):
        for process in range(5):
            fleet.took(str(process), HotReport(name, str(process), 1e4, 1, {}), 0)
    assert fleet.refused == 2 + 2 + 5
    wide = {f"{number:0300d}": 400.0 for number in range(300)}
    fleet.took("0", HotReport("one", "0", 4e4, 1, wide), 0)
    found = fleet.changes(MS, wall_ms=0)["one"]
    assert found is not None
    assert len(msgspec.json.encode(found)) <= 50 << 10


def test_the_loop_tells_soon_after_a_report_and_survives_a_store_that_fails() -> None:
    """Garbage is refused to whoever brought it; a failed put is counted and told again at the next look."""

    async def check(clock: VirtualClock) -> None:
        puts: list[tuple[float, str, bytes | None]] = []

        async def put(name: str, value: bytes | None) -> None:
            puts.append((clock.monotonic_ns() / MS, name, value))
            if len(puts) == 1:
                raise OSError("disk full")

        loop = merge_hot_keys(put, clock=clock)
        loop.open()
        with pytest.raises(msgspec.DecodeError):
            loop.took("a", b'{"name": 7}')
        loop.took("a", msgspec.json.encode(report("a", {"hot": 200})))
        await asyncio.sleep(0.05)
        assert [name for _, name, _ in puts] == ["price"]
        assert loop.failures == 1
        await asyncio.sleep(0.3)
        assert len(puts) == 2
        assert puts[1][2] is not None
        assert msgspec.json.decode(puts[1][2], type=HotSet).keys[0].key == "hot"
        await asyncio.sleep(10)
        assert puts[-1][2] is None
        await loop.close()

    run_in_virtual_time(check)
