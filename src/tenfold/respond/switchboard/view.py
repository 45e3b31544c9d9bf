"""One switch as people see it: what it is, what is set, who answers for it, how long."""

from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.protect.live.switches import Declaration, RecordInvalid, Rule, SwitchRecord
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.protect.live.switches.schema import problem_with


class SwitchView(msgspec.Struct, frozen=True, kw_only=True):
    """`value` holds wherever no scoped rule does. `problem` says that the record cannot be read, `otherwise` who has
    declared the switch otherwise than it is shown here, and in what.
    """

    name: str
    kind: str
    tier: str
    says: str
    default: Any
    value: Any
    rules: tuple[Rule, ...] = ()
    epoch: int = 0
    changed_at_ns: int = 0
    changed_by: str = ""
    functions: tuple[str, ...] = ()
    problem: str = ""
    otherwise: tuple[str, ...] = ()

    @property
    def set(self) -> bool:
        return bool(self.rules)


def view_of(
    name: str,
    declaration: Declaration | None,
    change: Change | None,
    *,
    now_ms: int,
    otherwise: tuple[str, ...] = (),
) -> SwitchView:
    """`declaration` is None for what no process has declared, `change` for what was never set."""
    shown = declaration or Declaration(name=name, kind="json", default=None)
    change = change or Change(epoch=0, topic=TOPIC, key=name)
    record, problem = _read(name, change)
    record = record.at(now_ms)
    return SwitchView(
        name=name,
        kind=declaration.kind if declaration is not None else "undeclared",
        tier=shown.tier,
        says=shown.says,
        default=shown.default,
        value=record.everywhere(shown.default),
        rules=record.rules,
        epoch=change.epoch,
        changed_at_ns=change.at_ns,
        changed_by=change.by,
        functions=shown.functions,
        problem=problem,
        otherwise=otherwise,
    )


def _read(name: str, change: Change) -> tuple[SwitchRecord, str]:
    """One record that cannot be read, or shown, is said to be so; it does not hide the others."""
    try:
        record = SwitchRecord.read(name, change.json)
    except RecordInvalid as error:
        return SwitchRecord(), str(error)
    problem = next(filter(None, (problem_with(rule.value, {}) for rule in record.rules)), "")
    return (SwitchRecord(), f"The record of the switch '{name}' cannot be: {problem}.") if problem else (record, "")
