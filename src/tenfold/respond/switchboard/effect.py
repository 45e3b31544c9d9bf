"""What a draft would touch, by the processes that follow the node and by how often each reads the switch. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from tenfold.channel import Process
from tenfold.protect.live.switches import Place, Rule, SwitchRecord
from tenfold.protect.live.switches.place_rules import PlaceRules, Said
from tenfold.protect.live.switches.reports import LoadReport, ReadRate
from tenfold.protect.live.switches.rule import BUCKETS, Scalar, identity_of, without
from tenfold.respond.switchboard.draft import Draft

EVERYTHING = Said(subject=True, attributes=True)
Stretches = Sequence[tuple[int | None, float]]
"""Within each no percentage begins or ends to apply: where somebody stands in it, and how much of all it is."""
NOBODY: Stretches = [(None, 1.0)]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """`reads_per_s` are those that would be answered otherwise than now; a rule on attributes counts as if every read
    that says any said those, so it is at most so many. `no_subject_per_s` are reads that would be answered otherwise if
    they named a subject: a percentage passes them by. `elsewhere_per_s` are reads from more places than a process tells
    apart, of which nobody knows how many would be touched; they are in none of the other figures. Processes and stores
    are those where a read could be answered otherwise; stores those that are known of: where a process is or reads for.
    `new` are the rules that would be set, `gone` those that would not be any longer. `undoes` is the epoch of the
    change that is taken back, 0 when none is.
    """

    name: str
    declared: bool
    before: Any
    after: Any
    processes: int
    processes_all: int
    stores: tuple[str, ...]
    stores_all: int
    reads_per_s: float
    reads_per_s_all: float
    no_subject_per_s: float
    elsewhere_per_s: float
    functions: tuple[str, ...]
    new: tuple[Rule, ...]
    gone: tuple[Rule, ...]
    narrower: tuple[Rule, ...]
    needs_confirmation: str
    undoes: int = 0

    @property
    def stays(self) -> bool:
        """True when the value is what it was, wherever nothing narrower is set."""
        return identity_of(self.before) == identity_of(self.after)


def effect_of(draft: Draft, processes: Collection[Process], loads: Mapping[str, LoadReport], *, now_ms: int) -> Effect:
    """`loads` by the id of the process that reported them."""
    share = _Share(draft, now_ms)
    places = {process.id: Place(process.service, process.store, process.instance) for process in processes}
    read = {
        process: [load for load in report.loads if load.switch == draft.name]
        for process, report in loads.items()
        if process in places
    }
    touched = {
        process
        for process, place in places.items()
        if share.at(place) or any(share.at(_place(load)) for load in read.get(process, ()))
    }
    known = {place for place in places.values() if place.store} | {
        _place(load) for loads_of in read.values() for load in loads_of if load.store
    }
    return Effect(
        name=draft.name,
        declared=draft.declaration is not None,
        before=draft.before.at(now_ms).everywhere(draft.default),
        after=draft.after.at(now_ms).everywhere(draft.default),
        processes=len(touched),
        processes_all=len(places),
        stores=tuple(sorted({place.store for place in known if share.at(place)})),
        stores_all=len({place.store for place in known}),
        reads_per_s=_sum(load.reads_per_s * share.of(load) for load in _all(read)),
        reads_per_s_all=_sum(load.reads_per_s for load in _all(read)),
        no_subject_per_s=_sum(load.reads_per_s for load in _all(read) if share.passes_by(load)),
        elsewhere_per_s=_sum(loads[process].elsewhere_per_s.get(draft.name, 0.0) for process in read),
        functions=draft.declaration.functions if draft.declaration is not None else (),
        new=draft.new,
        gone=without(draft.before.at(now_ms).rules, draft.after.rules),
        narrower=draft.narrower,
        needs_confirmation=draft.needs_confirmation,
        undoes=draft.undoes.epoch if draft.undoes is not None else 0,
    )


class _Share:
    """How many of the reads from a place would be answered otherwise: 0 to 1."""

    def __init__(self, draft: Draft, now_ms: int) -> None:
        self._draft = draft
        self._before, self._after = draft.before.at(now_ms), draft.after.at(now_ms)
        rules = (*self._before.rules, *self._after.rules)
        self._stretches = _stretches({rule.percent for rule in rules if rule.percent is not None})
        self._attributes: list[dict[str, Scalar]] = [{}, *(rule.where for rule in rules if rule.where)]

    def at(self, place: Place, said: Said = EVERYTHING) -> float:
        before, after = self._rules_at(self._before, place), self._rules_at(self._after, place)
        stretches = self._stretches if said.subject else NOBODY
        known = self._attributes if said.attributes else self._attributes[:1]
        return max(self._differs(before, after, stretches, attributes) for attributes in known)

    def of(self, load: ReadRate) -> float:
        return self.at(_place(load), Said(load.subject, load.attributes))

    def passes_by(self, load: ReadRate) -> bool:
        """True for reads that name no subject and would be answered otherwise if they named one."""
        named = Said(True, load.attributes)
        return not load.subject and not self.of(load) and self.at(_place(load), named) > 0

    def _rules_at(self, record: SwitchRecord, place: Place) -> PlaceRules:
        return PlaceRules(self._draft.name, record.rules, place, self._draft.default)

    def _differs(
        self, before: PlaceRules, after: PlaceRules, stretches: Stretches, attributes: Mapping[str, Scalar]
    ) -> float:
        return sum(
            share * self._apart(before.pick(bucket, attributes), after.pick(bucket, attributes), bucket)
            for bucket, share in stretches
        )

    def _apart(self, before: Rule | None, after: Rule | None, bucket: int | None) -> float:
        """How many of those who stand in one stretch are answered otherwise. Of a percentage that counts them, those
        between the two figures: from 10 to 11 it is one of a hundred.
        """
        one, other = self._value(before), self._value(after)
        if identity_of(one) == identity_of(other):
            return 0.0
        return _between(one, other) if self._counts and bucket is not None else 1.0

    @property
    def _counts(self) -> bool:
        return self._draft.declaration is not None and self._draft.declaration.kind == "percentage"

    def _value(self, rule: Rule | None) -> Any:
        return self._draft.default if rule is None else rule.value


def _stretches(percents: set[float]) -> Stretches:
    edges = sorted({0.0, 100.0} | percents)
    return [(int((low + high) / 2 * BUCKETS / 100), (high - low) / 100) for low, high in pairwise(edges)]


def _between(one: Any, other: Any) -> float:
    """All of them where one is no percentage: an earlier node may have let it through."""
    if not all(isinstance(value, (int, float)) and 0 <= value <= 100 for value in (one, other)):
        return 1.0
    return abs(float(one) - float(other)) / 100


def _place(load: ReadRate) -> Place:
    return Place(load.service, load.store, load.instance)


def _all(read: Mapping[str, Iterable[ReadRate]]) -> Iterable[ReadRate]:
    return (load for loads in read.values() for load in loads)


def _sum(rates: Iterable[float]) -> float:
    return round(sum(rates), 3)
