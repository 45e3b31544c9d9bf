"""The words of `tenfold switch` that change one: first it is said what that touches, then it is done."""

import argparse
from typing import NamedTuple

import msgspec

from tenfold.channel import Change
from tenfold.commands.switch import text
from tenfold.commands.switch.answer import DONE, NOT_DONE, UNCONFIRMED, note, say
from tenfold.commands.switch.caller import at_node, now_ms
from tenfold.commands.switch.typed_rule import end_of, rule_of, scope_of, value_of
from tenfold.kernel import TenfoldError
from tenfold.respond.control import ControlRefusedError, ControlUnreachableError
from tenfold.respond.switchboard import Draft, Effect, SwitchOperator
from tenfold.respond.switchboard.following import Following

ACK_WAIT_S = 2.0


class SwitchRefused(TenfoldError):
    """The switch may not be set so, whoever confirms it."""


def set_rule(options: argparse.Namespace) -> int:
    """Everywhere, or for some."""
    with at_node(options) as operator:
        value = value_of(options.value, operator.declaration(options.name))
        end = end_of(options, now_ms())
        if end.note:
            note(options, end.note)
        draft = operator.draft_set(options.name, rule_of(options, value, end.at_ms), override=options.override)
        return _carry_out(options, operator, draft, confirmed=options.confirm)


def unset(options: argparse.Namespace) -> int:
    """What is set for a scope, or for every one."""
    with at_node(options) as operator:
        draft = operator.draft_unset(options.name, None if options.all else scope_of(options))
        return _carry_out(options, operator, draft, confirmed=options.confirm)


def undo(options: argparse.Namespace) -> int:
    """The newest change; going back is never held up."""
    with at_node(options) as operator:
        draft = operator.draft_undo(options.name, options.change)
        return _carry_out(options, operator, draft, confirmed=options.confirm or not options.dry_run)


def _carry_out(options: argparse.Namespace, operator: SwitchOperator, draft: Draft, *, confirmed: bool) -> int:
    """Say what it touches, then make it, unless it is a dry run or needs to be confirmed. Raises SwitchRefused."""
    refusal = draft.refusal(now_ms())
    if refusal:
        raise SwitchRefused(refusal)
    effect = operator.effect(draft)
    if options.if_epoch is not None:
        draft = msgspec.structs.replace(draft, if_epoch=options.if_epoch)
    elif draft.changes_nothing:
        return say(options, {"effect": effect, "change": None}, ["Nothing to do: it is so already."])
    held_up = "" if confirmed else draft.needs_confirmation
    if options.dry_run or held_up:
        return _leave(options, effect, held_up)
    return _make(options, operator, draft, effect, confirmed=confirmed)


def _leave(options: argparse.Namespace, effect: Effect, held_up: str) -> int:
    why = f"{held_up} Say --confirm." if held_up else "A dry run."
    say(
        options,
        {"effect": effect, "change": None},
        [*text.effect_lines(effect, now_ms()), f"Nothing was changed. {why}"],
    )
    return DONE if options.dry_run else UNCONFIRMED


def _make(
    options: argparse.Namespace, operator: SwitchOperator, draft: Draft, effect: Effect, *, confirmed: bool
) -> int:
    outcome = operator.put(draft, reason=options.reason, confirmed=confirmed)
    if not isinstance(outcome, Change):
        return _lost(options, outcome.current)
    since = _since(operator, outcome.epoch)
    said = {"effect": effect, "change": outcome, "digest": since.digest, "following": since.follows}
    return say(options, said, [*text.effect_lines(effect, now_ms()), _done(draft.name, outcome.epoch, since)])


class _Since(NamedTuple):
    """What the node said after the change; nothing more from where it ceased to answer."""

    digest: str = ""
    follows: Following | None = None
    why: str = ""


def _since(operator: SwitchOperator, epoch: int) -> _Since:
    """The change is made and durable: that the node dies now is no reason to say that it was not."""
    digest = ""
    try:
        digest = operator.digest(epoch)
        return _Since(digest, operator.acknowledged(epoch, within_s=ACK_WAIT_S))
    except (ControlUnreachableError, ControlRefusedError) as error:
        return _Since(digest, why=str(error.__cause__ or error))


def _done(name: str, epoch: int, since: _Since) -> str:
    made = f"Done, epoch {epoch}:{since.digest[:16]}" if since.digest else f"Done, epoch {epoch}"
    if since.follows is not None:
        return f"{made}; {text.acknowledged(since.follows)}"
    return (
        f"{made}; who has it in force cannot be told now ({since.why}): "
        f"`tenfold switch show {name}` says it once the control node answers again."
    )


def _lost(options: argparse.Namespace, current: Change | None) -> int:
    who = f"by {current.by}: {current.reason}" if current is not None else "it is not set any longer"
    say(options, {"conflict": current}, [f"Not done: somebody else was first ({who}). Look, then decide again."])
    return NOT_DONE
