"""Where changes are accepted, one batch at a time: weighed, made durable, and only then told to anybody."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from tenfold.channel.messages import Change
from tenfold.kernel import Clock, TenfoldError
from tenfold.respond.control.log import NO_CHECKS, ChangeBatch, Check, Conflict, Log, Put, Unacceptable
from tenfold.respond.control.store import ChangeStore
from tenfold.telemetry import Counter

WAITING_MAX = 1000
BATCH_MAX = 256

Outcome = Change | Conflict | Unacceptable


class WriterBusy(TenfoldError):
    """Too many changes wait to be made durable."""


Publish = Callable[[Change, str], None]
"""Given a change that was made and its digest, which is empty for what does not last."""


class ChangeFailed(TenfoldError):
    """A check or the store raised at one change what neither should; that one was not made, the writer goes on."""


class WriterEnded(TenfoldError):
    """The writer accepts changes no longer: the node is being closed, or what must not happen has happened.

    The change was not made.
    """


class OutcomeUnknown(TenfoldError):
    """The writer ended while the disk was at the change: it may be durable, and told at the next start, or not."""


class _Asked(NamedTuple):
    """A put, and who waits for what becomes of it."""

    put: Put
    outcome: "asyncio.Future[Outcome]"

    def answer(self, outcome: Outcome | TenfoldError) -> None:
        if self.outcome.done():
            return
        if isinstance(outcome, TenfoldError):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class ChangeWriter:
    """Owns the log from `open` to `close`. A caller that leaves while its change is weighed does not stop it.

    What a check or the store raises is the failure of the put that it was raised at. `failures` counts those, and what
    was raised by telling: that change is durable and made, and who was not told of it asks at the next line.
    """

    def __init__(
        self,
        log: Log,
        store: ChangeStore,
        publish: Publish,
        clock: Clock,
        checks: Mapping[str, Check] = NO_CHECKS,
        failures: Counter | None = None,
    ) -> None:
        self._log = log
        self._checks = checks
        self._store = store
        self._publish = publish
        self._clock = clock
        self._failures = failures or Counter()
        self._waiting: asyncio.Queue[_Asked] = asyncio.Queue(WAITING_MAX)
        self._disk_asked = False
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="control-store")
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._work(), name="control-writer")
        self._task.add_done_callback(lambda _: self._send_away())

    async def close(self) -> None:
        """End, once the batch at hand is durable, told and answered; who still waits hears that nobody takes his
        change.
        """
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._send_away()
        self._disk.shutdown(wait=True)

    @property
    def ended(self) -> bool:
        """True once it accepts changes no longer."""
        return self._task is not None and self._task.done()

    async def put(self, put: Put) -> Outcome:
        """What became of the put; once this answers a Change, the change is durable.

        Raises WriterBusy, WriterEnded, ChangeFailed, StoreUnusable: it was not made; OutcomeUnknown.
        """
        if self.ended:
            raise _ended()
        asked = _Asked(put, asyncio.get_running_loop().create_future())
        try:
            self._waiting.put_nowait(asked)
        except asyncio.QueueFull:
            raise WriterBusy(
                f"{WAITING_MAX} changes wait for the control store already; this one was not made.",
                remedy="Try again in a moment.",
            ) from None
        return await asked.outcome

    async def _work(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH_MAX and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._disk_asked = False
            try:
                await _to_the_end(asyncio.create_task(self._accept(batch), name="control-batch"))
            except BaseException:
                for asked in batch:
                    asked.answer(_unknown() if self._disk_asked else _ended())
                raise

    async def _accept(self, batch: Sequence[_Asked]) -> None:
        """Answer every put of the batch. What one of them makes the store raise is not the others'."""
        drafted = ChangeBatch(self._log, self._checks)
        outcomes = [self._weigh(drafted, asked.put) for asked in batch]
        try:
            digests = await self._durable(drafted.changes) if drafted.changes else {}
        except TenfoldError as error:
            outcomes = [error for _ in batch]
        except Exception as error:
            if len(batch) > 1:
                for asked in batch:
                    await self._accept([asked])
                return
            outcomes = [self._failed(batch[0].put, error)]
        else:
            self._tell(drafted.changes, digests)
        for outcome, asked in zip(outcomes, batch, strict=True):
            asked.answer(outcome)

    def _weigh(self, drafted: ChangeBatch, put: Put) -> Outcome | TenfoldError:
        try:
            return drafted.weigh(put, self._clock.wall_ns())
        except Exception as error:
            return self._failed(put, error)

    def _tell(self, changes: Sequence[Change], digests: Mapping[int, str]) -> None:
        for change in changes:
            self._log.append(change)
            try:
                self._publish(change, digests.get(change.epoch, ""))
            except Exception:
                self._failures.inc()

    def _failed(self, put: Put, error: Exception) -> ChangeFailed:
        self._failures.inc()
        failure = ChangeFailed(
            f"The change of '{put.topic}/{put.key}' failed ({type(error).__name__}: {error}); it was not made."
        )
        failure.__cause__ = error
        return failure

    def _send_away(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait().answer(_ended())

    async def _durable(self, changes: Sequence[Change]) -> Mapping[int, str]:
        self._disk_asked = True
        return await asyncio.get_running_loop().run_in_executor(self._disk, self._store.commit, changes)


def _ended() -> WriterEnded:
    return WriterEnded(
        "The control node accepts no change any longer; this one was not made, and every process keeps what it has.",
        remedy="Start it again; then look at the record before changing it again.",
    )


def _unknown() -> OutcomeUnknown:
    return OutcomeUnknown(
        "The control node ended while it wrote this change down; nobody knows whether it was made.",
        remedy="Start it again; then look at the record before changing it again.",
    )


async def _to_the_end(work: "asyncio.Task[None]") -> None:
    """Wait for `work` even when cancelled meanwhile, since what is durable must also be told; then be cancelled."""
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
