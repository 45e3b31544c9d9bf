"""The store behind a lock: many threads change it, and it can be left or doubted while the sale is on."""

import threading
from collections.abc import Callable

from tenfold.protect.reads.near.entry import Entry, Kept
from tenfold.protect.reads.near.metrics import NearMetrics
from tenfold.protect.reads.near.store import NearStore
from tenfold.telemetry import EventLog

_NOTHING: dict[str, Kept] = {}


class SharedStore:
    """Safe from any thread. What readers may use without the lock lies in `_at_hand`."""

    def __init__(
        self, name: str, store: NearStore, counts: NearMetrics, *, now_ns: Callable[[], int], events: EventLog | None
    ) -> None:
        self.name = name
        self._store = store
        self._counts = counts
        self._now_ns = now_ns
        self._events = events
        self._lock = threading.Lock()
        self._enabled = True
        self._point()

    def entry(self, key: str) -> Entry | None:
        """What lies here for `key`, fresh or stale or known to be nothing; counts nothing, asks nobody to refresh."""
        with self._lock:
            return self._store.entry(key, self._now_ns()) if self._enabled else None

    def invalidate(self, key: str, version: int = 0) -> None:
        """`key` has changed: what is older than `version` is wrong; with version 0, all that was loaded so far."""
        with self._lock:
            self._counts.invalidations.value += 1
            self._store.invalidate(key, version, self._now_ns())

    def drop(self, key: str) -> None:
        """Forget `key`, without a word on whether it was true; it is no error when it is not here."""
        with self._lock:
            self._store.drop(key)

    def clear(self) -> None:
        """Forget everything, and whatever is being loaded now."""
        with self._lock:
            self._store.clear()
            self._point()

    def doubt(self) -> None:
        """Invalidations may have been missed: what lies here, or is being loaded, is no longer answered as fresh."""
        with self._lock:
            was_proven = self._store.proven
            self._store.doubt()
            self._point()
        if was_proven:
            self._tell("near-doubted")

    def prove(self) -> None:
        """Every invalidation is heard again: what is loaded from now on is fresh."""
        with self._lock:
            was_proven = self._store.proven
            if not was_proven:
                self._store.prove()
        if not was_proven:
            self._tell("near-proven")

    @property
    def enabled(self) -> bool:
        """False: nothing is answered and nothing is kept; invalidations are still heard. Costs a hit nothing."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        with self._lock:
            changed, self._enabled = enabled != self._enabled, enabled
            self._point()
        if changed:
            self._tell("near-on" if enabled else "near-off")

    def on(self) -> None:
        self.enabled = True

    def off(self) -> None:
        self.enabled = False

    def keys(self, *, unproven: bool = False) -> list[str]:
        """What values lie here, or only those in doubt; a moment's view."""
        with self._lock:
            table = self._store.table
            return [*table.unproven] if unproven else [*table.proven, *table.unproven]

    @property
    def proven(self) -> bool:
        """False from `doubt` to `prove`: then invalidations may be missed."""
        return self._store.proven

    @property
    def held_bytes(self) -> int:
        return self._store.held_bytes

    @property
    def absent_entries(self) -> int:
        return len(self._store.absences)

    def __len__(self) -> int:
        return len(self._store)

    def after_fork(self) -> None:
        """After a fork: a lock that another thread held will never be released, and what it guards may be torn."""
        torn, self._lock = self._lock.locked(), threading.Lock()
        if torn:
            self.clear()

    def _point(self) -> None:
        """What changes at once for every reader: what is proven is at hand, or nothing while this is off."""
        self._at_hand = self._store.table.proven if self._enabled else _NOTHING

    def _tell(self, kind: str) -> None:
        if self._events is not None:
            unproven = len(self._store.table.unproven)
            self._events.emit(kind, self.name, entries=len(self), unproven=unproven)
