"""Has the history vouch for its own records now and then, so that what is older can be pruned."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from tenfold.channel.messages import Change, encode
from tenfold.kernel import TenfoldError
from tenfold.respond.control.log import Log, Put
from tenfold.respond.control.pruning import SEAL_EVERY, SEAL_EVERY_BYTES
from tenfold.respond.control.replay import SEAL_KEY, SEALS, seal_of
from tenfold.respond.control.store import Head

BY = "control"
REFUSAL = "Seals are the control node's own; nobody else writes one."


class Sealer:
    """Told of each durable change once the log has it; writes a seal when enough of them came. For the node's loop."""

    def __init__(self, log: Log, put: Callable[[Put], Awaitable[object]], head: Head, unsealed: int) -> None:
        self._log = log
        self._put = put
        self._head = head
        self._changes = unsealed
        self._bytes = 0
        self._due = asyncio.Event()
        self._asked: Put | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="control-seals")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def check(self, put: Put, current: Change | None, now_ns: int) -> str:
        """Lets in what this one asked for."""
        return "" if put is self._asked else REFUSAL

    def took(self, change: Change, digest: str) -> None:
        self._head = Head(change.epoch, digest)
        if change.topic == SEALS:
            self._changes = self._bytes = 0
            return
        self._changes += 1
        self._bytes += len(encode(change))
        if self._changes >= SEAL_EVERY or self._bytes >= SEAL_EVERY_BYTES:
            self._due.set()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            lasting = (record for record in self._log.records() if not record.ephemeral)
            seal = seal_of(self._head.epoch, self._head.digest, lasting)
            self._asked = Put(topic=SEALS, key=SEAL_KEY, value=msgspec.json.encode(seal), by=BY)
            with suppress(TenfoldError):  # the store cannot write just now; the next change asks again
                await self._put(self._asked)
