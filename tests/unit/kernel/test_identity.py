"""Names of runs, seeds, and the root of errors."""

import pytest

from tenfold.kernel import Duration, TenfoldError, VirtualClock, derive_seed, run_id


def test_a_run_is_named_after_when_it_began_and_its_seed() -> None:
    """The name says both, and is fit for a folder."""
    assert run_id(VirtualClock(), 0x1_7F3A) == "20260101T000000.000Z-7f3a"


def test_names_of_runs_sort_by_when_they_began() -> None:
    """The newest report is the last of the folder."""
    clock = VirtualClock()
    names = []
    for seed in (0xFFFF, 0x0000, 0x8000):
        names.append(run_id(clock, seed))
        clock.advance(Duration.from_ms(1))
    assert names == sorted(names)


def test_two_runs_of_one_moment_differ_by_their_seed() -> None:
    """Two rehearsals may begin at once on one machine."""
    assert run_id(VirtualClock(), 1) != run_id(VirtualClock(), 2)


def test_a_seed_is_the_same_for_the_same_words() -> None:
    """A run is repeated from the one seed that it prints, on every machine and in every year."""
    assert derive_seed(42, "arrivals", "order") == derive_seed(42, "arrivals", "order") == 2559579927222192029


def test_seeds_of_different_purposes_are_unrelated() -> None:
    """Joining the words otherwise is another purpose too."""
    seeds = {
        derive_seed(42),
        derive_seed(43),
        derive_seed(42, "ab"),
        derive_seed(42, "a", "b"),
        derive_seed(42, "b", "a"),
    }
    assert len(seeds) == 5
    assert all(0 <= seed < 2**64 for seed in seeds)


@pytest.mark.parametrize(
    ("remedy", "text"), [("", "The disk is full."), ("Free 2 GB.", "The disk is full. Free 2 GB.")]
)
def test_an_error_says_what_to_do_after_what_it_is(remedy: str, text: str) -> None:
    """Without a remedy it is one sentence."""
    assert str(TenfoldError("The disk is full.", remedy=remedy)) == text
