"""Numbers with units."""

from fractions import Fraction

import pytest

from tenfold.plan.quantity import DURATION, RATE, SHARE, SIZE, Quantity


@pytest.mark.parametrize(
    ("quantity", "text", "worth"),
    [
        (DURATION, "250 ms", Fraction(250_000_000)),
        (DURATION, "1.5 s", Fraction(1_500_000_000)),
        (DURATION, "5min", Fraction(300_000_000_000)),
        (RATE, "300 /s", Fraction(300)),
        (RATE, "18000 /min", Fraction(300)),
        (RATE, "1 /h", Fraction(1, 3600)),
        (SHARE, "99.99 %", Fraction(9999, 10_000)),
        (SIZE, "96 MiB", Fraction(96 * 2**20)),
        (SIZE, "0.5 KiB", Fraction(512)),
    ],
)
def test_a_quantity_is_exact_in_its_base_unit(quantity: Quantity, text: str, worth: Fraction) -> None:
    """A third of a per cent and a tenth of a second stay what they are until somebody asks for a float."""
    assert quantity.read(text) == worth


@pytest.mark.parametrize(
    "text", ["", "100", "s", "-1 s", "1 S", "1,5 s", "1. s", ".5 s", "1 s ", " 1 s", "1 s\n", "١ s", "1e3 s", "inf s"]
)
def test_what_is_not_a_number_and_a_unit_is_no_length_of_time(text: str) -> None:
    """There is one way to write a quantity, so that a plan reads the same to everybody."""
    assert DURATION.read(text) is None


def test_a_figure_longer_than_people_write_is_refused_before_it_becomes_a_number() -> None:
    """A million digits must not cost a second of processor time."""
    assert DURATION.read("9" * 1_000_000 + " s") is None
