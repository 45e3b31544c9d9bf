"""Makes records of what processes declare, so that a switch is known, and can be set, when no process runs."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.declaration import DECLARED, read_declaration
from tenfold.respond.control import ControlNode, Put

WAITING_MAX = 2000
NAMES_MAX = 5000
"""Declared in all."""
SERVICES_MAX = 256
BURST = 1000
PER_S = 1.0
"""So many changed declarations of one service become records at once, and from then on: more is no deployment."""


class Allowance:
    """Token buckets by service (Turner, 1986), of which the one seen longest ago goes. Pure: time comes in."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, service: str, now_ns: int) -> bool:
        left, since_ns = self._left.pop(service, (float(BURST), now_ns))
        left = min(float(BURST), left + (now_ns - since_ns) / 1e9 * PER_S)
        taken = left >= 1
        self._left[service] = (left - 1 if taken else left, now_ns)
        if len(self._left) > SERVICES_MAX:
            self._left.popitem(last=False)
        return taken


class _Report(msgspec.Struct):
    """A `DeclarationReport`, each part of which is read by itself."""

    declarations: list[msgspec.Raw]


class Declarations:
    """Listens from its making, records from `open` to `close`. Of two that differ, the one said last holds."""

    def __init__(self, node: ControlNode) -> None:
        self.dropped = 0
        self._node = node
        self._allowance = Allowance()
        node.registry.gauge(
            "tenfold_switchboard_declarations_dropped", "Declarations that were too many at once, or too many in all."
        ).child().ask(lambda: float(self.dropped))
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
        service = self._node.ledger.service_of(process) or ""
        for part in self._decoder.decode(payload).declarations:
            try:
                self._take(service, msgspec.json.decode(part, type=Declaration))
            except asyncio.QueueFull:
                self.dropped += 1
            except ValueError as error:
                bad = error
        if bad is not None:
            raise bad

    def _take(self, service: str, declaration: Declaration) -> None:
        """Raises asyncio.QueueFull, ValueError for what cannot be written down again."""
        known = self.get(declaration.name)
        if declaration == known:
            return
        try:
            msgspec.json.encode(declaration)
        except OverflowError as error:
            raise ValueError(f"The declaration of '{declaration.name}' holds a number that is none.") from error
        now_ns = self._node.clock.monotonic_ns()
        if not self._allowance.take(service, now_ns) or (known is None and self._is_full()):
            self.dropped += 1
            return
        self._waiting.put_nowait(declaration)

    def _is_full(self) -> bool:
        return self._node.log.topics().get(DECLARED, 0) >= NAMES_MAX

    async def _record_all(self) -> None:
        while True:
            declaration = await self._waiting.get()
            if declaration == self.get(declaration.name):
                continue
            json = msgspec.json.encode(declaration)
            put = Put(topic=DECLARED, key=declaration.name, value=json, by="declaration", reason="declared in code")
            with suppress(TenfoldError):  # the node cannot write just now; the process says it again
                await self._node.put(put)
