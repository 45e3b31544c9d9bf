"""Runs a merge of what the processes of a fleet report, on a control node: reports in, words for everybody out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from tenfold.kernel import Clock, Duration, SystemClock

Report = TypeVar("Report", contravariant=True)

GATHER = Duration.from_ms(20)
LOOK = Duration.from_ms(250)
"""What processes said is forgotten in time, so the merge is looked at this often even when nobody reports."""

Put = Callable[[str, bytes | None], Awaitable[object]]
"""Puts a record of the loop's topic: key, and JSON or None to remove it."""


class Merge(Protocol[Report]):
    """What a fleet knows together; pure, time is an argument."""

    def took(self, process: str, report: Report, now_ns: int) -> None:
        """One process has reported."""
        ...

    def changes(self, now_ns: int, *, wall_ms: int) -> Mapping[str, Any]:
        """The records that have changed since the last look: what msgspec can write, or None to remove one."""
        ...


class MergeLoop(Generic[Report]):
    """In one event loop, from `open` to `close`. `took` is for every report of `topic`; `put` tells every process.

    What fails to be put is counted in `failures`, and told again until it is put or something newer is.
    """

    def __init__(
        self, topic: str, report: type[Report], merge: Merge[Report], put: Put, *, clock: Clock | None = None
    ) -> None:
        self.topic = topic
        self.failures = 0
        self._merge = merge
        self._put = put
        self._clock = clock or SystemClock()
        self._decoder = msgspec.json.Decoder(report)
        self._untold: dict[str, Any] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def took(self, process: str, payload: bytes) -> None:
        """A report came in. Raises msgspec.DecodeError for what is none."""
        self._merge.took(process, self._decoder.decode(payload), self._clock.monotonic_ns())
        self._news.set()

    def open(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.topic)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK.s):
                    await self._news.wait()
            self._news.clear()
            await self._tell()
            await asyncio.sleep(GATHER.s)

    async def _tell(self) -> None:
        self._untold |= self._merge.changes(self._clock.monotonic_ns(), wall_ms=self._clock.wall_ns() // 1_000_000)
        for key, word in list(self._untold.items()):
            try:
                await self._put(key, msgspec.json.encode(word) if word is not None else None)
                del self._untold[key]
            except Exception:  # the node's store is foreign here, and the word is told again
                self.failures += 1
