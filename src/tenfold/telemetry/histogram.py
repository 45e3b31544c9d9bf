"""A distribution of latencies with a bounded relative error, after HdrHistogram (Gil Tene, 2012).

A value keeps its eight leading bits: it falls into one of 128 buckets between its power of two and the next.

    value      0 … 255    256 … 511    512 … 1023   …   2^k … 2^(k+1)
    bucket         1            2            4      …   2^(k-7) wide

So a quantile is never off by more than 1/128 of itself, at any magnitude, and two histograms add bucket by bucket.
"""

from collections.abc import Iterable, Mapping
from typing import Self

_LEADING_BITS = 8
_HALF = 1 << (_LEADING_BITS - 1)
_VALUE_MAX = (1 << 42) - 1
"""73 minutes in nanoseconds: a request that takes longer counts as one that took this long."""
_BUCKETS = ((_VALUE_MAX.bit_length() - _LEADING_BITS) * _HALF) + 2 * _HALF

RELATIVE_ERROR_MAX = 1 / _HALF


def bucket_of(value: int) -> int:
    """The index of the bucket that holds `value`, which is not negative."""
    shift = value.bit_length() - _LEADING_BITS
    return value if shift <= 0 else shift * _HALF + (value >> shift)


def highest_in(bucket: int) -> int:
    """The largest value that falls into `bucket`: the figure quoted for it, so that no quantile flatters."""
    if bucket < 2 * _HALF:
        return bucket
    shift = bucket // _HALF - 1
    return ((bucket - shift * _HALF + 1) << shift) - 1


class Histogram:
    """Counts of non-negative integers, in nanoseconds wherever Tenfold uses it."""

    __slots__ = ("_counts", "count", "max", "total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.total = 0
        self.max = 0

    def record(self, value: int) -> None:
        """Count one value; below zero counts as zero, above the range as the range's end."""
        if value < 0:
            value = 0
        elif value > _VALUE_MAX:
            value = _VALUE_MAX
        shift = value.bit_length() - _LEADING_BITS
        self._counts[value if shift <= 0 else shift * _HALF + (value >> shift)] += 1
        self.count += 1
        self.total += value
        if value > self.max:
            self.max = value

    def quantile(self, q: float) -> int:
        """The smallest recorded magnitude that at least the share `q` (0 to 1) does not exceed; 0 when empty."""
        wanted = max(1, -int(-q * self.count // 1)) if self.count else 0
        if not wanted:
            return 0
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(highest_in(bucket), self.max)
        return self.max

    def cumulative(self, limits: Iterable[int]) -> list[int]:
        """How many values are at most each of `limits`, which ascend."""
        answer, seen, start = [], 0, 0
        for limit in limits:
            end = bucket_of(min(limit, _VALUE_MAX)) + 1
            seen += sum(self._counts[start:end])
            start = max(start, end)
            answer.append(seen)
        return answer

    def add(self, other: "Histogram") -> None:
        """Count everything that `other` counted."""
        self._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        self.count += other.count
        self.total += other.total
        self.max = max(self.max, other.max)

    def to_counts(self) -> dict[int, int]:
        """The buckets that are not empty, for the wire; `from_counts` reads them back, exact but for `total`."""
        return {bucket: count for bucket, count in enumerate(self._counts) if count}

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> Self:
        made = cls()
        for bucket, count in counts.items():
            made._counts[bucket] = count
            made.count += count
            made.total += highest_in(bucket) * count
            made.max = max(made.max, highest_in(bucket))
        return made
