"""Works off in the background, in batches and to a bound, what readers leave behind and do not wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Generic, TypeVar

from tenfold.kernel.tasks import end_tasks, runs_here

Item = TypeVar("Item")


class Drain(Generic[Item]):
    """Items by key, of which the newest wins. A task runs while something waits, and none when nothing does.

    `work` takes a batch of at most `batch_max` and must not raise. Before each batch the task waits for `gather_s`, so
    that more go together. For one event loop.
    """

    def __init__(
        self,
        work: Callable[[dict[str, Item]], Awaitable[None]],
        *,
        batch_max: int,
        waiting_max: int,
        gather_s: float = 0.0,
    ) -> None:
        self._work = work
        self._batch_max, self._waiting_max, self._gather_s = batch_max, waiting_max, gather_s
        self._waiting: dict[str, Item] = {}
        self._task: asyncio.Task[None] | None = None

    def offer(self, key: str, item: Item) -> bool:
        """Have `item` worked off soon; False when as many keys wait as may."""
        if len(self._waiting) >= self._waiting_max and key not in self._waiting:
            return False
        self._waiting[key] = item
        if not runs_here(self._task):
            self._task = asyncio.get_running_loop().create_task(self._run())
        return True

    def forget(self, key: str) -> None:
        """Leave `key` undone, if it waits."""
        self._waiting.pop(key, None)

    async def close(self) -> int:
        """End what runs; answers how many items waited and are left undone."""
        left = len(self._waiting)
        self._waiting.clear()
        await end_tasks(self._task)
        return left

    async def _run(self) -> None:
        while self._waiting:
            if self._gather_s:
                await asyncio.sleep(self._gather_s)
            batch = {key: self._waiting.pop(key) for key in list(islice(self._waiting, self._batch_max))}
            await self._work(batch)
