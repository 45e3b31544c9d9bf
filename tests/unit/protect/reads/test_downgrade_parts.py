"""What a downgrade decides by: who stays, and how reads return."""

import pytest

from tenfold.kernel.shares import key_hash
from tenfold.protect.reads.audit import SprtDecision
from tenfold.protect.reads.downgrade.returning import Returning
from tenfold.protect.reads.downgrade.staying import Staying

KEYS = [f"key-{number}" for number in range(2_000)]


def kept(share: float, name: str) -> set[str]:
    staying = Staying((share,), 1, 0, key_hash(name))
    return {key for key in KEYS if staying.keeps(key, lambda: 0)}


def test_a_share_of_keys_is_the_same_everywhere_and_lies_within_each_larger_one() -> None:
    """Another downgrade keeps others."""
    assert len(kept(0.25, "price")) / len(KEYS) == pytest.approx(0.25, abs=0.03)
    assert kept(0.1, "price") < kept(0.25, "price") < kept(0.5, "price")
    assert kept(0.25, "price") != kept(0.25, "stock")
    assert (kept(0.0, "price"), kept(1.0, "price")) == (set(), set(KEYS))


def test_the_last_share_stands_and_nobody_asks_for_the_time_any_more() -> None:
    """Though the clock were to say anything else."""
    staying = Staying((0.75, 0.5, 0.0), 10, 100, salt=0)
    assert [staying.share(lambda now=now: now) for now in (100, 109, 110, 119)] == [0.75, 0.75, 0.5, 0.5]  # type: ignore[misc]
    assert not staying.is_last(lambda: 119)
    assert staying.is_last(lambda: 120)
    assert staying.share(lambda: 1 // 0) == 0.0


def test_a_share_of_the_return_is_proven_by_samples_and_by_time() -> None:
    """And each by its own."""
    returning = Returning((0.1, 1.0), 1_000, None)
    assert returning.judge(300, 0, 999) is SprtDecision.UNDECIDED
    assert returning.judge(0, 0, 1_000) is SprtDecision.USUAL
    assert returning.advance()
    assert (returning.share, returning.found) == (1.0, {"samples": 0, "mismatches": 0})
    assert returning.judge(50, 20, 0) is SprtDecision.WRONG
    assert not returning.advance()
