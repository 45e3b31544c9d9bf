"""The switches of one process by name: what is declared, what is set, and what of it is over.

No thread, no channel, no time of its own: those come in. For one thread at a time, `Switches` sees to that; the
switches themselves may be read by all.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches.declaration import Declaration, DeclarationInvalid
from tenfold.protect.live.switches.rule import Place, RecordInvalid, Rule, SwitchRecord
from tenfold.protect.live.switches.switch import BooleanSwitch, PercentageSwitch, Switch
from tenfold.telemetry import EventLog, Registry

_MADE: dict[str, type[Switch[Any]]] = {"boolean": BooleanSwitch, "percentage": PercentageSwitch}


class CallbackFailed(TenfoldError):
    """A callback raised at a change; the change is in force nevertheless."""


class _Set(NamedTuple):
    """The newest good record of a name, whether a switch of that name is declared here or not: what is left of it, and
    the rules that have ended here. Those stay ended, whatever a clock that is set back says.
    """

    record: SwitchRecord
    epoch: int
    ended: tuple[Rule, ...] = ()

    def at(self, now_ms: int) -> "_Set":
        """Without what is over by now."""
        left = self.record.at(now_ms)
        over = tuple(rule for rule in self.record.rules if rule not in left.rules)
        return _Set(left, self.epoch, (*self.ended, *over)) if over else self

    def followed_by(self, record: SwitchRecord, epoch: int) -> "_Set":
        """The next record, without what has ended already."""
        ended = tuple(rule for rule in record.rules if rule in self.ended)
        return _Set(SwitchRecord(tuple(rule for rule in record.rules if rule not in ended)), epoch, ended)


_UNSET = _Set(SwitchRecord(), 0)


class SwitchMetrics:
    """The metrics of one process's switches."""

    def __init__(self, registry: Registry) -> None:
        self.reads = registry.counter("tenfold_switch_reads_total", "Reads of each switch.", ("switch",))
        self.changes = registry.counter("tenfold_switch_changes_total", "Settings put in force.").child()
        self.ended = registry.counter(
            "tenfold_switch_ended_total", "Times a switch went back by itself because its time was over."
        ).child()
        self.refused = registry.counter(
            "tenfold_switch_refused_total", "Records that could not be put in force; the last good one went on."
        ).child()
        self.failures = registry.counter(
            "tenfold_switch_callback_failures_total", "Callbacks and listeners of events that raised at a change."
        ).child()


