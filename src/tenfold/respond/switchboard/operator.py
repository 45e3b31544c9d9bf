"""What a person does with switches: look, draft, see what that would touch, put, undo. For the CLI and the console."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from tenfold.channel import Change
from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.protect.doors.shields.report import SHIELDS
from tenfold.protect.live.switches import Declaration, Rule
from tenfold.protect.live.switches.declaration import DECLARED, read_declaration
from tenfold.protect.live.switches.reports import LOADS, STANDING, LoadReport, SwitchStanding
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control import Conflict, ControlClient
from tenfold.respond.control.client import Terms
from tenfold.respond.switchboard.draft import Current, Draft
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
    """Another person has changed the switch since."""


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
        switch = self.known(name)
        otherwise = differing(name, self.control.processes(), self._standings())
        return view_of(name, switch.declaration, switch.record, now_ms=switch.now_ms, otherwise=otherwise)

    def current(self, name: str, *, newest: int = 0) -> Current:
        """The switch as it is, in one request; a declaration that cannot be read is none: the node does not go by it
        either.
        """
        found = self.control.at(name, TOPIC, DECLARED, changes=newest)
        declared = [record for record in found.records if record.topic == DECLARED]
        return Current(
            name=name,
            now_ms=self._now_ms(),
            record=found.of(TOPIC),
            declaration=dict(_readable(declared)).get(name),
            newest=tuple(found.changes),
        )

    def known(self, name: str) -> Current:
        """Raises SwitchUnknown."""
        switch = self.current(name)
        if switch.declaration is None and switch.record is None:
            raise SwitchUnknown(f"There is no switch '{name}': nobody has declared or set it.")
        return switch

    def shields(self) -> dict[str, ShieldView]:
        """The features of all processes by name, as these told of them."""
        return shield_views(read_reports(self.control.reports(SHIELDS)))

    def declared(self) -> dict[str, Declaration]:
        """The declarations that can be read, by name."""
        return dict(_readable(self.control.records(DECLARED)))

    def declaration(self, name: str) -> Declaration | None:
        return self.current(name).declaration

    def draft_set(self, name: str, rule: Rule, *, override: bool = False) -> Draft:
        return self.current(name).draft_set(rule, override=override)

    def draft_unset(self, name: str, scope: Rule | None) -> Draft:
        return self.current(name).draft_unset(scope)

    def draft_undo(self, name: str, change: int | None = None) -> Draft:
        """Without the newest change of the switch, which must be no newer than `change` when one is stated; what is
        over neither counts nor comes back. Raises UndoRefused, also when nothing would be different.
        """
        switch = self.current(name, newest=UNDO_PAGE)
        if switch.newest and switch.epoch not in (0, switch.newest[0].epoch):
            raise UndoRefused(f"The switch '{name}' is being changed just now.", remedy="Look, then try again.")
        undo = undo_of(name, self._changes(name, switch.newest), switch.before, switch.now_ms, change)
        if isinstance(undo, CannotUndo):
            refused = ChangedAgain if undo.newer is not None else UndoRefused
            raise refused(undo.problem, remedy=undo.remedy)
        return msgspec.structs.replace(switch.draft(undo.after), undoes=undo.change)

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
        return ends_at(wholeness_of(links, there, seen=seen, base=links.base), links.head)

    def _changes(self, name: str, page: Sequence[Change]) -> Iterator[Change]:
        """Of one switch, newest first, as far back as the caller asks; `page` is the newest of them."""
        while page:
            yield from page
            page = self.control.history(TOPIC, name, before=page[-1].epoch, limit=UNDO_PAGE)

    def _standings(self) -> dict[str, SwitchStanding]:
        return standings_of(self.control.reports(STANDING))

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000


def _readable(records: Iterable[Change]) -> Iterator[tuple[str, Declaration]]:
    for record in records:
        with suppress(ValueError, TenfoldError):
            yield record.key, read_declaration(record.json or b"")
