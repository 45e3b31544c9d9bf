"""A control node in memory, behind what `ControlClient` offers: its own log, its own rules, no server and no disk."""

from typing import Any

import msgspec

from tenfold.channel import Change, Process
from tenfold.channel.messages import encode
from tenfold.kernel.clock import VirtualClock
from tenfold.protect.doors.shields.report import SHIELDS
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.declaration import DECLARED, read_declaration
from tenfold.protect.live.switches.reports import LOADS, STANDING
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import Conflict, ControlRefusedError, Put, Unacceptable
from tenfold.respond.control.client import KeyRecords, TopicRecords
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.control.log import ChangeBatch, Log
from tenfold.respond.control.store import ROOT, Chain, Head, HeldRecord, Link, RecordsHeld, link
from tenfold.respond.switchboard.draft import refusal_of_switch


class MemoryControl:
    """`failing`, when set, is raised by every question."""

    def __init__(self, clock: VirtualClock) -> None:
        self.log = Log("memory", "boot")
        self.links: list[Link] = []
        self._digest = ROOT
        self.presences: list[Presence] = []
        self.acknowledged: dict[int, list[Ack]] = {}
        self.loads: dict[str, msgspec.Raw] = {}
        self.standings: dict[str, msgspec.Raw] = {}
        self.shields: dict[str, msgspec.Raw] = {}
        self.failing: Exception | None = None
        self._changes: list[Change] = []
        self._clock = clock

    def declare(self, declaration: Declaration) -> None:
        self._make(Put(topic=DECLARED, key=declaration.name, value=msgspec.json.encode(declaration), by="code"))

    def follow(self, process: Process) -> None:
        self.presences.append(Presence(process=process, epoch=self.log.epoch, since_ns=0, streams=1))

    def get(self, topic: str, key: str) -> Change | None:
        self._fail()
        return self.log.get(topic, key)

    def records(self, topic: str) -> list[Change]:
        return self.records_at(topic).records

    def records_at(self, topic: str) -> TopicRecords:
        self._fail()
        return TopicRecords(self.log.epoch, self.log.records(topic))

    def at(self, key: str, *topics: str, changes: int = 0) -> KeyRecords:
        self._fail()
        records = [record for topic in topics if (record := self.log.get(topic, key)) is not None]
        return KeyRecords(records, self.history(topics[0], key, limit=changes))

    def put(self, topic: str, key: str, value: Any, **said: Any) -> Change | Conflict:
        return self._make(Put(topic=topic, key=key, value=msgspec.json.encode(value), **said))

    def remove(self, topic: str, key: str, **said: Any) -> Change | Conflict:
        return self._make(Put(topic=topic, key=key, value=None, **said))

    def history(
        self, topic: str | None = None, key: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Change]:
        self._fail()
        found = [
            change
            for change in reversed(self._changes)
            if topic in (None, change.topic) and key in (None, change.key) and (not before or change.epoch < before)
        ]
        return found[:limit]

    def chain(self, after: int, *, limit: int = 1000) -> Chain:
        self._fail()
        head = Head(self.links[-1].epoch, self._digest) if self.links else Head(0, ROOT)
        return Chain([one for one in self.links if one.epoch > after][:limit], head)

    def held(self) -> dict[str, RecordsHeld]:
        self._fail()
        lasting = [
            HeldRecord(record.topic, record.key, encode(record).decode())
            for record in self.log.records()
            if not record.ephemeral
        ]
        held = RecordsHeld(self.log.epoch, lasting)
        return {"in force": held, "in the file": held}

    def processes(self) -> list[Presence]:
        self._fail()
        return self.presences

    def acks(self, epoch: int) -> list[Ack]:
        self._fail()
        return self.acknowledged.get(epoch, [])

    def reports(self, topic: str) -> dict[str, msgspec.Raw]:
        self._fail()
        return {LOADS: self.loads, STANDING: self.standings, SHIELDS: self.shields}.get(topic, {})

    def close(self) -> None:
        """Nothing is open."""

    def _make(self, put: Put) -> Change | Conflict:
        self._fail()
        draft = ChangeBatch(self.log, {TOPIC: self._check})
        outcome = draft.weigh(put, self._clock.wall_ns())
        if isinstance(outcome, Unacceptable):
            raise ControlRefusedError(outcome.problem)
        if isinstance(outcome, Change):
            self._append(outcome)
        return outcome

    def slip_in(self, name: str, json: bytes) -> None:
        """A record of a switch as no check of today lets it through."""
        epoch = self.log.epoch
        self._append(Change(epoch=epoch + 1, previous=epoch, topic=TOPIC, key=name, value=msgspec.Raw(json), by="x"))

    def _append(self, change: Change) -> None:
        self.log.append(change)
        self._changes.append(change)
        self._digest = link(self._digest, change)
        self.links.append(Link(change.epoch, encode(change).decode(), self._digest))

    def _check(self, put: Put, current: Change | None, now_ns: int) -> str:
        def declared(name: str) -> Declaration | None:
            record = self.log.get(DECLARED, name)
            return read_declaration(record.json or b"") if record is not None else None

        return refusal_of_switch(put, current, now_ns, declared=declared, names=list)

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing
