"""Duels between the refused and the spared."""

import pytest

from tenfold.protect.reads.near import Resident
from tenfold.protect.reads.near.duels import DEBT_RATIO, OPEN_MAX, RATIO_MAX, STEP_RATIO, SWAY_RATIO, Duels

RESIDENTS = 100


def duel(duels: Duels, name: str) -> tuple[Resident, Resident]:
    newcomer, spared = Resident(f"new-{name}", 1), Resident(f"old-{name}", 1)
    duels.came(newcomer.key, RESIDENTS)
    duels.refused(newcomer, spared)
    return newcomer, spared


def test_the_window_grows_when_the_refused_is_asked_for_first() -> None:
    """One step, and the duel is over."""
    duels = Duels()
    newcomer, spared = duel(duels, "1")
    duels.came(newcomer.key, RESIDENTS)
    assert duels.score == STEP_RATIO
    assert spared.rival is None
    assert len(duels) == 0


def test_the_window_shrinks_when_the_spared_is_asked_for_first() -> None:
    """That the refused comes later proves nothing any more."""
    duels = Duels()
    newcomer, spared = duel(duels, "1")
    duels.touched(spared)
    assert duels.score == -STEP_RATIO
    duels.came(newcomer.key, RESIDENTS)
    assert duels.score == -STEP_RATIO


def test_nobody_wins_when_the_spared_leaves() -> None:
    """Neither was right."""
    duels = Duels()
    newcomer, spared = duel(duels, "1")
    duels.left(spared)
    duels.came(newcomer.key, RESIDENTS)
    assert duels.score == 0


def test_who_comes_back_after_long_has_not_won() -> None:
    """No window would have held it until then."""
    duels = Duels()
    newcomer, spared = duel(duels, "1")
    for number in range(RESIDENTS):
        duels.came(str(number), RESIDENTS)
    duels.came(newcomer.key, RESIDENTS)
    assert duels.score == 0
    assert spared.rival is None


@pytest.mark.parametrize(
    ("residents", "limit"), [(100, 81), (500, OPEN_MAX + 1), (10_000, OPEN_MAX + 1), (300_000, OPEN_MAX + 1)]
)
def test_few_duels_are_open_whatever_the_size(residents: int, limit: int) -> None:
    """Refusals are sampled in large caches, and duels that nobody decides end."""
    duels, longest = Duels(), 0
    for number in range(residents // 2 + 2000):
        duels.came(f"new-{number}", residents)
        duels.refused(Resident(f"new-{number}", 1), Resident(f"old-{number}", 1))
        longest = max(longest, len(duels))
    assert 1 <= longest <= limit


def test_one_burst_moves_the_window_only_so_far() -> None:
    """A scan that is repeated brings back all that it was refused: one event, not a thousand."""
    duels = Duels()
    duels.came("first", 10_000)
    newcomers = [duel_in_large(duels, number) for number in range(1600)]
    for newcomer in newcomers:
        duels.came(newcomer.key, 10_000)
    assert duels.score == pytest.approx(SWAY_RATIO)


def duel_in_large(duels: Duels, number: int) -> Resident:
    newcomer = Resident(f"new-{number}", 1)
    duels.refused(newcomer, Resident(f"old-{number}", 1))
    return newcomer


def test_the_score_stays_within_its_bounds() -> None:
    """However long one side wins."""
    duels = Duels()
    for number in range(1000):
        newcomer, _ = duel(duels, str(number))
        duels.came(newcomer.key, RESIDENTS)
    assert duels.score == RATIO_MAX
    for number in range(1000):
        duels.touched(duel(duels, str(number))[1])
    assert duels.score == -DEBT_RATIO
