"""A dependency that flaps, on virtual time: what a breaker lets through to who recovers, and how often it changes."""

import sys

import pytest
from benchmarks.protect.flapping import virtual_ours

OVERLOAD_MAX = 1.2
SEEDS = (90_016, 90_029, 20_261_122, 20_261_123, 20_261_124)
"""The first two closed too early once: the moment the old rate was reached, before its overload could be heard."""


@pytest.mark.parametrize("seed", SEEDS)
def test_who_recovers_never_sees_much_more_than_it_can_bear(seed: int) -> None:
    """In no tenth of a second, in half a minute of coming and going; and it changes few times."""
    seen = virtual_ours(seed)
    sys.stdout.write(f"seed {seed}: {seen}\n")
    assert seen.overload <= OVERLOAD_MAX
    assert seen.transitions <= 40
    assert seen.answered >= 0.4
