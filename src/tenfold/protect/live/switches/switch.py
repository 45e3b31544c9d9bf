"""One switch as code holds it: reading it is a local call, costs nothing worth mentioning and never fails.

recommendations = switches.boolean("recommendations", default=True, tier="P3", says="what others bought")
if recommendations(): ...                                    # for this process
if recommendations.at(store="7", subject=customer): ...      # for somebody
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, NamedTuple, TypeVar, cast

from tenfold.protect.live.switches.declaration import Declaration
from tenfold.protect.live.switches.place_rules import CountedRules, ReadCounts, Said
from tenfold.protect.live.switches.rule import BUCKETS, Place, Rule, SwitchRecord, bucket_of

Value = TypeVar("Value")
PLACES_MAX = 256
"""So many places are remembered for each switch; what is read from others is worked out each time, and counted as read
from elsewhere.
"""

_Key = tuple[str | None, str | None, str | None]


class SwitchOutcome(NamedTuple, Generic[Value]):
    """A value and why. `rule` is None when the declared default holds; `targeted`: others may see another value."""

    value: Value
    rule: Rule | None
    targeted: bool


class _Setting(NamedTuple):
    """What is in force; swapped whole. `by_place` fills up as places are asked about."""

    record: SwitchRecord
    epoch: int
    by_place: dict[_Key, CountedRules]


class Switch(Generic[Value]):
    """Made by `Switches`. Everything here may be called from any thread; nothing here raises or waits."""

    __slots__ = (
        "_callbacks",
        "_counts",
        "_elsewhere",
        "_guard",
        "_own",
        "_own_reads",
        "_setting",
        "_told_reads",
        "_value",
        "declaration",
        "name",
    )

    def __init__(
        self, declaration: Declaration, own: Place, guard: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self.name = declaration.name
        self.declaration = declaration
        self._own_reads = 0
        self._told_reads = 0
        self._guard = guard
        self._own = own
        self._value: Value = declaration.default
        self._callbacks: tuple[Callable[[Value], object], ...] = ()
        self._counts: dict[Place, ReadCounts] = {}
        self._elsewhere = ReadCounts()
        self._setting = _Setting(SwitchRecord(), 0, {})

    def __call__(self) -> Value:
        """The value for this process. What is a list or an object is shared: do not change it."""
        self._own_reads += 1
        return self._value

    def read(self) -> Value:
        """The same, and the quickest way to say it."""
        self._own_reads += 1
        return self._value

    @property
    def value(self) -> Value:
        """The same."""
        self._own_reads += 1
        return self._value

    def at(
        self,
        *,
        store: str | None = None,
        subject: str | None = None,
        service: str | None = None,
        instance: str | None = None,
        where: Mapping[str, object] | None = None,
    ) -> Value:
        """The value for somebody: where they are, if elsewhere than this process, and what is known about them.

        `subject` is who a percentage counts: a customer, an order, a device. Without one no percentage applies.
        """
        try:
            rules = self._rules_at(service, store, instance)
            rules.counts.reads[(subject is not None) + 2 * (where is not None)] += 1
            if rules.settled:
                return cast("Value", rules.value)
            rule = rules.choose(subject, where)
            return self.declaration.default if rule is None else rule.value  # type: ignore[no-any-return]
        except Exception:  # whatever a caller handed in, it gets the value for this process
            return self._value

    def outcome(
        self,
        *,
        store: str | None = None,
        subject: str | None = None,
        service: str | None = None,
        instance: str | None = None,
        where: Mapping[str, object] | None = None,
    ) -> SwitchOutcome[Value]:
        """The same as `at`, with the reason. It raises what a caller's own objects raise."""
        rules = self._rules_at(service, store, instance)
        rules.counts.reads[(subject is not None) + 2 * (where is not None)] += 1
        rule = rules.rule if rules.settled else rules.choose(subject, where)
        return SwitchOutcome(self.declaration.default if rule is None else rule.value, rule, rules.targeted)

    def on_change(self, callback: Callable[[Value], object]) -> Callable[[], None]:
        """Call `callback` with the value for this process now, and again each time it is another; answers how to stop.

        It is called in the thread that hears of the change and must not block. What it raises now is the caller's;
        what it raises later is counted and told to the control node with the acknowledgement.
        """
        with self._guard():
            self._callbacks = (*self._callbacks, callback)
            callback(self._value)
        return lambda: self._forget(callback)

    @property
    def own(self) -> Place:
        """Where this process is, from which plain reads come."""
        return self._own

    @property
    def record(self) -> SwitchRecord:
        """What is set for it."""
        return self._setting.record

    @property
    def epoch(self) -> int:
        """Since which epoch; 0 when nothing was ever set."""
        return self._setting.epoch

    def reads(self) -> dict[tuple[Place, Said], int]:
        """How often it was read since this was asked last, by place and by what was said, without `reads_elsewhere`.
        For one thread at a time.
        """
        own, own_reads = self._counts_at(self._own), self._own_reads
        own.reads[0] += own_reads - self._told_reads
        self._told_reads = own_reads
        known = list(self._counts.items())
        return {(place, said): count for place, counts in known for said, count in counts.fresh().items()}

    def reads_elsewhere(self) -> int:
        """How often since this was asked last from places beyond PLACES_MAX. For one thread at a time."""
        return sum(self._elsewhere.fresh().values())

    def put_in_force(self, record: SwitchRecord, epoch: int, own: Place) -> list[Exception]:
        """Swap what is set, tell who wants to hear of it; answers what they raised. For one thread at a time."""
        self._own = own
        self._setting = _Setting(record, epoch, {})
        before, self._value = self._value, cast("Value", self._rules_at(None, None, None).value)
        return [] if _alike(before, self._value) else self._tell(self._value)

    @property
    def _drawn_by_rules(self) -> str:
        """The name under which a rule's percentage draws its subjects."""
        return self.name

    def _rules_at(self, service: str | None, store: str | None, instance: str | None) -> CountedRules:
        setting = self._setting
        rules = setting.by_place.get((service, store, instance))
        return rules if rules is not None else self._counted_rules(setting, (service, store, instance))

    def _counted_rules(self, setting: _Setting, key: _Key) -> CountedRules:
        place = Place(*(own if stated is None else str(stated) for stated, own in zip(key, self._own, strict=True)))
        set_rules, default = setting.record.rules, self.declaration.default
        rules = CountedRules(self._drawn_by_rules, set_rules, place, default, counts=self._counts_at(place))
        if len(setting.by_place) < PLACES_MAX:
            setting.by_place[key] = rules
        return rules

    def _counts_at(self, place: Place) -> ReadCounts:
        """The process's own place always has one."""
        if place not in self._counts and len(self._counts) >= PLACES_MAX and place != self._own:
            return self._elsewhere
        return self._counts.setdefault(place, ReadCounts())

    def _tell(self, value: Value) -> list[Exception]:
        raised: list[Exception] = []
        for callback in self._callbacks:
            try:
                callback(value)
            except Exception as error:
                raised.append(error)
        return raised

    def _forget(self, callback: Callable[[Value], object]) -> None:
        with self._guard():
            self._callbacks = tuple(other for other in self._callbacks if other is not callback)


class BooleanSwitch(Switch[bool]):
    """On or off."""

    __slots__ = ()

    @property
    def on(self) -> bool:
        """True when it is on for this process."""
        self._own_reads += 1
        return self._value


class PercentageSwitch(Switch[float]):
    """A share of somebody, 0 to 100.

    Whom its value counts is drawn by `bucket_of` under its name, now and for ever: a value in force goes on counting
    the same subjects. A rule for a percentage of them draws under the name and a `%`, so that 10 % for a half is 5 %.
    """

    __slots__ = ()

    def holds(self, subject: str, *, store: str | None = None, where: Mapping[str, object] | None = None) -> bool:
        """True when `subject` is in it. One that is in at 10 is in at 20; every process answers the same."""
        try:
            percent = self.at(store=store, subject=subject, where=where)
            return bucket_of(self.name, subject) < int(percent * BUCKETS / 100)
        except Exception:  # a subject that has no text is in nothing
            return False

    @property
    def _drawn_by_rules(self) -> str:
        return f"{self.name}%"


def _alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
