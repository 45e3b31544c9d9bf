"""A bounded count of who is asked for most, over a past that fades."""

import math
from collections.abc import Iterable
from sys import getsizeof

from tenfold.kernel import Duration

ENTRY_BYTES = 130
"""What a counted key costs beyond its text: a float and its place in the table with slack."""
KEY_BYTES_MAX = 320
"""Longer keys count in the total alone."""
_SCALE_MAX = 1e12


class Sketch:
    """Counts by key that fade with time constant `fade`: what came `fade` ago counts 1/e of what comes now.

    Never more than `keys_max` counters and `bytes_max` bytes. When full, the median is taken off every counter and
    what is left with nothing goes (Misra & Gries 1982, in batches: Anderson et al., IMC 2017), so a count is never
    too high and too low by at most 2 / keys_max of `total`. Fading costs nothing an update: what comes later simply
    weighs more (forward decay: Cormode et al., ICDE 2009). Time never goes back here. For one thread at a time.
    """

    def __init__(self, *, fade: Duration, keys_max: int = 2_048, bytes_max: int = 512 << 10) -> None:
        self._fade_ns = fade.ns
        self._keys_max = keys_max
        self._bytes_max = bytes_max
        self._counts: dict[str, float] = {}
        self._bytes = 0
        self._total = self._squares = 0.0
        self._scale = 1.0
        self._origin_ns: int | None = None

    def pass_time(self, now_ns: int) -> None:
        """Let the past fade until now; a count is exact as of the last call, so call it every few milliseconds."""
        if self._origin_ns is None:
            self._origin_ns = now_ns
        faded = max(0, now_ns - self._origin_ns) / self._fade_ns
        if faded > math.log(_SCALE_MAX):
            self._rescale(faded)
            self._origin_ns, faded = now_ns, 0.0
        self._scale = math.exp(faded)

    def add(self, key: str, amount: float) -> float:
        """Count `amount` more of `key`; answers its count now."""
        counts = self._counts
        weight = amount * self._scale
        self._total += weight
        self._squares += weight * weight
        count = counts.get(key)
        if count is None:
            return self._begin(key, weight)
        count += weight
        counts[key] = count
        return count / self._scale

    @property
    def total(self) -> float:
        """Everything counted, faded alike: exact."""
        return self._total / self._scale

    @property
    def grain(self) -> float:
        """How coarse the counts are: their variance over their mean. 1/2 for single reads of a long past."""
        return self._squares / (self._total * self._scale) if self._total else 1.0

    def count(self, key: str) -> float:
        return self._counts.get(key, 0.0) / self._scale

    def above(self, floor: float) -> Iterable[tuple[str, float]]:
        """Every key whose count is at least `floor`, with it; in no order."""
        scale = self._scale
        bound = floor * scale
        return [(key, count / scale) for key, count in self._counts.items() if count >= bound]

    def clear(self) -> None:
        """Forget all of the past."""
        self._counts = {}
        self._bytes = 0
        self._total = self._squares = 0.0

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def held_bytes(self) -> int:
        """Memory that the counters and their keys take, calibrated."""
        return self._bytes

    def _begin(self, key: str, weight: float) -> float:
        size_bytes = getsizeof(key) + ENTRY_BYTES
        if size_bytes > KEY_BYTES_MAX + ENTRY_BYTES:
            return 0.0
        if len(self._counts) >= self._keys_max or self._bytes + size_bytes > self._bytes_max:
            self._make_room()
        self._counts[key] = weight
        self._bytes += size_bytes
        return weight / self._scale

    def _make_room(self) -> None:
        median = sorted(self._counts.values())[len(self._counts) // 2]
        self._keep({key: count - median for key, count in self._counts.items() if count > median})

    def _keep(self, counts: dict[str, float]) -> None:
        self._counts = counts
        self._bytes = sum(map(getsizeof, counts)) + len(counts) * ENTRY_BYTES

    def _rescale(self, faded: float) -> None:
        """Keep the numbers small; what has faded below a millionth of a read is gone."""
        shrink = math.exp(-faded)
        self._keep({key: count * shrink for key, count in self._counts.items() if count * shrink > 1e-6})
        self._total *= shrink
        self._squares *= shrink * shrink
