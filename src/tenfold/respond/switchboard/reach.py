"""How far a change reaches: over which stores it may make a difference."""

from tenfold.protect.live.switches import Rule, SwitchRecord
from tenfold.respond.switchboard.written import without


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
