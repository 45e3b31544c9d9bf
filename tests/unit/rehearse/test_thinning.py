"""A chart of few points shows the same extremes as one of many."""

import random

from tenfold.rehearse.view.progress import Sample
from tenfold.rehearse.view.thinning import thinned


def test_few_samples_are_kept_as_they_are() -> None:
    """Nothing is lost where nothing must be."""
    samples = _samples(300)
    assert thinned(samples, 300) == samples
    assert thinned([], 300) == []


def test_no_peak_no_dip_and_no_error_is_lost() -> None:
    """The lowest and highest rate, the highest p99, every error, in the order of time."""
    samples = _samples(7_000)
    few = thinned(samples, 300)
    assert len(few) <= 300
    for pick in (min, max):
        assert pick(one.rate_rps for one in few) == pick(one.rate_rps for one in samples)
    assert max(one.p99_ms for one in few) == max(one.p99_ms for one in samples)
    assert sum(one.errors for one in few) == sum(one.errors for one in samples)
    assert [one.at for one in few] == sorted(one.at for one in few)


def test_samples_of_one_moment_are_thinned_too() -> None:
    """A clock that stands still divides by nothing."""
    assert len(thinned([_sample(1.0, random.Random(1))] * 50, 10)) <= 10


def _samples(count: int) -> list[Sample]:
    chance = random.Random(7)
    return [_sample(number / 4, chance) for number in range(count)]


def _sample(at: float, chance: random.Random) -> Sample:
    return Sample(
        at=at,
        rate_rps=chance.uniform(0, 3000),
        target_rps=3000.0,
        p50_ms=chance.uniform(1, 9),
        p99_ms=chance.uniform(9, 900),
        errors=chance.randrange(5),
        inflight=3,
    )
