"""A byte for each of many known keys: loaded in bulk, kept in step by announcements."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tenfold.kernel import Clock, Duration
from tenfold.telemetry import EventLog, Registry

UNKNOWN = 255
LEVEL_MAX = 254
STALE = Duration.from_s(30)
RECENT_MAX = 10_000
GAPS_MAX = 1_000


class LoadToken(NamedTuple):
    """The moment in which the load of a row began: how many invalidations and proofs there had been."""

    sequence: int


class _Change(NamedTuple):
    """The newest announcement of one cell."""

    version: int
    sequence: int


class DenseTable:
    """Levels from 0 to LEVEL_MAX by row and column; a cell that is not known is None, and its reader asks the ladder.

    A key is `row:column`, the row with or without colons of its own. The table is a `Target` of tracking: an
    announcement empties its cell unless the row is as new; while announcements may be missed, what lies here is
    answered for `stale` more and then no longer. Rows whose load began after the proof are proven again. When
    `gaps_max` cells have been emptied, `on_need` is called.

    An announcement is remembered until its row is as new (`recent_max` of them; what is forgotten raises a floor below
    which no row is taken), so a load that was under way cannot bring an old level back.

    Reads take no lock. Safe from any thread.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[str],
        *,
        stale: Duration = STALE,
        recent_max: int = RECENT_MAX,
        gaps_max: int = GAPS_MAX,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self.on_need: Callable[[], object] = lambda: None
        """Called, in any thread, when rows should be loaded anew."""
        self._columns = {column: place for place, column in enumerate(columns)}
        self._levels: dict[str, bytearray] = {}
        self._versions: dict[str, int] = {}
        self._unproven: dict[str, int] = {}
        """Rows in doubt, and until when they are answered all the same."""
        self._recent: dict[str, dict[str, _Change]] = {}
        self._remembered = self._newest = 0
        self._recent_max, self._gaps_max, self._gaps = recent_max, gaps_max, 0
        self._floor = self._sequence = self._proof = 0
        self._proven = True
        self._stale_ns = stale.ns
        self._now_ns = clock.monotonic_ns if clock else time.monotonic_ns
        self._events = events
        self._lock = threading.Lock()
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        reads = registry.counter("tenfold_dense_reads_total", "Reads of a dense table.", ("table", "outcome"))
        self._hits, self._misses = reads.child(self.name, "hit"), reads.child(self.name, "miss")
        changes = registry.counter("tenfold_dense_invalidations_total", "Cells announced as changed.", ("table",))
        self._invalidations = changes.child(self.name)
        gaps = registry.gauge("tenfold_dense_unknown_cells", "Cells whose level is not known.", ("table",))
        gaps.child(self.name).ask(lambda: float(self.unknown))

    def get(self, row: str, column: str) -> int | None:
        """The level; None when it is not known here."""
        levels, place = self._levels.get(row), self._columns.get(column)
        if levels is None or place is None or (level := levels[place]) == UNKNOWN:
            self._misses.value += 1
            return None
        self._hits.value += 1
        return level

    @property
    def unknown(self) -> int:
        """Cells without a level, in the rows that lie here."""
        return sum(levels.count(UNKNOWN) for levels in list(self._levels.values()))

    @property
    def proven(self) -> bool:
        """Whether every announcement is heard and every row was loaded since."""
        return self._proven and not self._unproven

    def begin(self) -> LoadToken:
        """To be called before the load of a row begins, and given to its `put`."""
        return LoadToken(self._sequence)

    def put(self, row: str, levels: bytes, version: int, token: LoadToken) -> bool:
        """Take a whole row, a byte a column, as it was at `version`; a cell announced as newer stays unknown.

        Answers whether the row was taken: not when announcements newer than `version` have been forgotten.
        """
        if len(levels) != len(self._columns):
            raise ValueError(f"A row of '{self.name}' has {len(self._columns)} columns, and {len(levels)} came.")
        with self._lock:
            if version < max(self._floor, self._versions.get(row, 0)):
                return False
            taken, recent = bytearray(levels), self._recent.get(row, {})
            for column, change in list(recent.items()):
                if change.version > version if change.version else change.sequence > token.sequence:
                    taken[self._columns[column]] = UNKNOWN
                else:
                    del recent[column]
                    self._remembered -= 1
            self._levels[row], self._versions[row] = taken, version
            if self._proven and token.sequence >= self._proof:
                self._unproven.pop(row, None)
            else:
                self._unproven[row] = self._now_ns() + self._stale_ns
        return True

    def invalidate(self, key: str, version: int = 0) -> None:
        """`key` has changed; what is as new as `version` is right. Version 0: whatever is here is wrong."""
        row, _, column = key.rpartition(":")
        place = self._columns.get(column)
        if place is None:
            return
        with self._lock:
            self._invalidations.value += 1
            self._sequence += 1
            self._newest = max(self._newest, version)
            if version and version <= self._versions.get(row, 0):
                return
            self._remember(row, column, version)
            needy = row in self._levels and self._empty(self._levels[row], place)
        if needy:
            self.on_need()

    def doubt(self) -> None:
        """Announcements may be missed from now on: what lies here is answered for `stale` more."""
        with self._lock:
            if not self._proven:
                return
            self._proven = False
            until_ns = self._now_ns() + self._stale_ns
            for row in self._levels:
                self._unproven.setdefault(row, until_ns)
        self._tell("dense-doubted")
        self.on_need()

    def prove(self) -> None:
        """Every announcement is heard again: rows whose load begins now are proven."""
        with self._lock:
            if self._proven:
                return
            self._proven = True
            self._sequence += 1
            self._proof = self._sequence
        self._tell("dense-proven")
        self.on_need()

    def expire(self) -> Duration | None:
        """Stop answering rows that have been in doubt for `stale`; answers how long the next may still be answered."""
        with self._lock:
            now_ns = self._now_ns()
            for row in [row for row, until_ns in self._unproven.items() if until_ns <= now_ns]:
                del self._unproven[row], self._levels[row], self._versions[row]
            return Duration(min(self._unproven.values()) - now_ns) if self._unproven else None

    def wanting(self, rows: Sequence[str]) -> list[str]:
        """Those that should be loaded: not here, in doubt although announcements are heard, or with gaps."""
        with self._lock:
            return [
                row
                for row in rows
                if row not in self._levels or (self._proven and row in self._unproven) or self._recent.get(row)
            ]

    def _empty(self, levels: bytearray, place: int) -> bool:
        """Answers whether so many cells have been emptied that the rows should be loaded anew."""
        self._gaps += levels[place] != UNKNOWN
        levels[place] = UNKNOWN
        needy = self._gaps >= self._gaps_max
        if needy:
            self._gaps = 0
        return needy

    def _remember(self, row: str, column: str, version: int) -> None:
        """Bounded: when too many are remembered all are forgotten, and no row is taken that might lack one of them."""
        if self._remembered >= self._recent_max:
            self._recent.clear()
            self._remembered, self._floor = 0, self._newest
        recent = self._recent.setdefault(row, {})
        before = recent.get(column)
        self._remembered += before is None
        blind = version == 0 or (before is not None and before.version == 0)
        newest = 0 if blind else max(version, before.version if before else 0)
        recent[column] = _Change(newest, self._sequence)

    def _tell(self, kind: str) -> None:
        if self._events is not None:
            self._events.emit(kind, self.name, rows=len(self._levels))
