"""The rules of one switch as they look from one place: what is asked at a read, and nothing else."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tenfold.protect.live.switches.rule import Place, Rule, bucket_of, in_order

_NOTHING: Mapping[str, object] = {}


class Said(NamedTuple):
    """What a read says of who is asked about: without a subject no percentage applies to it, without attributes no
    rule on them.
    """

    subject: bool = False
    attributes: bool = False


_SAID = (Said(False, False), Said(True, False), Said(False, True), Said(True, True))


class ReadCounts:
    """How often a switch was read from one place. Two threads at once may lose one; it is an estimate.

    `reads` is counted at (with a subject) + 2 * (with attributes).
    """

    __slots__ = ("_told", "reads")

    def __init__(self) -> None:
        self.reads = [0] * len(_SAID)
        self._told = [0] * len(_SAID)

    def fresh(self) -> dict[Said, int]:
        """The reads since this was asked last."""
        reads, told = list(self.reads), self._told
        self._told = reads
        return {said: now - before for said, now, before in zip(_SAID, reads, told, strict=True) if now != before}


class PlaceRules:
    """Those that may apply there. Immutable; `settled` is the answer when it depends on nobody: then `rule` is it."""

    __slots__ = ("_candidates", "_name", "rule", "settled", "targeted", "value")

    def __init__(self, name: str, rules: Iterable[Rule], place: Place, default: object) -> None:
        rules = tuple(rules)
        self._name = name
        self._candidates = _reachable(rule for rule in in_order(rules) if rule.covers(place))
        self.settled = not self._candidates or not self._candidates[0].conditional
        self.rule = self.pick(None, _NOTHING)
        self.value = default if self.rule is None else self.rule.value
        self.targeted = any(rule.scoped for rule in rules)

    def choose(self, subject: object, attributes: Mapping[str, object] | None) -> Rule | None:
        """The rule that wins for `subject`; None when the default does."""
        bucket = None if subject is None else bucket_of(self._name, subject)
        return self.pick(bucket, attributes if attributes is not None else _NOTHING)

    def pick(self, bucket: int | None, attributes: Mapping[str, object]) -> Rule | None:
        """The same for whoever stands at `bucket`."""
        for rule in self._candidates:
            if rule.applies(bucket, attributes):
                return rule
        return None


class CountedRules(PlaceRules):
    """The rules of a switch that is read, and where that is counted: at one step from them, for a read's sake."""

    __slots__ = ("counts",)

    def __init__(self, name: str, rules: Iterable[Rule], place: Place, default: object, *, counts: ReadCounts) -> None:
        super().__init__(name, rules, place, default)
        self.counts = counts


def _reachable(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules up to the first that always applies."""
    reached: list[Rule] = []
    for rule in rules:
        reached.append(rule)
        if not rule.conditional:
            break
    return tuple(reached)
