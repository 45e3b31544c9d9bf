"""Runs the fleet's merge on a control node: reports in, words out."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.breaker.fleet import FleetBreakers
from tenfold.protect.breaker.messages import TOPIC, BreakerReport, Word

GATHER = Duration.from_ms(20)
LOOK = Duration.from_ms(250)
"""What processes said is forgotten in time, so the merge is looked at this often even when nobody reports."""

Put = Callable[[str, bytes | None], Awaitable[object]]
"""Puts a record of topic TOPIC: key, and JSON or None to remove it."""


class BreakersTender:
    """In one event loop, from `open` to `close`. `took` is for every report of `topic`; `put` tells every process.

    What fails to be put is counted in `failures`, and told again until it is put.
    """

    topic = TOPIC

    def __init__(self, put: Put, *, fleet: FleetBreakers | None = None, clock: Clock | None = None) -> None:
        self.fleet = fleet or FleetBreakers()
        self.failures = 0
        self._put = put
        self._clock = clock or SystemClock()
        self._decoder = msgspec.json.Decoder(BreakerReport)
        self._untold: dict[str, Word | None] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def took(self, process: str, payload: bytes) -> None:
        """A report came in. Raises msgspec.DecodeError for what is none."""
        self.fleet.took(process, self._decoder.decode(payload), self._clock.monotonic_ns())
        self._news.set()

    def open(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._tend(), name="breakers")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _tend(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK.s):
                    await self._news.wait()
            self._news.clear()
            await self._tell()
            await asyncio.sleep(GATHER.s)

    async def _tell(self) -> None:
        self._untold |= self.fleet.changes(self._clock.monotonic_ns())
        for name, word in list(self._untold.items()):
            try:
                await self._put(name, msgspec.json.encode(word) if word is not None else None)
                del self._untold[name]
            except Exception:  # the node's store is foreign here, and the word is told again
                self.failures += 1
