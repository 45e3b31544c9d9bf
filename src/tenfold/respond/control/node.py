"""The control node: its records, who follows them, and what they report. One event loop; no server in it."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from itertools import cycle
from uuid import uuid4

from tenfold.channel import Process
from tenfold.channel.messages import Acks, AppliedEpoch, Beat, Change, Reports, encode
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.respond.control.callers import ControlCaller
from tenfold.respond.control.change_writer import ChangeWriter, Outcome
from tenfold.respond.control.fanout import TURNS, Fanout
from tenfold.respond.control.hearing import Heard, in_short, refusal_of_ack, refusal_of_process
from tenfold.respond.control.inbox import Inbox
from tenfold.respond.control.ledger import FollowerLedger
from tenfold.respond.control.log import EPHEMERAL_TOPICS, Check, Log, Put
from tenfold.respond.control.replay import SEALS
from tenfold.respond.control.sealer import Sealer
from tenfold.respond.control.store import ControlStore
from tenfold.telemetry import EventLog, Registry

BEAT_EVERY = Duration.from_ms(250)
"""Each process hears a beat this often; it acknowledges at a beat."""
OPERATOR = ControlCaller()
REPORTS_OUTLIVE = Duration.from_s(10)
"""A process that left so long ago takes its reports along."""


TOPICS_COUNTED_MAX = 50
OTHER_TOPICS = "others"
REBUILT_TOLD_MAX = 20
"""So many records that were edited are named one by one."""


class ControlNode:
    """Puts changes in order and tells everyone. The store belongs to the caller."""

    def __init__(
        self,
        store: ControlStore,
        *,
        ephemeral_topics: Collection[str] = EPHEMERAL_TOPICS,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.registry = registry or Registry()
        self.store = store
        self._events = events
        self.rebuilt = store.recover()
        """The records that somebody had edited in the store; what the history leads to is in force."""
        self.log = Log(
            store.incarnation,
            uuid4().hex,
            epoch=store.epoch(),
            records=store.records(),
            history=store.window(),
            replaces=store.replaces,
            ephemeral_topics=ephemeral_topics,
        )
        self.fanout = Fanout(self.registry)
        self.ledger = FollowerLedger()
        self.inbox = Inbox(self.registry)
        self.clock = clock or SystemClock()
        self.checks: dict[str, Check] = {}
        """By topic, what else may be wrong with a change; a topic's owner puts its check here before `open`."""
        failures = self.registry.counter(
            "tenfold_control_change_failures_total", "Changes that a check, the store or the telling raised at."
        ).child()
        self._writer = ChangeWriter(self.log, store, self._publish, self.clock, self.checks, failures)
        self._sealer = Sealer(self.log, self._writer.put, store.head(), store.unsealed())
        self.checks[SEALS] = self._sealer.check
        self._beating: asyncio.Task[None] | None = None
        self._counted = set[str]()
        self._declare()
        self._tell_rebuilt()

    def _tell_rebuilt(self) -> None:
        if self._events is None:
            return
        for one in self.rebuilt[:REBUILT_TOLD_MAX]:
            self._events.emit("control-record-rebuilt", one.place, history=one.said, file=one.stands)

    def _declare(self) -> None:
        self.registry.gauge("tenfold_control_epoch", "The newest epoch given.").child().ask(
            lambda: float(self.log.epoch)
        )
        self.registry.gauge(
            "tenfold_control_changes_unreadable", "Changes left out of the history, since they cannot be read."
        ).child().ask(lambda: float(len(self.store.unreadable)))
        self.registry.gauge(
            "tenfold_control_records_rebuilt", "Records that had been edited in the store, put right at the start."
        ).child().ask(lambda: float(len(self.rebuilt)))
        self._changes = self.registry.counter("tenfold_control_changes_total", "Changes accepted.", ("topic",))
        self._acks = self.registry.counter("tenfold_control_acks_total", "Acknowledgements received.").child()
        self._refused = self.registry.counter(
            "tenfold_control_words_refused_total", "Acknowledgements, reports and streams that were not believed."
        ).child()
        self._took = self.registry.timer(
            "tenfold_control_applied_seconds", "From a change's acceptance until a process had it in force."
        ).child()

    async def open(self) -> None:
        self._writer.open()
        self._sealer.open()
        self._beating = asyncio.create_task(self._beat(), name="control-beat")

    async def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self._sealer.close()
        await self._writer.close()
        self.fanout.close()

    @property
    def ended(self) -> bool:
        """True once it was opened and accepts changes no longer."""
        return self._writer.ended

    async def put(self, put: Put) -> Outcome:
        """The accepted change, durable and on its way to everyone, or why not."""
        return await self._writer.put(put)

    def hear_acks(self, acks: Acks, caller: ControlCaller = OPERATOR) -> Heard:
        """What can be is taken, the rest refused one by one. Of a store that is not this one they say nothing."""
        heard = self._hears(acks.process, caller)
        if not heard.known or heard.foreign:
            return heard
        if acks.incarnation != self.log.incarnation:
            self._refused.inc(len(acks.applied))
            return Heard(refused=["all: these epochs are of another store than this node's"])
        refused: list[str] = []
        for number, applied in enumerate(acks.applied):
            why = refusal_of_ack(applied, oldest=self.log.oldest, newest=self.log.epoch)
            if why:
                refused.append(f"{number}: {why}")
            else:
                self._take_ack(acks.process, applied)
        self._acks.inc(len(acks.applied) - len(refused))
        self._refused.inc(len(refused))
        return Heard(refused=refused)

    def hear_reports(self, reports: Reports, caller: ControlCaller = OPERATOR) -> Heard:
        """As of acknowledgements."""
        heard = self._hears(reports.process, caller)
        if not heard.known or heard.foreign:
            return heard
        refused = [
            f"{number}: {why}"
            for number, report in enumerate(reports.reports)
            if (why := self.inbox.receive(reports.process, report.topic, bytes(report.payload)))
        ]
        self._refused.inc(len(refused))
        return Heard(refused=refused)

    def _hears(self, process_id: str, caller: ControlCaller) -> Heard:
        """Whether the caller may speak for the process, and the process has ever followed this node."""
        service = self.ledger.service_of(process_id)
        if service is None:
            return Heard(known=False)
        if not caller.may_speak_for(service):
            self._refused.inc()
            return Heard(foreign=f"This token is of service '{caller.service}'; the process is another service's.")
        return Heard()

    def _take_ack(self, process_id: str, applied: AppliedEpoch) -> None:
        why, now_ns = in_short(applied.refused), self.clock.monotonic_ns()
        took_ns = self.ledger.acked(process_id, applied.epoch, applied.held_ns, applied.failures, now_ns, refused=why)
        if took_ns is not None and not why:
            self._took.record_ns(took_ns)

    def refuses(self, process: Process, caller: ControlCaller) -> str:
        """Why the process may not follow; nothing when it may."""
        why = refusal_of_process(process)
        if not why and not caller.may_speak_for(process.service):
            why = f"This token is of service '{caller.service}'; it cannot speak for '{process.service}'."
        why = why or self.ledger.refusal_of(process)
        if why:
            self._refused.inc()
        return why

    def _publish(self, change: Change, digest: str) -> None:
        self.ledger.accepted(change.epoch, self.clock.monotonic_ns(), ephemeral=change.ephemeral)
        self._count(change.topic)
        if not change.ephemeral:
            self._sealer.took(change, digest)
        self.fanout.publish(encode(change))
        if self._events is not None and not change.ephemeral:
            place = f"{change.topic}/{change.key}"
            self._events.emit("control-changed", place, epoch=change.epoch, by=change.by, digest=digest)

    def _count(self, topic: str) -> None:
        """By topic, as long as there are few."""
        if len(self._counted) < TOPICS_COUNTED_MAX:
            self._counted.add(topic)
        self._changes.child(topic if topic in self._counted else OTHER_TOPICS).inc()

    async def _beat(self) -> None:
        for turn in cycle(range(TURNS)):
            await asyncio.sleep(BEAT_EVERY.s / TURNS)
            self.fanout.publish(encode(Beat(epoch=self.log.epoch)), turn=turn)
            if turn == 0:
                self._forget_who_left()

    def _forget_who_left(self) -> None:
        """A process that left takes its reports along, once it has had time to come back."""
        now_ns = self.clock.monotonic_ns()
        for presence in self.ledger.presences(now_ns):
            if presence.left_ns is not None and now_ns - presence.left_ns > REPORTS_OUTLIVE.ns:
                self.inbox.forget(presence.process.id)
