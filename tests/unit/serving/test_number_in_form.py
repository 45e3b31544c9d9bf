"""Whole numbers that a form or an address states."""

import pytest

from tenfold.serving.body import number_in


@pytest.mark.parametrize("text", ["", "-1", "1.5", "seven", "٣", "9" * 19])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    """Also what no counter of ours can reach, and the digits of another script."""
    assert number_in({"epoch": text}, "epoch") is None


def test_a_whole_number_is_read_as_it_stands() -> None:
    """A field that is not there is none."""
    assert number_in({"epoch": "007"}, "epoch") == 7
    assert number_in({}, "epoch") is None
