"""What the near cache shows of itself from outside."""

from typing import Protocol

from tenfold.protect.reads.near.store import FillRefusal
from tenfold.telemetry import Registry

LABEL = ("cache",)


class Holding(Protocol):
    """The part of a cache that its gauges look at."""

    @property
    def held_bytes(self) -> int: ...
    @property
    def absent_entries(self) -> int: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def proven(self) -> bool: ...
    def __len__(self) -> int: ...


class NearMetrics:
    """Counters in hand, and gauges that ask."""

    def __init__(self, registry: Registry, name: str, cache: Holding) -> None:
        self.hits = registry.counter("tenfold_near_hits_total", "Reads the near cache answered.", LABEL).child(name)
        self.misses = registry.counter(
            "tenfold_near_misses_total", "Reads the near cache could not answer.", LABEL
        ).child(name)
        self.evictions = registry.counter(
            "tenfold_near_evictions_total", "Entries that made room for others.", LABEL
        ).child(name)
        self.invalidations = registry.counter(
            "tenfold_near_invalidations_total", "Keys the near cache was told are no longer true.", LABEL
        ).child(name)
        self.refreshes = registry.counter(
            "tenfold_near_refreshes_total", "Readers asked to load a key anew while its value was answered.", LABEL
        ).child(name)
        self.capped = registry.counter(
            "tenfold_near_refreshes_capped_total", "Refreshes not asked for: as many as may be a second were.", LABEL
        ).child(name)
        refused = registry.counter(
            "tenfold_near_fills_refused_total", "Fills not kept: invalidated meanwhile, or older.", (*LABEL, "why")
        )
        self.refused = {why: refused.child(name, why.value) for why in FillRefusal}
        self._look(registry, name, cache)

    def _look(self, registry: Registry, name: str, cache: Holding) -> None:
        for gauge, help_text, source in (
            ("tenfold_near_bytes", "Bytes the near cache holds, overhead included.", lambda: cache.held_bytes),
            ("tenfold_near_entries", "Entries the near cache holds.", lambda: len(cache)),
            ("tenfold_near_absent_entries", "Keys known to lead to nothing.", lambda: cache.absent_entries),
            ("tenfold_near_proven", "1 while every invalidation is heard, 0 in doubt.", lambda: float(cache.proven)),
            ("tenfold_near_on", "1 while the near cache is on, 0 while it is left.", lambda: float(cache.enabled)),
        ):
            registry.gauge(gauge, help_text, LABEL).child(name).ask(source)
