"""Tells every process of what has changed: reads the notes of each source, has them told, tears them up.

A note is torn up only when everybody was told, so that a publisher that dies begins again; telling twice is harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from tenfold.engines.postgres import written_lsn
from tenfold.kernel import Duration, TenfoldError
from tenfold.telemetry import Registry

WOKEN_BY = "freshmart_change"
"""PostgreSQL notifies this channel when a note is written (migration 0006)."""
LOOK_EVERY = Duration.from_s(2)
"""How often it beats while nothing changes; a notification that was lost with a server costs this much at most."""
AGAIN = Duration.from_ms(50)
TIMEOUT = Duration.from_s(2)
BATCH_MAX = 500
UNREACHABLE = (OSError, TimeoutError, TenfoldError, asyncpg.PostgresError, asyncpg.InterfaceError)

Tell = Callable[[Any, Sequence[Any], int], Awaitable[None]]
"""Tells everybody of these notes, which were committed before that log position, on a connection to the primary."""


class ChangePublisher:
    """One task between `open` and `close`, on a connection of its own to the primary.

    `sources` are tables of notes, each with an `id`, and what tells of them; `beat` tells that all has been told.
    """

    def __init__(
        self, primary_url: str, sources: Mapping[str, Tell], *, beat: Callable[[], Awaitable[None]], registry: Registry
    ) -> None:
        self._url = primary_url
        self._beat = beat
        self._sources = sources
        told = registry.counter("freshmart_changes_told_total", "Changes that every process was told of.", ("source",))
        self._told = {name: told.child(name) for name in sources}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="change-publisher")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with suppress(*UNREACHABLE):  # the notes lie where they are; it begins again
                await self._serve()
            await asyncio.sleep(AGAIN.s)

    async def _serve(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=TIMEOUT.s, command_timeout=TIMEOUT.s)
        try:
            await connection.add_listener(WOKEN_BY, lambda *_: self._woken.set())
            connection.add_termination_listener(lambda _: self._woken.set())
            while True:
                self._woken.clear()
                told = [await self._publish(connection, name, tell) for name, tell in self._sources.items()]
                if not any(told):
                    await self._beat()
                    await self._rest()
        finally:
            connection.terminate()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY.s):
                await self._woken.wait()

    async def _publish(self, connection: Any, name: str, tell: Tell) -> int:
        """Answers of how many it has told."""
        notes = await connection.fetch(f"SELECT * FROM {name} ORDER BY id LIMIT $1", BATCH_MAX)  # noqa: S608  # ours
        if notes:
            await tell(connection, notes, await written_lsn(connection))
            ids = [note["id"] for note in notes]
            await connection.execute(f"DELETE FROM {name} WHERE id = ANY ($1::bigint[])", ids)  # noqa: S608  # ours
            self._told[name].inc(len(notes))
        return len(notes)
