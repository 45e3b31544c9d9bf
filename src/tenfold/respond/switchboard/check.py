"""Why a change of a switch is refused before it has an epoch, and its blast radius: which stores it reaches. Pure.

The control node asks at every change.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from tenfold.channel import Change
from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Declaration, RecordInvalid, Rule, SwitchRecord
from tenfold.protect.live.switches.declaration import NAME, read_declaration
from tenfold.protect.live.switches.rule import without
from tenfold.protect.live.switches.schema import problem_with
from tenfold.respond.control.log import Put, is_one_line

Lookup = Callable[[str], Declaration | None]
Names = Callable[[], Iterable[str]]

UNTIL_MAX_MS = 400 * 86_400_000

_NAME = re.compile(NAME)


def refusal_of_switch(put: Put, current: Change | None, now_ns: int, *, declared: Lookup, names: Names) -> str:
    """For topic `switches`: a sentence, or nothing when it may be."""
    if not put.by or not put.reason:
        return "A switch is changed by somebody for a reason; say who and why."
    try:
        after, before = SwitchRecord.read(put.key, put.value), read_or_nothing(current)
    except RecordInvalid as error:
        return str(error)
    declaration = declared(put.key)
    problem = rules_problem(put.key, before, after, declaration, now_ns // 1_000_000)
    if problem or put.confirmed:
        return problem
    if declaration is None:
        return "" if put.value is None else _undeclared(put.key, names())
    far = too_far(before, after, declaration.stores_max)
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


def rules_problem(
    name: str, before: SwitchRecord, after: SwitchRecord, declaration: Declaration | None, now_ms: int
) -> str:
    """What is wrong with the rules that `after` would have; nothing when it is less than before.

    Of what nobody has declared yet everything is asked but whether the value is of its kind.
    """
    new = new_rules(before, after)
    if new and not _NAME.fullmatch(name):
        return f"'{name}' is no name of a switch; up to 128 of a-z, 0-9, '.', '_' and '-' may stand there."
    for rule in after.rules if new else ():
        problem = _value_problem(rule, declaration)
        if problem:
            return f"The switch '{name}' cannot be set so: {problem}."
    for rule in new:
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


def read_or_nothing(current: Change | None) -> SwitchRecord:
    """The record that is there; one that cannot be read counts as none, so that it can be replaced."""
    try:
        return SwitchRecord.read("", current.json if current is not None else None)
    except RecordInvalid:
        return SwitchRecord()


def changed_rules(before: SwitchRecord, after: SwitchRecord) -> tuple[Rule, ...]:
    """The rules that stand in one of the two only."""
    return (*gone_rules(before, after), *new_rules(before, after))


def gone_rules(before: SwitchRecord, after: SwitchRecord) -> tuple[Rule, ...]:
    return without(before.rules, after.rules)


def new_rules(before: SwitchRecord, after: SwitchRecord) -> tuple[Rule, ...]:
    return without(after.rules, before.rules)


def stores_reached(before: SwitchRecord, after: SwitchRecord) -> frozenset[str] | None:
    """The stores that the changed rules name; None, which may be all, when one of them names none: the process of one
    instance may serve every store.
    """
    rules = changed_rules(before, after)
    if any(not rule.stores for rule in rules):
        return None
    return frozenset(store for rule in rules for store in rule.stores)


def too_far(before: SwitchRecord, after: SwitchRecord, stores_max: int | None) -> str:
    """Why such a change takes a confirmation, nothing when it does not."""
    stores = stores_reached(before, after)
    if stores_max is None or (stores is not None and len(stores) <= stores_max):
        return ""
    reach = _every(changed_rules(before, after)) if stores is None else f"reaches {len(stores)} stores at once"
    return f"It {reach}; more than {stores_max} take a confirmation."


def _every(rules: tuple[Rule, ...]) -> str:
    if all(rule.stores or rule.instances for rule in rules):
        return "may reach every store at once, since an instance may serve them all"
    return "reaches every store at once"


def _undeclared(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "Confirm it if a process will declare it later."
    return f"No process has declared a switch '{name}'; it was not set. {hint}"
