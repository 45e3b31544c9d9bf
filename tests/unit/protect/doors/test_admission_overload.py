"""What is refused while the event loop is late: in which order, of whom first, and how it comes back."""

import asyncio
from types import SimpleNamespace

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Shedder
from tenfold.protect.calls.limit import FixedLimit
from tenfold.protect.doors.admission import Fate, LoopLag, Overload
from tenfold.protect.testing import run_in_virtual_time
from tenfold.telemetry import EventLog, Registry

MS = 1_000_000


def after(windows: int, lag_ms: float = 20) -> Overload:
    overload = Overload()
    look(overload, windows, lag_ms)
    return overload


def look(overload: Overload, windows: int, lag_ms: float) -> None:
    for _ in range(windows):
        overload.look(lag_ms * MS)


def test_a_single_pause_changes_nothing() -> None:
    """A neighbour had the machine for a moment."""
    overload = Overload()
    for _ in range(10):
        look(overload, 1, 300)
        look(overload, 1, 1)
    assert overload.level == 0.0


def test_a_loop_that_stays_late_lets_go_tier_by_tier_and_never_of_p0() -> None:
    """P3, then P2, then P1."""
    assert [after(3).refused_ratio(tier) for tier in range(4)] == [0, 0, 0, 1]
    assert [after(5).refused_ratio(tier) for tier in range(4)] == [0, 0, 1, 1]
    assert [after(99).refused_ratio(tier) for tier in range(4)] == [0, 1, 1, 1]
    assert not any(after(99).refuses(0, greedy=True) for _ in range(100))


def test_the_later_the_loop_the_sooner_it_lets_go() -> None:
    """Four times too late counts twice: everything that can be refused is, after four windows and not after seven."""
    assert (after(4, lag_ms=41).level, after(4, lag_ms=40).level) == (3.0, 1.5)


def test_between_levels_a_share_of_a_tier_is_refused() -> None:
    """Of whoever is there, when nobody is greedy."""
    overload = after(6)
    assert overload.level == 2.5
    assert sum(overload.refuses(1, greedy=False) for _ in range(1_000)) == pytest.approx(500, abs=10)


def test_the_greedy_pay_first_and_the_others_only_what_is_left_over() -> None:
    """Half of the tier must go and half of it is one store's: the others lose nobody."""
    overload = after(6)
    fates = [(greedy, overload.refuses(1, greedy=greedy)) for greedy in (True, False) * 500]
    assert sum(refused for greedy, refused in fates if not greedy) == 0
    assert sum(refused for greedy, refused in fates if greedy) == pytest.approx(500, abs=10)


def test_it_comes_back_slowly_and_nothing_moves_between_the_bounds() -> None:
    """From everything to nothing in three seconds of windows that were in time."""
    overload = after(99)
    look(overload, 50, 7)
    assert overload.level == 3.0
    look(overload, 29, 1)
    assert overload.level > 0
    look(overload, 1, 1)
    assert overload.level == 0.0


def test_a_shedder_refuses_what_the_overload_says_and_tells_the_pressure_before() -> None:
    """Events name the beginning, the steps and the end."""
    clock, events, told = VirtualClock(), EventLog("test"), list[float]()
    overload = Overload()
    shedder = Shedder("shop", FixedLimit(10), overload=overload, on_pressure=told.append, clock=clock, events=events)
    assert shedder.enter(3).fate is Fate.ADMITTED
    look(overload, 5, 20)
    assert (shedder.enter(3).fate, told) == (Fate.SHED, [0.25])
    assert (shedder.enter(2).fate, told) == (Fate.SHED, [0.25, 0.5])
    assert (shedder.enter(1).fate, shedder.enter(0).fate) == (Fate.ADMITTED, Fate.ADMITTED)
    look(overload, 40, 1)
    clock.advance(Duration.from_s(5))
    assert shedder.pressure == 0
    assert [event.kind for event in events] == ["shed-begun", "pressure-changed", "shed-ended"]


def test_the_lag_of_a_loop_is_told_once_a_window() -> None:
    """In time on an idle loop; by as much as whoever holds it holds it."""

    async def check(clock: VirtualClock) -> None:
        told: list[float] = []
        async with LoopLag("test", told.append, clock=clock, registry=Registry()):
            await asyncio.sleep(0.35)
            assert max(told) < MS
            for _ in range(40):
                clock.advance(Duration.from_ms(20))  # whoever has the loop does not give it back
                await asyncio.sleep(0)
        assert max(told) >= 10 * MS

    run_in_virtual_time(check)


def test_a_loop_that_nobody_asks_anything_of_is_woken_once_a_window_and_is_in_time() -> None:
    """With the first request it is looked at ten times a window again."""

    async def check(clock: VirtualClock) -> None:
        told: list[float] = []
        came = 0
        looks: list[int] = []

        def now_ns() -> int:
            looks.append(clock.monotonic_ns())
            return looks[-1]

        watched = SimpleNamespace(monotonic_ns=now_ns, wall_ns=clock.wall_ns)
        async with LoopLag("test", told.append, came=lambda: came, clock=watched, registry=Registry()):
            await asyncio.sleep(0.15)
            looks.clear()
            await asyncio.sleep(1)
            assert len(looks) <= 22
            clock.advance(Duration.from_ms(500))  # a pause of the machine, in which nobody waited
            await asyncio.sleep(0.2)
            assert max(told) == 0.0
            came += 1
            clock.advance(Duration.from_ms(500))
            await asyncio.sleep(0.01)
            assert max(told) >= 10 * MS
            looks.clear()
            came += 1
            await asyncio.sleep(0.3)
            assert len(looks) >= 11

    run_in_virtual_time(check)
