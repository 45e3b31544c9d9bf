"""What the sequential tests promise: how often they are wrong, whatever order the evidence comes in."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.protect.reads.audit import Cusum, Ratios, Sprt, SprtDecision

RATIOS = st.tuples(st.floats(0.0005, 0.05), st.floats(1.5, 20)).map(
    lambda pair: Ratios(pair[0], pair[0] * pair[1] / 1.1)
)
BATCHES = st.lists(st.integers(0, 256).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=20)


@given(RATIOS, st.integers(0, 500), st.data())
def test_evidence_adds_up(ratios: Ratios, samples: int, data: st.DataObject) -> None:
    """Two halves say what the whole says."""
    wrong = data.draw(st.integers(0, samples))
    first = data.draw(st.integers(0, samples))
    wrong_first = data.draw(st.integers(max(0, wrong - (samples - first)), min(wrong, first)))
    whole = ratios.log_likelihood_ratio(samples, wrong)
    halves = ratios.log_likelihood_ratio(first, wrong_first)
    halves += ratios.log_likelihood_ratio(samples - first, wrong - wrong_first)
    assert math.isclose(whole, halves, abs_tol=1e-6)


@given(RATIOS, st.integers(1, 500), st.data())
def test_one_more_wrong_key_never_speaks_for_the_cache(ratios: Ratios, samples: int, data: st.DataObject) -> None:
    """The level grows with every mismatch among as many samples."""
    wrong = data.draw(st.integers(0, samples - 1))
    assert ratios.log_likelihood_ratio(samples, wrong + 1) > ratios.log_likelihood_ratio(samples, wrong)


@given(BATCHES)
def test_the_level_is_never_negative_and_an_alarm_is_the_threshold(batches: list[tuple[int, int]]) -> None:
    """Good days are not saved up against bad ones; the evidence named is that since the level was last 0."""
    test = Cusum()
    for samples, wrong in batches:
        alarm = test.record(samples, wrong)
        assert test.level >= 0
        assert alarm == (test.level >= test.threshold)
        assert 0 <= test.mismatches <= test.samples
        assert (test.level > 0) or test.samples == 0
        if alarm:
            test.clear()


@given(BATCHES)
def test_an_sprt_decides_at_its_bounds_and_never_again(batches: list[tuple[int, int]]) -> None:
    """Undecided exactly between them."""
    test = Sprt()
    decided = SprtDecision.UNDECIDED
    for samples, wrong in batches:
        decision = test.record(samples, wrong)
        if decided is not SprtDecision.UNDECIDED:
            assert decision is decided
        decided = decision
    assert (decided is SprtDecision.WRONG) <= (test.level > 0)
    assert (decided is SprtDecision.USUAL) <= (test.level < 0)


def draws(chance: random.Random, ratio: float, samples: int) -> int:
    return sum(chance.random() < ratio for _ in range(samples))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_false_alarms_are_as_rare_as_calculated(seed: int) -> None:
    """A threshold for 1,000 batches: over 20,000 batches of the usual ratio, no more than twice the 20 it allows."""
    chance = random.Random(seed)
    test = Cusum(Ratios(0.01, 0.05), batches_between_false_alarms=1_000)
    alarms = 0
    for _ in range(20_000):
        if test.record(20, draws(chance, 0.01, 20)):
            alarms += 1
            test.clear()
    assert alarms <= 40


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_wrong_ratio_is_found_in_a_few_batches(seed: int) -> None:
    """5 % wrong, batches of 256: three at the most, 200 times in a row."""
    chance = random.Random(seed)
    for _ in range(200):
        test = Cusum()
        assert any(test.record(256, draws(chance, 0.05, 256)) for _ in range(4))
