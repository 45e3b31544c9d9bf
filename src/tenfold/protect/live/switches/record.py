"""What is set for one switch: the value of its record on the control channel."""

from typing import Any, Self

import msgspec

from tenfold.channel import ChangeRefused
from tenfold.protect.live.switches.rule import Rule

TOPIC = "switches"
RULES_MAX = 64


class RecordInvalid(ChangeRefused):
    """The record of a switch is none; what was in force before goes on being in force."""


class SwitchRecord(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The rules in the order in which they were set; without one the declared default holds."""

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
