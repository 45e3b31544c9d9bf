"""One value for whom, until when, and why; and the record of a switch, which is the rules that are set for it.

Which of several rules wins is decided here and nowhere else, and so is what tells two of them apart.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple, Self

import msgspec

from tenfold.channel import ChangeRefused

Scalar = bool | int | float | str
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]

TOPIC = "switches"
"""Of the records on the control channel, by the name of the switch."""
RULES_MAX = 64
BUCKETS = 1 << 64
UNTIL_MS_MAX = 253_370_764_800_000
"""The year 9999: nothing can say a later moment, in any zone."""


class Place(NamedTuple):
    """From where a switch is read. Empty: not stated."""

    service: str = ""
    store: str = ""
    instance: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`value` for whoever all of the stated apply to: one of `services`, of `stores`, of `instances`, every attribute
    of `where`, and `percent` of the subjects. `until_ms` is wall time, 0 for "until somebody changes it".

    A field that is not known is refused: it might narrow the rule, and without it the rule would hold for everybody.
    """

    value: Any
    services: tuple[Name, ...] = ()
    stores: tuple[Name, ...] = ()
    instances: tuple[Name, ...] = ()
    where: dict[Name, Scalar] = {}
    percent: Percent | None = None
    until_ms: Annotated[int, msgspec.Meta(ge=0, le=UNTIL_MS_MAX)] = 0
    owner: str = ""
    reason: str = ""

    def covers(self, place: Place) -> bool:
        return self.reaches(place) and (not self.stores or place.store in self.stores)

    def reaches(self, place: Place) -> bool:
        """True when it covers what is read there, at least for some store."""
        return (not self.services or place.service in self.services) and (
            not self.instances or place.instance in self.instances
        )

    @property
    def conditional(self) -> bool:
        """True when it depends on the subject or its attributes, not only on the place."""
        return self.percent is not None or bool(self.where)

    @property
    def scoped(self) -> bool:
        return bool(self.services or self.stores or self.instances or self.conditional)

    @property
    def scope(self) -> tuple[object, ...]:
        """The places and attributes it holds for, whatever its percentage: no two rules of one stand side by side."""
        places = (frozenset(self.services), frozenset(self.stores), frozenset(self.instances))
        return (*places, frozenset((name, type(value), value) for name, value in self.where.items()))

    def replaces(self, other: "Rule") -> bool:
        """A rule for all of a scope replaces what was set for a part of it by percentage, not the other way round."""
        return self.scope == other.scope and (self.percent is None or other.percent is not None)

    @property
    def rank(self) -> tuple[bool, ...]:
        """How narrow it is: the narrowest rule that applies wins, and of two equal ones the later."""
        return (
            bool(self.instances),
            bool(self.stores),
            bool(self.services),
            bool(self.where),
            self.percent is not None,
        )

    def applies(self, bucket: int | None, attributes: Mapping[str, object]) -> bool:
        """True when its conditions hold; one on a percentage never does without a subject."""
        if self.percent is not None and (bucket is None or bucket >= int(self.percent * BUCKETS / 100)):
            return False
        return all(_same(attributes.get(name), value) for name, value in self.where.items())

    def ended(self, now_ms: int) -> bool:
        return 0 < self.until_ms <= now_ms


class RecordInvalid(ChangeRefused):
    """The record of a switch is none; what was in force before goes on being in force."""


class SwitchRecord(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is set for one switch, in the order in which it was set; without a rule the declared default holds."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def read(cls, name: str, json: bytes | None) -> Self:
        """None is the record that is not there. Raises RecordInvalid."""
        if json is None:
            return cls()
        try:
            record = msgspec.json.decode(json, type=cls)
        except (ValueError, RecursionError) as error:
            raise RecordInvalid(f"The record of the switch '{name}' cannot be read: {error}.") from error
        if len(record.rules) > RULES_MAX:
            raise RecordInvalid(f"The switch '{name}' has more than {RULES_MAX} rules.")
        return record

    @property
    def json(self) -> bytes | None:
        """As it is put; None, no record, when nothing is set."""
        return msgspec.json.encode(self) if self.rules else None

    def with_rule(self, rule: Rule) -> "SwitchRecord":
        """`rule` instead of those it replaces, as the newest."""
        return SwitchRecord((*self._without(rule), rule))

    def without_scope(self, rule: Rule) -> "SwitchRecord":
        """Without what is set for the scope of `rule`."""
        return SwitchRecord(self._without(rule))

    def at(self, now_ms: int) -> "SwitchRecord":
        """What is still in force."""
        return SwitchRecord(tuple(rule for rule in self.rules if not rule.ended(now_ms)))

    @property
    def next_end_ms(self) -> int | None:
        """When the first of them ends, wall time."""
        return min((rule.until_ms for rule in self.rules if rule.until_ms), default=None)

    def everywhere(self, default: Any) -> Any:
        """The value wherever no narrower rule holds."""
        return next((rule.value for rule in reversed(self.rules) if not rule.scoped), default)

    def _without(self, rule: Rule) -> tuple[Rule, ...]:
        return tuple(other for other in self.rules if not rule.replaces(other))


def identity_of(said: Any) -> bytes:
    """What tells a value, a rule or a record from another: its JSON, in which the order of names makes no difference.
    To Python true is 1, to whoever reads a switch it is not.
    """
    return msgspec.json.encode(said, order="sorted")


def without(rules: Iterable[Rule], others: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that do not stand among the others."""
    known = {identity_of(rule) for rule in others}
    return tuple(rule for rule in rules if identity_of(rule) not in known)


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules in the order in which they are asked, whoever applies first wins."""
    newest_first = tuple(rules)[::-1]
    return tuple(sorted(newest_first, key=lambda rule: rule.rank, reverse=True))


def bucket_of(name: str, subject: object) -> int:
    """Where `subject` stands for the switch `name`, evenly in [0, 2^64): the same in every process, language and year.

    The first 64 bits (big-endian) of BLAKE2b of name, NUL, subject. Raising a percentage keeps whoever was in it, and
    two switches choose independently of each other. So do the value and the rules of a percentage switch: its rules
    draw under its name and a `%`, which no switch is called.
    """
    text = f"{name}\0{subject}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _same(stated: object, wanted: Scalar) -> bool:
    """Equal, and alike: true is not 1, and 1 is 1.0."""
    return isinstance(stated, bool) == isinstance(wanted, bool) and stated == wanted
