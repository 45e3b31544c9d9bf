"""Every shelf's step in this process: a byte each, loaded in bulk, kept in step by announcements.

A shelf near for 30 s and in a cluster for 60 s is asked for too seldom to be there when it is: most readers climbed to
the replica (docs/adr/0046).
"""

from collections.abc import Sequence
from typing import Any

from freshmart.inventory.postgres import availability, read_steps, shelf_key, shelves
from tenfold.engines.postgres import LogPosition
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect import NearCache
from tenfold.protect.reads.dense import DenseLoading, DenseTable, LoadedRow
from tenfold.protect.reads.valkey.tracking import Announcer
from tenfold.telemetry import EventLog, Registry

SHELVES = "availability:"
LAG_MAX = Duration.from_s(5)
_UNKNOWN = 255


class StepsLate(TenfoldError):
    """The replica is too far behind for its steps to be taken."""


class StockSteps:
    """Answers from `open` to `close`; before, and for what is not known here, None: then a ladder is asked.

    `near` holds what that ladder found, and hears of the same changes. The steps are read from `pool`, a replica's.
    """

    def __init__(
        self,
        stores: Sequence[int],
        skus: Sequence[int],
        *,
        pool: Any,
        position: LogPosition,
        near: NearCache,
        registry: Registry,
        events: EventLog,
    ) -> None:
        self._places = {sku: place for place, sku in enumerate(skus)}
        self._rows = [shelves(store, shadow=shadow) for store in stores for shadow in (False, True)]
        self._pool, self._position = pool, position
        self._near = near
        self._table = DenseTable("availability", [str(sku) for sku in skus], registry=registry, events=events)
        self._loading = DenseLoading(self._table, self._rows, self._read_row, registry=registry)

    def answer(self, store: int, sku: int, *, shadow: bool) -> bytes | None:
        step = self._table.get(shelves(store, shadow=shadow), str(sku))
        return None if step is None else availability(store, sku, step)

    def open(self) -> None:
        self._loading.open()

    async def whole(self) -> None:
        """Wait until every shelf has been asked for once."""
        await self._loading.whole()

    async def close(self) -> None:
        await self._loading.close()

    def invalidate(self, key: str, version: int = 0) -> None:
        """As a target of tracking."""
        self._table.invalidate(key, version)
        self._near.invalidate(key, version)

    def doubt(self) -> None:
        """The near cache keeps its lifetime as its promise: it is short, and no announcement prolongs it."""
        self._table.doubt()

    def prove(self) -> None:
        self._table.prove()

    async def _read_row(self, row: str) -> LoadedRow:
        async with self._pool.acquire() as connection:
            position = await self._position.reach(connection, 0)
            if position.lag > LAG_MAX:
                raise StepsLate(f"The replica is {position.lag} behind; the steps of '{row}' were not taken.")
            steps = await read_steps(connection, row)
        levels = bytearray([_UNKNOWN]) * len(self._places)
        for sku, step in steps.items():
            if sku in self._places:
                levels[self._places[sku]] = step
        return LoadedRow(bytes(levels), position.lsn)


class StepPublisher:
    """Announces shelves whose step has changed."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    async def tell(self, _: Any, notes: Sequence[Any], lsn: int) -> None:
        """`notes`: rows with store, sku and shadow. Raises AnnouncementFailed."""
        keys = {shelf_key(note["store"], note["sku"], shadow=note["shadow"]) for note in notes}
        await self._announcer.announce(SHELVES, dict.fromkeys(keys, lsn))
