"""Which keys are hot in this process: a sketch, a bar that follows the traffic, and patience before letting go."""

from collections.abc import Iterable, Mapping

from tenfold.kernel import Duration
from tenfold.protect.reads.hot.noise import bar
from tenfold.protect.reads.hot.sketch import Sketch

FADE = Duration.from_s(1)
"""Long enough that a steady key stays above the noise, short enough that a new one is above it in 60 to 90 ms."""
SHARE = 0.01
"""A key with this share of the reads is hot for certain; below half of it, it is not."""
KEEP = Duration.from_s(2)
HOT_MAX = 128
_TURN_NS = 10_000_000


class Detector:
    """Hot is: certainly more than half of `share` of the reads. A key of the full share passes that bar soon.

    It stays hot until it was below a quarter of `share` for `keep`. At most `hot_max` keys are hot. Time comes in as
    an argument and is in monotonic nanoseconds. For one thread at a time.
    """

    def __init__(
        self,
        *,
        share: float = SHARE,
        fade: Duration = FADE,
        keep: Duration = KEEP,
        hot_max: int = HOT_MAX,
        keys_max: int = 2_048,
        bytes_max: int = 512 << 10,
    ) -> None:
        self._sketch = Sketch(fade=fade, keys_max=keys_max, bytes_max=bytes_max)
        self._share = share
        self._keep_ns = keep.ns
        self._hot_max = hot_max
        self._hot: dict[str, int] = {}
        self._bar = self._stay = 0.0
        self._turn_at_ns = 0

    def saw(self, key: str, weight: int, now_ns: int) -> bool:
        """A read of `key` that stands for `weight` reads; answers whether it made the key hot just now."""
        if now_ns >= self._turn_at_ns:
            self._turn(now_ns)
        count = self._sketch.add(key, weight)
        if count < self._stay:
            return False
        if key in self._hot:
            self._hot[key] = now_ns + self._keep_ns
            return False
        if count < self._bar or len(self._hot) >= self._hot_max:
            return False
        self._hot[key] = now_ns + self._keep_ns
        return True

    def hot(self, now_ns: int) -> Mapping[str, int]:
        """The hot keys, each with when it will have cooled unless it is read more."""
        self._cool(now_ns)
        return self._hot

    def share_of(self, key: str) -> float:
        """The key's part of this process's reads, 0..1."""
        return self._sketch.count(key) / self._sketch.total if self._sketch.total else 0.0

    def leaders(self, count_max: int) -> Iterable[tuple[str, float]]:
        """The keys that a fleet may find hot though this process alone cannot tell; the most read come first."""
        floor = max(2 * self._sketch.grain, self._share / 8 * self._sketch.total)
        return sorted(self._sketch.above(floor), key=lambda leader: (-leader[1], leader[0]))[:count_max]

    @property
    def total(self) -> float:
        return self._sketch.total

    @property
    def grain(self) -> float:
        return self._sketch.grain

    @property
    def held_bytes(self) -> int:
        return self._sketch.held_bytes

    def clear(self) -> None:
        self._sketch.clear()
        self._hot.clear()

    def _turn(self, now_ns: int) -> None:
        """Let time pass: the past fades, the bar follows the traffic, what cooled leaves."""
        self._sketch.pass_time(now_ns)
        total = self._sketch.total
        self._bar = bar(total, self._share / 2, self._sketch.grain)
        self._stay = self._share / 4 * total
        self._turn_at_ns = now_ns + _TURN_NS
        self._cool(now_ns)

    def _cool(self, now_ns: int) -> None:
        for key in [key for key, until_ns in self._hot.items() if until_ns <= now_ns]:
            del self._hot[key]
