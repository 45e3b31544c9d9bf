"""The switchboard of a control node: what it checks, records and ends."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from tenfold.channel import Change
from tenfold.kernel import Duration, TenfoldError
from tenfold.kernel.clock import utc
from tenfold.protect.live.switches import SwitchRecord
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import ControlNode, Put
from tenfold.respond.switchboard.declarations import Declarations
from tenfold.respond.switchboard.draft import read_or_nothing, refusal_of_declaration, refusal_of_switch

LOOK = Duration.from_ms(500)
BY = "tenfold"


class Switchboard:
    """Checks every change from its making on; records and ends from `open` to `close`, in the node's loop."""

    def __init__(self, node: ControlNode) -> None:
        self.declarations = Declarations(node)
        self.expiry = Expiry(node)
        node.checks[TOPIC] = partial(refusal_of_switch, declared=self.declarations.get, names=self.declarations.names)
        node.checks[DECLARED] = refusal_of_declaration

    def open(self) -> None:
        self.declarations.open()
        self.expiry.open()

    async def close(self) -> None:
        await self.expiry.close()
        await self.declarations.close()


class Expiry:
    """Takes what is over out of the records, so that the history says so; in the node's loop from `open` to `close`.

    Nobody waits for this: every process has put the switch back by itself at that moment, by its own clock.
    """

    def __init__(self, node: ControlNode) -> None:
        self._node = node
        self._read: dict[str, tuple[int, SwitchRecord]] = {}
        self._task: asyncio.Task[None] | None = None
        self._ended = node.registry.counter(
            "tenfold_switchboard_ended_total", "Records that were written anew because a rule was over."
        ).child()
        self._failures = node.registry.counter(
            "tenfold_switchboard_failures_total", "Records of which what is over could not be taken out just now."
        ).child()

    def open(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="switch-expiry")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Take out what is over now."""
        for put in list(self._over(self._node.clock.wall_ns() // 1_000_000)):
            try:
                outcome = await self._node.put(put)
            except TenfoldError:
                self._failures.inc()
            else:
                (self._ended if isinstance(outcome, Change) else self._failures).inc()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK.s)
            await self.look()

    def _over(self, now_ms: int) -> Iterator[Put]:
        """Made under the condition that nobody changes the switch meanwhile, as who renews it does."""
        known, self._read = self._read, {}
        for change in self._node.log.records(TOPIC):
            epoch, record = known.get(change.key, (0, SwitchRecord()))
            record = record if epoch == change.epoch else read_or_nothing(change)
            self._read[change.key] = (change.epoch, record)
            left = record.at(now_ms)
            if len(left.rules) < len(record.rules):
                yield Put(
                    topic=TOPIC,
                    key=change.key,
                    value=left.json,
                    if_epoch=change.epoch,
                    by=BY,
                    reason=_reason(record, now_ms),
                    confirmed=True,
                )


def _reason(record: SwitchRecord, now_ms: int) -> str:
    over = [rule for rule in record.rules if rule.ended(now_ms)]
    ends = ", ".join(sorted({utc(rule.until_ms * 1_000_000) for rule in over}))
    return f"was set until {ends}"[:1000]
