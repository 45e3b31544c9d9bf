"""Reads anew, in batches, what a near cache held: after a gap or an emptying, sooner than readers would one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.near import NearCache
from tenfold.telemetry import Registry

ReadMany = Callable[[Sequence[str]], Awaitable[Mapping[str, Found]]]
"""Answers what a source of truth holds of these keys, in one round trip; keys that are not there are left out."""


class Refill:
    """What waits to be read anew for one near cache; a task runs while something waits. For one event loop.

    A key alone costs a climb; in a batch it costs a twentieth. At most `keys_per_s_max`, so that readers come first.
    What cannot be read is left to them.
    """

    def __init__(
        self,
        near: NearCache,
        read_many: ReadMany,
        *,
        batch_max: int = 128,
        keys_per_s_max: float = 10_000,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._near = near
        self._read_many = read_many
        self._batch_max = batch_max
        self._pause_s = batch_max / keys_per_s_max
        self._clock = clock or SystemClock()
        label = ("cache",)
        done = (registry or Registry()).counter("tenfold_refilled_total", "Values read anew in batches.", label)
        self._done = done.child(near.name)
        self._waiting: dict[str, None] = {}  # a set that keeps the order
        self._running: asyncio.Task[None] | None = None

    def begin(self, keys: Sequence[str]) -> None:
        """Read these anew in the background, in their order, after what waits already."""
        self._waiting.update(dict.fromkeys(keys))
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run(), name=f"refill-{self._near.name}")

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while batch := list(islice(self._waiting, self._batch_max)):
            for key in batch:
                del self._waiting[key]
            await self._load(batch)
            await asyncio.sleep(self._pause_s)

    async def _load(self, keys: Sequence[str]) -> None:
        tokens = {key: self._near.begin(key) for key in keys}
        try:
            found = await self._read_many(keys)
        except Exception:  # the source is foreign code; a reader who needs it will climb
            return
        now_ns = self._clock.wall_ns()
        for key, one in found.items():
            age = Duration(max(0, now_ns - one.true_at_ns)) if one.true_at_ns else None
            self._near.put(key, one.value, version=one.version, token=tokens[key], age=age)
        self._done.inc(len(found))
