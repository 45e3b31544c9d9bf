"""A change of one switch that is not made yet: what is there, what would be, why it is refused, and how far it reaches.

The operator's tool and the control node ask the same draft; the node at every change, before it has an epoch. Pure.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Declaration, RecordInvalid, Rule, SwitchRecord
from tenfold.protect.live.switches.declaration import NAME, read_declaration
from tenfold.protect.live.switches.rule import identity_of, without
from tenfold.protect.live.switches.schema import problem_with
from tenfold.respond.control.log import Put, is_one_line

Lookup = Callable[[str], Declaration | None]
Names = Callable[[], Iterable[str]]

UNTIL_MAX_MS = 400 * 86_400_000

_NAME = re.compile(NAME)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """`if_epoch` is the epoch of what is there, 0 when nothing is: the first change of it wins. `undoes` is the change
    that it takes back, if it does.
    """

    name: str
    if_epoch: int
    before: SwitchRecord
    after: SwitchRecord
    declaration: Declaration | None = None
    undoes: Change | None = None

    @property
    def default(self) -> Any:
        return self.declaration.default if self.declaration is not None else None

    @property
    def changes_nothing(self) -> bool:
        """A record that is there and says nothing is one that cannot be read; to take it away is a change."""
        unread = bool(self.if_epoch) and not self.before.rules
        return identity_of(self.before) == identity_of(self.after) and not unread

    @property
    def new(self) -> tuple[Rule, ...]:
        """The rules that would be set."""
        return without(self.after.rules, self.before.rules)

    @property
    def changed(self) -> tuple[Rule, ...]:
        """The rules that stand in one of the two records only."""
        return (*without(self.before.rules, self.after.rules), *self.new)

    @property
    def stores(self) -> frozenset[str] | None:
        """The stores that the changed rules name; None, which may be all, when one of them names none: the process of
        one instance may serve every store.
        """
        rules = self.changed
        return (
            frozenset(store for rule in rules for store in rule.stores) if all(rule.stores for rule in rules) else None
        )

    def refusal(self, now_ms: int) -> str:
        """Why the node refuses it, confirmed or not; nothing when it takes it, as it does when less is set than before.

        Of what no process has declared yet everything is asked but whether the value is of its kind.
        """
        new = self.new
        if new and not _NAME.fullmatch(self.name):
            return f"'{self.name}' is no name of a switch; up to 128 of a-z, 0-9, '.', '_' and '-' may stand there."
        problems = (_value_problem(rule, self.declaration) for rule in (self.after.rules if new else ()))
        if problem := next(filter(None, problems), ""):
            return f"The switch '{self.name}' cannot be set so: {problem}."
        return next(filter(None, (_rule_problem(rule, now_ms) for rule in new)), "")

    @property
    def needs_confirmation(self) -> str:
        """Why it is not made without one; nothing when it is."""
        if self.changes_nothing or self.declaration is None:
            return ""
        stores, stores_max = self.stores, self.declaration.stores_max
        if stores_max is None or (stores is not None and len(stores) <= stores_max):
            return ""
        reach = _every(self.changed) if stores is None else f"reaches {len(stores)} stores at once"
        return f"It {reach}; more than {stores_max} take a confirmation."

    @property
    def narrower(self) -> tuple[Rule, ...]:
        """The rules that were there, stay, and will win over a new one that holds for more."""
        new = self.new
        return tuple(rule for rule in without(self.after.rules, new) if any(_wins(rule, one) for one in new))


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """One switch in one moment: what every draft begins with. `newest`: as many of its changes as were asked for."""

    name: str
    now_ms: int
    record: Change | None = None
    declaration: Declaration | None = None
    newest: tuple[Change, ...] = ()

    @property
    def epoch(self) -> int:
        return self.record.epoch if self.record is not None else 0

    @property
    def before(self) -> SwitchRecord:
        """What cannot be read counts for nothing, so that it can be replaced."""
        return read_or_nothing(self.record) if self.record is not None else SwitchRecord()

    @property
    def now(self) -> SwitchRecord:
        """Without what is over."""
        return self.before.at(self.now_ms)

    def draft_set(self, rule: Rule, *, override: bool = False) -> Draft:
        """`rule` instead of what is set for its scope; with `override` instead of everything that is set."""
        return self.draft((SwitchRecord() if override else self.now).with_rule(rule))

    def draft_unset(self, scope: Rule | None) -> Draft:
        """Without what is set for the scope of that rule, None: without anything."""
        return self.draft(self.now.without_scope(scope) if scope is not None else SwitchRecord())

    def draft_without(self, rule: Rule) -> Draft:
        """Without that very rule: what else is set for its scope, as a percentage of it, stays."""
        return self.draft(SwitchRecord(without(self.now.rules, (rule,))))

    def draft(self, after: SwitchRecord) -> Draft:
        return Draft(name=self.name, if_epoch=self.epoch, before=self.before, after=after, declaration=self.declaration)


def refusal_of_switch(put: Put, current: Change | None, now_ns: int, *, declared: Lookup, names: Names) -> str:
    """For topic `switches`: a sentence, or nothing when it may be."""
    if not put.by or not put.reason:
        return "A switch is changed by somebody for a reason; say who and why."
    try:
        after, before = SwitchRecord.read(put.key, put.value), read_or_nothing(current)
    except RecordInvalid as error:
        return str(error)
    epoch = current.epoch if current is not None else 0
    draft = Draft(name=put.key, if_epoch=epoch, before=before, after=after, declaration=declared(put.key))
    problem = draft.refusal(now_ns // 1_000_000)
    if problem or put.confirmed:
        return problem
    if draft.declaration is None:
        return "" if put.value is None else _undeclared(put.key, names())
    far = draft.needs_confirmation
    return f"The switch '{put.key}' was not changed. {far} Confirm it, or name fewer stores." if far else ""


def refusal_of_declaration(put: Put, _current: Change | None, _now_ns: int) -> str:
    """For topic `switch-declarations`."""
    if put.value is None:
        return ""
    try:
        declaration = read_declaration(put.value)
    except (ValueError, TenfoldError) as error:
        return f"This is no declaration of a switch: {error}"
    return "" if declaration.name == put.key else f"The declaration of '{declaration.name}' belongs under its own name."


def read_or_nothing(current: Change | None) -> SwitchRecord:
    """The record that is there; one that cannot be read counts as none, so that it can be replaced."""
    try:
        return SwitchRecord.read("", current.json if current is not None else None)
    except RecordInvalid:
        return SwitchRecord()


def _rule_problem(rule: Rule, now_ms: int) -> str:
    if not rule.owner or not rule.reason:
        return "A rule has an owner, who answers for it, and a reason."
    if not is_one_line(rule.owner) or not is_one_line(rule.reason):
        return "The owner and the reason of a rule are one line without control characters; write plain text."
    if rule.ended(now_ms) or rule.until_ms > now_ms + UNTIL_MAX_MS:
        return "A rule ends in the future, within 400 days; without an end it holds until somebody changes it."
    return ""


def _value_problem(rule: Rule, declaration: Declaration | None) -> str:
    if declaration is not None and (problem := declaration.problem_with(rule.value)):
        return problem
    return problem_with(rule.value, {}) or problem_with(rule.where, {}, where="where")


def _every(rules: tuple[Rule, ...]) -> str:
    if all(rule.stores or rule.instances for rule in rules):
        return "may reach every store at once, since an instance may serve them all"
    return "reaches every store at once"


def _wins(rule: Rule, over: Rule) -> bool:
    return rule.rank > over.rank and identity_of(rule.value) != identity_of(over.value)


def _undeclared(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "Confirm it if a process will declare it later."
    return f"No process has declared a switch '{name}'; it was not set. {hint}"
