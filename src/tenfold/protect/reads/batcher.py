"""Asks for many keys at once what callers ask one by one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from tenfold.kernel import TenfoldError
from tenfold.kernel.tasks import end_tasks
from tenfold.protect.doors.deadline import for_many

Item = TypeVar("Item")
Result = TypeVar("Result")


class BatcherFull(TenfoldError):
    """As many items wait as may."""


class BatcherClosed(TenfoldError):
    """The batcher was closed before the item was answered."""


class Batcher(Generic[Item, Result]):
    """Items asked for in one turn of the event loop leave in one batch; while `batches_max` are out, more gather.

    `carry` answers one result for each item, in their order, and must end by itself: it is what has the timeout. So a
    lone item waits for nobody, and the busier it gets, the larger the batches, and never the number of connections.
    """

    def __init__(
        self,
        carry: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        batch_max: int = 256,
        batches_max: int = 2,
        waiting_max: int = 4_096,
    ) -> None:
        self._carry = carry
        self._batch_max = batch_max
        self._batches_max = batches_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._out: dict[asyncio.Task[None], list[tuple[Item, asyncio.Future[Result]]]] = {}
        self._called = False

    async def ask(self, item: Item) -> Result:
        """The result for `item`; what `carry` raises, everyone of its batch gets. Raises BatcherFull."""
        if len(self._waiting) >= self._waiting_max:
            raise BatcherFull(f"{self._waiting_max} items wait for a batch; one more was not taken.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        self._call(loop)
        return await future

    async def close(self) -> None:
        """End what is out; whoever waits gets BatcherClosed."""
        _fail(self._waiting, BatcherClosed("The batcher was closed."))
        self._waiting.clear()
        await end_tasks(*self._out)

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._called and self._waiting and len(self._out) < self._batches_max:
            self._called = True
            loop.call_soon(self._send, loop)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._called = False
        batch = self._take()
        if batch:
            with for_many():
                task = loop.create_task(self._run(batch))
            self._out[task] = batch
            task.add_done_callback(self._returned)
        self._call(loop)

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next batch, without those whose asker has gone."""
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._batch_max:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    def _returned(self, task: asyncio.Task[None]) -> None:
        """A cancellation is seen here: a task that was cancelled before its first step sees nothing itself."""
        batch = self._out.pop(task)
        if task.cancelled():
            _fail(batch, BatcherClosed("The batcher was closed."))
        self._call(task.get_loop())

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._carry([item for item, _ in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(batch)} items were carried, and {len(results)} results came back")
        except Exception as error:  # each asker gets it and is the one to judge it
            _fail(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


def _fail(batch: Iterable[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
