"""One switch in one moment: what every draft begins with. Pure."""

import msgspec

from tenfold.channel import Change
from tenfold.protect.live.switches import Declaration, Rule, SwitchRecord
from tenfold.protect.live.switches.rule import without
from tenfold.respond.switchboard.draft import Draft, read_or_nothing


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """`newest` are its newest changes, as many as were asked for."""

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
