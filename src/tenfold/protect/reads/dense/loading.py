"""Fills a dense table row by row: at the start, when it is in doubt, has gaps, or has not been read for long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from tenfold.kernel import Duration
from tenfold.protect.reads.dense.table import DenseTable
from tenfold.telemetry import Registry

EVERY = Duration.from_s(600)
"""All rows are read anew this often: a change that nobody announced is seen by then."""
PAUSE = Duration.from_ms(20)
"""Between rows, so that readers come first."""
AGAIN = Duration.from_ms(500)
AGAIN_MAX = Duration.from_s(10)


class LoadedRow(NamedTuple):
    """A byte a column as a source of truth held them, and the source's version when it did."""

    levels: bytes
    version: int


ReadRow = Callable[[str], Awaitable[LoadedRow]]
"""Reads one row whole. May raise whatever the source raises."""


class DenseLoading:
    """One task between `open` and `close`. It sleeps until the table is in need or `every` has passed.

    A row that cannot be read, or lacks what was announced, is tried again after a growing pause; what lies in the table
    meanwhile is answered as long as the table says. While announcements are not heard, rows are read anew as they
    expire.
    """

    def __init__(
        self,
        table: DenseTable,
        rows: Sequence[str],
        read_row: ReadRow,
        *,
        every: Duration = EVERY,
        pause: Duration = PAUSE,
        registry: Registry | None = None,
    ) -> None:
        self._table, self._rows, self._read_row = table, rows, read_row
        self._every_s, self._pause_s = every.s, pause.s
        self._needed, self._asked = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        family = (registry or Registry()).counter(
            "tenfold_dense_rows_total", "Rows read in bulk, by whether they were taken.", ("table", "outcome")
        )
        self._taken, self._refused, self._failed = (
            family.child(table.name, outcome) for outcome in ("taken", "refused", "failed")
        )

    def open(self) -> None:
        """Begin to load."""
        loop = asyncio.get_running_loop()
        self._table.on_need = lambda: loop.call_soon_threadsafe(self._needed.set)
        self._task = loop.create_task(self._keep(), name=f"dense-{self._table.name}")

    async def whole(self) -> None:
        """Wait until every row has been asked for once."""
        await self._asked.wait()

    async def close(self) -> None:
        self._table.on_need = lambda: None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        await self._load(self._rows)
        self._asked.set()
        due_s, again_s = loop.time() + self._every_s, AGAIN.s
        while True:
            left = self._table.expire()
            wanting = self._table.wanting(self._rows)
            wait_s = min(due_s - loop.time(), left.s if left else self._every_s, again_s if wanting else self._every_s)
            needed = await self._wait(max(0.0, wait_s))
            self._table.expire()
            if loop.time() >= due_s:
                await self._load(self._rows)
                due_s = loop.time() + self._every_s
            elif needed or wanting:
                await self._load(self._table.wanting(self._rows))
            again_s = min(2 * again_s, AGAIN_MAX.s) if wanting and not needed else AGAIN.s

    async def _wait(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._needed.wait()
        needed = self._needed.is_set()
        self._needed.clear()
        return needed

    async def _load(self, rows: Sequence[str]) -> None:
        for row in rows:
            await self._take(row)
            await asyncio.sleep(self._pause_s)

    async def _take(self, row: str) -> None:
        token = self._table.begin()
        try:
            loaded = await self._read_row(row)
        except Exception:  # the source is foreign code; the row is tried again
            self._failed.inc()
            return
        taken = self._table.put(row, loaded.levels, loaded.version, token)
        (self._taken if taken else self._refused).inc()