class SwitchTable:
    """What is declared and what is set, and the meeting of both."""

    def __init__(
        self,
        metrics: SwitchMetrics,
        events: EventLog | None = None,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.own = Place()
        self._guard = guard
        self._metrics = metrics
        self._events = events
        self._switches: dict[str, Switch[Any]] = {}
        self._set: dict[str, _Set] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        """By name, the epoch of the record that is not in force here, and why."""

    def __iter__(self) -> Iterator[Switch[Any]]:
        return iter(list(self._switches.values()))

    def get(self, name: str) -> Switch[Any] | None:
        return self._switches.get(name)

    def record(self, name: str) -> SwitchRecord | None:
        """What is set for a name, declared or not; None when nothing is."""
        record = self._set.get(name, _UNSET).record
        return record if record.rules else None

    def declare(self, declaration: Declaration, now_ms: int, *, instead: bool = False) -> Switch[Any]:
        """The switch of that name, made at its first declaration, or again `instead` of one that is declared otherwise.
        Raises DeclarationInvalid, SchemaInvalid.
        """
        known = self._switches.get(declaration.name)
        if known is not None and not (instead and known.declaration != declaration):
            return _the_same(known, declaration)
        declaration.check()
        kind: type[Switch[Any]] = _MADE.get(declaration.kind, Switch)
        switch = kind(declaration, self.own, self._guard)
        if declaration.name in self._set:
            self._put_in_force(switch, now_ms)
        self._switches[declaration.name] = switch
        return switch

    def live_at(self, own: Place, now_ms: int) -> None:
        """This process is there: its own place decides what its plain reads answer."""
        self.own = own
        for switch in self:
            self._put_in_force(switch, now_ms)

    def take(self, name: str, json: bytes | None, epoch: int, now_ms: int) -> None:
        """A record changed. Raises RecordInvalid, and CallbackFailed once everybody was told."""
        switch = self._switches.get(name)
        try:
            record = SwitchRecord.read(name, json)
            if switch is not None:
                _check(switch.declaration, record)
        except RecordInvalid as error:
            self._refuse(name, epoch, error)
            raise
        self._set[name] = self._set.get(name, _UNSET).followed_by(record, epoch)
        self.refused.pop(name, None)
        if switch is None and not record.rules:
            del self._set[name]
        if switch is not None:
            self._metrics.changes.inc()
            raised = self._put_in_force(switch, now_ms)
            everywhere = switch.record.everywhere(switch.declaration.default)
            _raise(name, raised + self._emit("switch-changed", name, epoch=epoch, everywhere=everywhere))

    def names_set(self) -> list[str]:
        """The names of which anything is known to be set."""
        return [name for name, known in self._set.items() if known.record.rules]

    def end_what_is_over(self, now_ms: int) -> list[str]:
        """Put back every switch of which a rule has ended."""
        ended: list[str] = []
        for switch in self:
            left = switch.record.at(now_ms)
            if len(left.rules) != len(switch.record.rules):
                self._metrics.ended.inc()
                self._put_in_force(switch, now_ms)
                self._emit("switch-ended", switch.name, rules_left=len(left.rules))
                ended.append(switch.name)
        return ended

    def next_end_ms(self) -> int | None:
        """When the first rule ends that is in force."""
        ends = (switch.record.next_end_ms for switch in self)
        return min((end for end in ends if end is not None), default=None)

    def _put_in_force(self, switch: Switch[Any], now_ms: int) -> list[Exception]:
        """Answers what those raised who were told. What was set before the switch was declared is checked only now."""
        known = self._set.get(switch.name, _UNSET)
        try:
            _check(switch.declaration, known.record)
        except RecordInvalid as error:
            del self._set[switch.name]
            self._refuse(switch.name, known.epoch, error)
            return []
        if switch.name in self._set:
            known = self._set[switch.name] = known.at(now_ms)
        raised = switch.put_in_force(known.record, known.epoch, self.own)
        self._metrics.failures.inc(len(raised))
        return raised

    def _refuse(self, name: str, epoch: int, error: RecordInvalid) -> None:
        self._metrics.refused.inc()
        self.refused[name] = (epoch, str(error))
        self._emit("switch-refused", name, epoch=epoch, problem=str(error))

    def _emit(self, kind: str, name: str, **evidence: Any) -> list[Exception]:
        """Answers what a listener of events raised: that holds up no switch, neither this one nor the next."""
        try:
            if self._events is not None:
                self._events.emit(kind, name, **evidence)
        except Exception as error:
            self._metrics.failures.inc()
            return [error]
        return []


def _check(declaration: Declaration, record: SwitchRecord) -> None:
    """Raises RecordInvalid for a value that the code here was not written for."""
    problems = (declaration.problem_with(rule.value) for rule in record.rules)
    problem = next((problem for problem in problems if problem), "")
    if problem:
        raise RecordInvalid(f"The switch '{declaration.name}' was set to what it may not be here: {problem}.")


def _raise(name: str, raised: list[Exception]) -> None:
    if raised:
        raise CallbackFailed(
            f"{len(raised)} that heard of the switch '{name}' raised ({raised[0]!r}); the change is in force."
        )


def _the_same(known: Switch[Any], declaration: Declaration) -> Switch[Any]:
    if known.declaration != declaration:
        raise DeclarationInvalid(
            f"The switch '{declaration.name}' is declared twice, and not alike; the first declaration goes on.",
            remedy="Declare it in one place and import it from there.",
        )
    return known
