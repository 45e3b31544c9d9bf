"""Makes records of what processes declare, so that a switch is known, and can be set, when no process runs."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.declaration import DECLARED, read_declaration
from tenfold.respond.control import ControlNode, Put

WAITING_MAX = 2000


class _Report(msgspec.Struct):
    """A `DeclarationReport`, each part of which is read by itself."""

    declarations: list[msgspec.Raw]


class Declarations:
    """Listens from its making, records from `open` to `close`. Of two that differ, the one said last holds."""

    def __init__(self, node: ControlNode) -> None:
        self.dropped = 0
        self._node = node
        self._decoder = msgspec.json.Decoder(_Report)
        self._waiting: asyncio.Queue[Declaration] = asyncio.Queue(WAITING_MAX)
        self._task: asyncio.Task[None] | None = None
        node.inbox.on_report(DECLARED, self._took)

    def get(self, name: str) -> Declaration | None:
        record = self._node.log.get(DECLARED, name)
        if record is None or record.json is None:
            return None
        with suppress(ValueError, TenfoldError):
            return read_declaration(record.json)
        return None

    def names(self) -> Iterable[str]:
        return [record.key for record in self._node.log.records(DECLARED)]

    def open(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._record_all(), name="switch-declarations")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _took(self, process: str, payload: bytes) -> None:
        """Raises ValueError for what is no report, and for one that holds what is no declaration, once the good ones
        are taken. What does not fit is said again by the process that misses it.
        """
        bad: ValueError | None = None
        for part in self._decoder.decode(payload).declarations:
            try:
                self._waiting.put_nowait(msgspec.json.decode(part, type=Declaration))
            except asyncio.QueueFull:
                self.dropped += 1
            except ValueError as error:
                bad = error
        if bad is not None:
            raise bad

    async def _record_all(self) -> None:
        while True:
            declaration = await self._waiting.get()
            if declaration == self.get(declaration.name):
                continue
            json = msgspec.json.encode(declaration)
            put = Put(topic=DECLARED, key=declaration.name, value=json, by="declaration", reason="declared in code")
            with suppress(TenfoldError):  # the node cannot write just now; the process says it again
                await self._node.put(put)
