"""Lengths of time."""

import pytest

from tenfold.kernel import Duration, DurationInvalid, TenfoldError


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1 ns", 1),
        ("250 ms", 250_000_000),
        ("1.5 s", 1_500_000_000),
        ("0.1 s", 100_000_000),
        ("5min", 300_000_000_000),
        (" 2 h ", 7_200_000_000_000),
        ("1 d", 86_400_000_000_000),
    ],
)
def test_a_length_of_time_is_read_exactly(text: str, ns: int) -> None:
    """A tenth of a second is a hundred million nanoseconds, not one less."""
    assert Duration.parse(text) == Duration(ns)


@pytest.mark.parametrize("text", ["", "100", "s", "-1 s", "1 week", "1 S", "1,5 s", "ten s"])
def test_a_length_without_a_known_unit_is_refused_and_the_units_are_named(text: str) -> None:
    """Five of what? The question is asked where the answer can be given."""
    with pytest.raises(DurationInvalid, match="ns, us, ms, s, min, h, d"):
        Duration.parse(text)


def test_what_is_wrong_with_a_length_is_an_error_that_people_may_see() -> None:
    """The command line prints it and exits with status 2."""
    assert issubclass(DurationInvalid, TenfoldError)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (90_000_000_000, "90 s"),
        (250_000_000, "250 ms"),
        (120_000_000_000, "2 min"),
        (86_400_000_000_000, "1 d"),
        (1_500_000_000, "1500 ms"),
    ],
)
def test_a_length_is_shown_in_the_largest_unit_that_keeps_it_whole(ns: int, text: str) -> None:
    """Nobody reads 90000000000 ns."""
    assert str(Duration(ns)) == text


def test_lengths_are_ordered_and_may_be_keys() -> None:
    """Deadlines are compared and grouped."""
    assert Duration.from_ms(999) < Duration.from_s(1) == Duration.from_ms(1000)
    assert len({Duration.from_s(1), Duration.from_ms(1000)}) == 1
