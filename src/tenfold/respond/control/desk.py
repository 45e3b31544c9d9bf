"""Where changes are accepted, one batch at a time: weighed, made durable, and only then told to anybody."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from tenfold.kernel import Clock, TenfoldError
from tenfold.protect.channel.lines import Change
from tenfold.respond.control.log import NO_CHECKS, Check, Conflict, Draft, Log, Put, Unacceptable

WAITING_MAX = 1000
BATCH_MAX = 256

Outcome = Change | Conflict | Unacceptable


class DeskBusy(TenfoldError):
    """Too many changes wait to be made durable."""


class Store(Protocol):
    """Makes changes durable, all or none."""

    def commit(self, changes: Sequence[Change]) -> None: ...


class Desk:
    """Owns the log from `open` to `close`. Whoever leaves while his change is weighed does not stop it."""

    def __init__(
        self,
        log: Log,
        store: Store,
        publish: Callable[[Change], None],
        clock: Clock,
        checks: Mapping[str, Check] = NO_CHECKS,
    ) -> None:
        self._log = log
        self._checks = checks
        self._store = store
        self._publish = publish
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[Put, asyncio.Future[Outcome]]] = asyncio.Queue(WAITING_MAX)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="control-store")
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._work(), name="control-desk")

    async def close(self) -> None:
        """End, once the batch at hand is durable; who still waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        while not self._waiting.empty():
            self._waiting.get_nowait()[1].cancel()
        self._disk.shutdown(wait=True)

    async def put(self, put: Put) -> Outcome:
        """What became of it; once this answers a Change, the change is durable. Raises DeskBusy, StoreUnusable."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((put, outcome))
        except asyncio.QueueFull:
            raise DeskBusy(
                f"{WAITING_MAX} changes wait for the control store already; this one was not made.",
                remedy="Try again in a moment.",
            ) from None
        return await outcome

    async def _work(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH_MAX and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._accept(batch)

    async def _accept(self, batch: Sequence[tuple[Put, asyncio.Future[Outcome]]]) -> None:
        draft = Draft(self._log, self._checks)
        outcomes = [draft.weigh(put, self._clock.wall_ns()) for put, _ in batch]
        try:
            if draft.changes:
                await self._durable(draft.changes)
        except TenfoldError as error:
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for change in draft.changes:
            self._log.append(change)
            self._publish(change)
        for outcome, (_, waiting) in zip(outcomes, batch, strict=True):
            if not waiting.done():
                waiting.set_result(outcome)

    async def _durable(self, changes: Sequence[Change]) -> None:
        """Not cancelled halfway: what is durable must also be told."""
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._disk, self._store.commit, changes)
        await _to_the_end(writing)


async def _to_the_end(work: "asyncio.Future[None]") -> None:
    """Wait for `work` even when cancelled meanwhile; then be cancelled."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
