"""What a person does with switches: look, draft, see what that would touch, put, undo. For the CLI and the console."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from tenfold.channel import Change
from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.protect.doors.shields.report import SHIELDS
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.declaration import DECLARED, read_declaration
from tenfold.protect.live.switches.reports import LOADS, STANDING, LoadReport, SwitchStanding
from tenfold.protect.live.switches.rule import TOPIC, without
from tenfold.respond.control import Conflict, ControlClient
from tenfold.respond.control.client import Terms
from tenfold.respond.switchboard.draft import Draft, read_or_nothing
from tenfold.respond.switchboard.effect import Effect, effect_of
from tenfold.respond.switchboard.following import Following, apart, differing, followers, following, standings_of
from tenfold.respond.switchboard.history import HistoryEntry, Links, Wholeness, ends_at, entry, in_force, wholeness_of
from tenfold.respond.switchboard.shield import ShieldView, read_reports, shield_views
from tenfold.respond.switchboard.undo import CannotUndo, undo_of
from tenfold.respond.switchboard.view import SwitchView, view_of

UNDO_PAGE = 20
ASK_EVERY_S = 0.05


class SwitchUnknown(TenfoldError):
    """Neither declared nor set."""


class UndoRefused(TenfoldError):
    """The change cannot be taken back by itself."""


class ChangedAgain(UndoRefused):
    """Somebody has changed the switch since."""


class SwitchOperator:
    """One person at a control node. Everything raises ControlUnreachableError, what changes ControlRefusedError."""

    def __init__(self, control: ControlClient, *, by: str, clock: Clock | None = None) -> None:
        self.control = control
        self._by = by
        self._clock = clock or SystemClock()

    def views(self) -> list[SwitchView]:
        """Every switch that is declared or set, by name."""
        declared, records = self.declared(), {record.key: record for record in self.control.records(TOPIC)}
        names = sorted(declared.keys() | records.keys())
        return [view_of(name, declared.get(name), records.get(name), now_ms=self._now_ms()) for name in names]

    def view(self, name: str) -> SwitchView:
        """Raises SwitchUnknown."""
        declaration, record = self.declaration(name), self.control.get(TOPIC, name)
        if declaration is None and record is None:
            raise SwitchUnknown(f"There is no switch '{name}': nobody has declared or set it.")
        otherwise = differing(name, self.control.processes(), self._standings())
        return view_of(name, declaration, record, now_ms=self._now_ms(), otherwise=otherwise)

    def shields(self) -> dict[str, ShieldView]:
        """The features of all processes by name, as these told of them."""
        return shield_views(read_reports(self.control.reports(SHIELDS)))

    def declared(self) -> dict[str, Declaration]:
        """The declarations that can be read, by name."""
        return dict(_readable(self.control.records(DECLARED)))

    def declaration(self, name: str) -> Declaration | None:
        """None as well for one that cannot be read: the node does not go by it either."""
        record = self.control.get(DECLARED, name)
        return dict(_readable([record])).get(name) if record is not None else None

    def draft_set(self, name: str, rule: Rule, *, override: bool = False) -> Draft:
        """`rule` instead of what is set for its scope; with `override` instead of everything that is set."""
        epoch, before = self._current(name)
        kept = SwitchRecord() if override else before.at(self._now_ms())
        return self._draft(name, epoch, before, kept.with_rule(rule))

    def draft_unset(self, name: str, scope: Rule | None) -> Draft:
        """Without what is set for the scope of that rule, None: without anything."""
        epoch, before = self._current(name)
        kept = before.at(self._now_ms())
        return self._draft(name, epoch, before, kept.without_scope(scope) if scope is not None else SwitchRecord())

    def draft_without(self, name: str, rule: Rule) -> Draft:
        """Without that very rule: what else is set for its scope, as a percentage of it, stays."""
        epoch, before = self._current(name)
        kept = before.at(self._now_ms())
        return self._draft(name, epoch, before, SwitchRecord(without(kept.rules, (rule,))))

    def draft_undo(self, name: str, change: int | None = None) -> Draft:
        """Without the newest change of the switch, which must be no newer than `change` when one is stated; what is
        over neither counts nor comes back. Raises UndoRefused, also when nothing would be different.
        """
        epoch, current = self._current(name)
        newest = self.control.history(TOPIC, name, limit=1)
        if newest and epoch not in (0, newest[0].epoch):
            raise UndoRefused(f"The switch '{name}' is being changed just now.", remedy="Look, then try again.")
        undo = undo_of(name, self._changes(name), current, self._now_ms(), change)
        if isinstance(undo, CannotUndo):
            refused = ChangedAgain if undo.newer is not None else UndoRefused
            raise refused(undo.problem, remedy=undo.remedy)
        return msgspec.structs.replace(self._draft(name, epoch, current, undo.after), undoes=undo.change)

    def effect(self, draft: Draft) -> Effect:
        """What the draft would touch."""
        alive = [one.process for one in followers(self.control.processes())]
        return effect_of(draft, alive, self.loads(), now_ms=self._now_ms())

    def loads(self) -> dict[str, LoadReport]:
        """How often each process reads which switch, by its id; what cannot be read says nothing."""
        loads: dict[str, LoadReport] = {}
        for process, payload in self.control.reports(LOADS).items():
            with suppress(ValueError):
                loads[process] = msgspec.json.decode(payload, type=LoadReport)
        return loads

    def put(self, draft: Draft, *, reason: str, confirmed: bool = False) -> Change | Conflict:
        """Make the change, if nobody was first. Raises ControlRefusedError."""
        terms = Terms(if_epoch=draft.if_epoch, by=self._by, reason=reason, confirmed=confirmed)
        if draft.after.rules:
            return self.control.put(TOPIC, draft.name, draft.after, **terms)
        return self.control.remove(TOPIC, draft.name, **terms)

    def following(self, epoch: int) -> Following:
        """The processes that have the change of that epoch in force."""
        return following(epoch, self.control.processes(), self.control.acks(epoch), self._standings())

    def acknowledged(self, epoch: int, *, within_s: float) -> Following:
        """The same, once each process has it or `within_s` is over. Blocks."""
        end_s = time.monotonic() + within_s
        while not (follows := self.following(epoch)).complete and time.monotonic() < end_s:
            time.sleep(ASK_EVERY_S)
        return follows

    def apart(self) -> tuple[str, ...]:
        """The processes that hold what another store had, and do not follow this node."""
        return apart(self.control.processes())

    def newest(self) -> int:
        """The epoch of the newest change of any switch, 0 when there was none."""
        changes = self.control.history(TOPIC, limit=1)
        return changes[0].epoch if changes else 0

    def digest(self, epoch: int) -> str:
        """The digest of the durable change of that epoch, empty when there is none."""
        links = self.control.chain(epoch - 1, limit=1).links
        return links[0].digest if links and links[0].epoch == epoch else ""

    def history(self, name: str | None = None, *, before: int | None = None, limit: int = 20) -> list[HistoryEntry]:
        """Changes of one switch or of all, newest first."""
        return [entry(change) for change in self.control.history(TOPIC, name, before=before, limit=limit)]

    def verify(self, *, seen: tuple[int, str] | None = None) -> Wholeness:
        """Work out here that the node's history is whole and leads to what is in force."""
        there, links = in_force(self.control), Links(self.control)
        return ends_at(wholeness_of(links, there, seen=seen), links.head)

    def _changes(self, name: str) -> Iterator[Change]:
        """The changes of one switch, newest first, as far back as the caller walks."""
        page = self.control.history(TOPIC, name, limit=UNDO_PAGE)
        while page:
            yield from page
            page = self.control.history(TOPIC, name, before=page[-1].epoch, limit=UNDO_PAGE)

    def _draft(self, name: str, epoch: int, before: SwitchRecord, after: SwitchRecord) -> Draft:
        declaration = self.declaration(name)
        return Draft(name=name, if_epoch=epoch, before=before, after=after, declaration=declaration)

    def _current(self, name: str) -> tuple[int, SwitchRecord]:
        """A record that cannot be read counts as none, so that it can be replaced."""
        record = self.control.get(TOPIC, name)
        return (record.epoch, read_or_nothing(record)) if record is not None else (0, SwitchRecord())

    def _standings(self) -> dict[str, SwitchStanding]:
        return standings_of(self.control.reports(STANDING))

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000


def _readable(records: Iterable[Change]) -> Iterator[tuple[str, Declaration]]:
    for record in records:
        with suppress(ValueError, TenfoldError):
            yield record.key, read_declaration(record.json or b"")
