"""One change of one switch, as far as it has come: what it would touch, made, or lost to a faster person."""

from collections.abc import Callable

import msgspec

from tenfold.channel import Change
from tenfold.console.filters import seal
from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import RecordInvalid
from tenfold.respond.control import Conflict
from tenfold.respond.switchboard import Draft, Effect, SwitchOperator
from tenfold.respond.switchboard.history import HistoryEntry
from tenfold.respond.switchboard.operator import ChangedAgain, UndoRefused
from tenfold.serving.body import Fields, number_in


class Faster(msgspec.Struct, frozen=True, kw_only=True):
    """Another person changed the switch since it was looked at; `entry` is their change, `value` what holds now."""

    entry: HistoryEntry | None
    value: object


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is not made yet, and everything a person wants to know before it is."""

    draft: Draft
    effect: Effect
    faster: Faster | None = None


class RuleGone(TenfoldError):
    """What was to be taken back is not set any longer."""


Drafting = Callable[[SwitchOperator], Draft]
LOOKED_AT = "if_epoch"
"""The field of a form or an address that says what a person looked at before they pressed."""
NEVER = -1
"""The epoch that nothing has."""


def looked_at(fields: Fields) -> int | None:
    """None for a first look."""
    return number_in(fields, LOOKED_AT)


def unset_rule(name: str, wanted: str) -> Drafting:
    """Without the rule of that seal, as it was looked at, and no other."""

    def draft(operator: SwitchOperator) -> Draft:
        switch = operator.known(name)
        rule = next((rule for rule in switch.now.rules if seal(rule) == wanted), None)
        if rule is None:
            raise RuleGone(
                f"What was to be taken back is not set any longer for the switch '{name}'; nothing was changed.",
                remedy="Look again what is set.",
            )
        return switch.draft_without(rule)

    return draft


def propose(drafting: Drafting, if_epoch: int | None, operator: SwitchOperator) -> Proposal:
    """`if_epoch` is what was looked at, None for a first look."""
    draft = drafting(operator)
    effect = operator.effect(draft)
    lost = if_epoch is not None and draft.if_epoch != if_epoch
    return Proposal(draft=draft, effect=effect, faster=_faster(operator, draft.name) if lost else None)


def make(drafting: Drafting, reason: str, fields: Fields, operator: SwitchOperator) -> Change | Proposal:
    """The change, or what stands in its way. Under the epoch that the person saw, whatever happens meanwhile: a form
    that does not say what was looked at changes nothing.
    """
    draft, confirmed = drafting(operator), fields.get("confirmed") == "1"
    if_epoch = NEVER if (seen := looked_at(fields)) is None else seen
    if draft.if_epoch != if_epoch or (draft.needs_confirmation and not confirmed):
        return propose(lambda _: draft, if_epoch, operator)
    outcome = operator.put(draft, reason=reason, confirmed=confirmed)
    if isinstance(outcome, Conflict):
        return Proposal(draft=draft, effect=operator.effect(draft), faster=_faster(operator, draft.name))
    return outcome


def undo(name: str, change: int, operator: SwitchOperator) -> Change | Faster:
    """What was set before `change`, unless another person has changed it since; a wide reach never holds up an undo.

    Raises UndoRefused, also when nothing would be different.
    """
    try:
        draft = operator.draft_undo(name, change)
    except ChangedAgain:
        return _faster(operator, name)
    said = f"undo of {draft.undoes.epoch}: {draft.undoes.reason}" if draft.undoes is not None else ""
    outcome = operator.put(draft, reason=said[:1000], confirmed=True)
    return _faster(operator, name) if isinstance(outcome, Conflict) else outcome


def undo_proposal(name: str, operator: SwitchOperator) -> Proposal | None:
    """What undoing would touch; None when there is nothing to undo, or nothing that can be read."""
    try:
        draft = operator.draft_undo(name)
    except (UndoRefused, RecordInvalid):
        return None
    return Proposal(draft=draft, effect=operator.effect(draft))


def _faster(operator: SwitchOperator, name: str) -> Faster:
    entries = operator.history(name, limit=1)
    return Faster(entry=entries[0] if entries else None, value=operator.view(name).value)
