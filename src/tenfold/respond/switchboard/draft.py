"""A change of one switch that is not made yet: what is there, what would be, and under which condition."""

from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.respond.switchboard.check import rules_problem
from tenfold.respond.switchboard.reach import new_rules, too_far
from tenfold.respond.switchboard.written import without, written


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """`if_epoch` is the epoch of what is there, 0 when nothing is: whoever changes it first, wins. `undoes` is the
    change that it takes back, if it does.
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
        return written(self.before) == written(self.after) and not unread

    def refusal(self, now_ms: int) -> str:
        """Why the node would refuse it, confirmed or not, as far as that can be told from here."""
        return rules_problem(self.name, self.before, self.after, self.declaration, now_ms)

    @property
    def needs_confirmation(self) -> str:
        """Why it is not made without one; nothing when it is."""
        if self.changes_nothing or self.declaration is None:
            return ""
        return too_far(self.before, self.after, self.declaration.stores_max)

    @property
    def narrower(self) -> tuple[Rule, ...]:
        """The rules that were there, stay, and will win over a new one that holds for more."""
        new = new_rules(self.before, self.after)
        kept = without(self.after.rules, new)
        return tuple(rule for rule in kept if any(_wins(rule, one) for one in new))


def _wins(rule: Rule, over: Rule) -> bool:
    return rule.rank > over.rank and written(rule.value) != written(over.value)
