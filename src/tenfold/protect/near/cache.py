"""The near cache: values in the process itself, the last line of every hot read."""

import random
import threading
from collections import OrderedDict
from dataclasses import dataclass

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.telemetry import Registry

ENTRY_OVERHEAD_BYTES = 420
"""What one entry costs beyond the bytes of its key and value: object headers, times, its place in the table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the near cache holds for a key. `value` is None when it holds that there is nothing."""

    value: bytes | None
    age: Duration
    fresh: bool


class _Kept:
    """An entry as it lies in the table. `asked` is its second chance at eviction."""

    __slots__ = ("asked", "fresh_until_ns", "kept_at_ns", "size_bytes", "usable_until_ns", "value")

    def __init__(self, value: bytes | None, size_bytes: int, now_ns: int, ttl_ns: int, stale_ns: int) -> None:
        self.value = value
        self.size_bytes = size_bytes
        self.kept_at_ns = now_ns
        self.fresh_until_ns = now_ns + ttl_ns
        self.usable_until_ns = self.fresh_until_ns + stale_ns
        self.asked = False


class NearCache:
    """Values by key, fresh for `ttl` and kept `stale` longer for the day when nobody else can answer.

    Bounded by `bytes_max`, overhead included, and by `entries_max`. When full, the oldest entry that nobody asked
    for since it came, or since it was last spared, goes first (second chance; Corbató, 1968). Lifetimes are
    shortened by up to `jitter_ratio`, so that what came together does not expire together.

    Reading is safe from any thread and takes no lock; counts may then miss a few.
    """

    def __init__(
        self,
        name: str,
        *,
        bytes_max: int,
        ttl: Duration,
        stale: Duration | None = None,
        entries_max: int = 100_000,
        jitter_ratio: float = 0.1,
        clock: Clock | None = None,
        registry: Registry | None = None,
        seed: int = 0,
    ) -> None:
        self.name = name
        self._bytes_max = bytes_max
        self._entries_max = entries_max
        self._ttl_ns = ttl.ns
        self._stale_ns = stale.ns if stale else 0
        self._jitter_ratio = jitter_ratio
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._chance = random.Random(seed)
        self._entries: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        label = ("cache",)
        hits = registry.counter("tenfold_near_hits_total", "Reads the near cache answered.", label)
        misses = registry.counter("tenfold_near_misses_total", "Reads the near cache could not answer.", label)
        evictions = registry.counter("tenfold_near_evictions_total", "Entries that made room for others.", label)
        held = registry.gauge("tenfold_near_bytes", "Bytes the near cache holds, overhead included.", label)
        entries = registry.gauge("tenfold_near_entries", "Entries the near cache holds.", label)
        self._hits, self._misses = hits.child(self.name), misses.child(self.name)
        self._evictions = evictions.child(self.name)
        held.child(self.name).ask(lambda: self._bytes)
        entries.child(self.name).ask(lambda: len(self._entries))

    def get(self, key: str) -> bytes | None:
        """The value while it is fresh; None when there is none, when it is stale, and when there is nothing."""
        kept = self._entries.get(key)
        if kept is not None and self._now_ns() < kept.fresh_until_ns and kept.value is not None:
            kept.asked = True
            self._hits.value += 1
            return kept.value
        self._misses.value += 1
        return None

    def hit(self, key: str) -> bytes | None:
        """What `get` answers, without counting a miss: for callers who ask again at once."""
        kept = self._entries.get(key)
        if kept is not None and self._now_ns() < kept.fresh_until_ns and kept.value is not None:
            kept.asked = True
            self._hits.value += 1
            return kept.value
        return None

    def entry(self, key: str) -> Entry | None:
        """What lies here for `key`, fresh or stale or known to be nothing; counts nothing."""
        kept = self._entries.get(key)
        now_ns = self._now_ns()
        if kept is None or now_ns >= kept.usable_until_ns:
            return None
        return Entry(kept.value, Duration(now_ns - kept.kept_at_ns), now_ns < kept.fresh_until_ns)

    def put(self, key: str, value: bytes | None, *, ttl: Duration | None = None) -> None:
        """Keep `value`; None keeps the knowledge that there is nothing, which is never served stale."""
        size_bytes = len(key) + (len(value) if value is not None else 0) + ENTRY_OVERHEAD_BYTES
        stale_ns = self._stale_ns if value is not None else 0
        kept = _Kept(value, size_bytes, self._now_ns(), self._jittered_ns(ttl), stale_ns)
        with self._lock:
            self._remove(key)
            if size_bytes <= self._bytes_max:
                self._entries[key] = kept
                self._bytes += size_bytes
                self._make_room(kept.kept_at_ns)

    def drop(self, key: str) -> None:
        """Forget `key`; it is no error when it is not here."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def held_bytes(self) -> int:
        return self._bytes

    def count_hit(self) -> None:
        """Count a hit that was answered from `entry`."""
        self._hits.value += 1

    def count_miss(self) -> None:
        """Count a miss that `hit` left uncounted."""
        self._misses.value += 1

    def _jittered_ns(self, ttl: Duration | None) -> int:
        ttl_ns = ttl.ns if ttl else self._ttl_ns
        return int(ttl_ns * (1 - self._jitter_ratio * self._chance.random()))

    def _remove(self, key: str) -> None:
        kept = self._entries.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size_bytes

    def _make_room(self, now_ns: int) -> None:
        """Each entry is spared at most once a call, so that this ends whatever was asked for."""
        while self._bytes > self._bytes_max or len(self._entries) > self._entries_max:
            key, kept = next(iter(self._entries.items()))
            if kept.asked and now_ns < kept.usable_until_ns:
                kept.asked = False
                self._entries.move_to_end(key)
            else:
                self._remove(key)
                self._evictions.value += 1
