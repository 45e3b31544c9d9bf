"""How far a change reaches: over which stores it may make a difference."""

from tenfold.protect.switches import Rule, SwitchRecord


def changed_rules(before: SwitchRecord, after: SwitchRecord) -> list[Rule]:
    """The rules that stand in one of the two only."""
    gone = [rule for rule in before.rules if rule not in after.rules]
    return [*gone, *new_rules(before, after)]


def new_rules(before: SwitchRecord, after: SwitchRecord) -> list[Rule]:
    return [rule for rule in after.rules if rule not in before.rules]


def stores_reached(before: SwitchRecord, after: SwitchRecord) -> frozenset[str] | None:
    """The stores that the changed rules name; None when one of them names neither stores nor instances: all."""
    rules = changed_rules(before, after)
    if any(not rule.stores and not rule.instances for rule in rules):
        return None
    return frozenset(store for rule in rules for store in rule.stores)


def too_far(before: SwitchRecord, after: SwitchRecord, stores_max: int | None) -> str:
    """Why such a change takes a confirmation, nothing when it does not."""
    stores = stores_reached(before, after)
    if stores_max is None or (stores is not None and len(stores) <= stores_max):
        return ""
    many = "every store" if stores is None else f"{len(stores)} stores"
    return f"It reaches {many} at once; more than {stores_max} take a confirmation."
