"""Fewer points with the same extremes: a chart of 900 pixels cannot show 3,600 samples, and must not hide one peak.

Of each stretch of time one point is kept a figure: the lowest and the highest rate, the highest p99, the median of the
p50, the sum of the errors. Pure.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from tenfold.rehearse.view.progress import Sample

POINTS_MAX = 300


def thinned(samples: Sequence[Sample], points_max: int = POINTS_MAX) -> list[Sample]:
    """At most two points a stretch, at most `points_max` in all, in the order of time."""
    if len(samples) <= points_max:
        return list(samples)
    began, length = samples[0].at, samples[-1].at - samples[0].at
    stretches = max(1, points_max // 2)

    def stretch(sample: Sample) -> int:
        return min(stretches - 1, int((sample.at - began) / length * stretches)) if length else 0

    return [point for _, group in groupby(samples, key=stretch) for point in _extremes(list(group))]


def _extremes(group: Sequence[Sample]) -> Iterator[Sample]:
    """The lowest and the highest rate, in their order; what else is extreme stands at the first of them."""
    low = min(group, key=lambda sample: sample.rate_rps)
    high = max(group, key=lambda sample: sample.rate_rps)
    first, *rest = sorted({low.at: low, high.at: high}.values(), key=lambda sample: sample.at)
    worst = max(sample.p99_ms for sample in group)
    middle = median(sample.p50_ms for sample in group)
    inflight = max(sample.inflight for sample in group)
    yield _point(first, middle, worst, sum(sample.errors for sample in group), inflight)
    for sample in rest:
        yield _point(sample, middle, worst, 0, inflight)


def _point(at: Sample, p50_ms: float, p99_ms: float, errors: int, inflight: int) -> Sample:
    return Sample(at.at, at.rate_rps, at.target_rps, p50_ms, p99_ms, errors, inflight)
