"""`tenfold switch …`: see, set and take back switches at the control node, with the console dead.

Exit status: 0 done; 1 not done, somebody else was first (or: the history was edited); 2 the call, the node or the value
is at fault; 3 nothing was changed, since it reaches far and was not confirmed.
"""

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from tenfold.kernel import TenfoldError
from tenfold.protect.channel import Change
from tenfold.protect.switches import Declaration, Rule
from tenfold.respond.control import ControlClient
from tenfold.respond.switchboard import Draft, SwitchOperator, moment, text
from tenfold.respond.switchboard.watch import watch

URL, TOKEN = "TENFOLD_CONTROL_URL", "TENFOLD_CONTROL_TOKEN"  # names of variables
DONE, NOT_DONE, UNCONFIRMED = 0, 1, 3
ACK_WAIT_S = 2.0

Subparsers = Any  # argparse keeps its class private

UNDO_ASKS_NOTHING = """ It asks for no confirmation, however many stores it reaches: it leads back to what held before
that change, is the quickest way out of a mistake, and is itself undone by another. --dry-run shows first what it would
touch. That a time was over is no change: undo looks through it, and brings nothing back that is over."""

EPILOG = """\
examples:
  tenfold switch list
  tenfold switch set recommendations off --store 7 --ttl 30m --reason "slow pages"
  tenfold switch set recommendations off --reason "peak" --until 02:00 --dry-run
  tenfold switch set recommendations off --reason "peak" --until 02:00 --confirm
  tenfold switch undo recommendations --reason "pages are fast again"

environment: TENFOLD_CONTROL_URL, TENFOLD_CONTROL_TOKEN
exit status: 0 done, 1 somebody else was first, 2 refused or unreachable, 3 not confirmed
"""


class ControlUnknown(TenfoldError):
    """Nobody said where the control node is, or what opens it."""


class SwitchRefused(TenfoldError):
    """The switch may not be set so, whoever confirms it."""


def add_switch_commands(subparsers: Subparsers) -> None:
    """`switch` and its words; each parsed call has `run`, which takes it and answers the exit status."""
    command = subparsers.add_parser(
        "switch",
        help="see, set and take back switches",
        description="Switches of every running process, by way of the control node.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = command.add_subparsers(title="words", metavar="WORD", required=True)
    _add(words, "list", _list, "every switch with its value, owner, reason and time left")
    _add(words, "show", _show, "one switch, who has it in force and how fast", name=True)
    _add_change(words, "set", _set, "set a switch: everywhere, or for some")
    _add_change(words, "unset", _unset, "take back what is set for a scope (--all: for every scope)")
    undo = _add_change(words, "undo", _undo, "take back the newest change of a switch, as a new change", scope=False)
    undo.add_argument("--change", type=int, metavar="EPOCH", help="only if nothing newer would be taken back too")
    undo.description += UNDO_ASKS_NOTHING
    history = _add(words, "history", _history, "who changed what when and why, newest first")
    history.add_argument("name", nargs="?", help="of this switch only")
    history.add_argument("--limit", type=int, default=20, metavar="N", help="so many changes (default: 20)")
    following = _add(words, "watch", _watch, "changes as they are made, and who has them in force")
    following.add_argument("name", nargs="?", help="of this switch only")
    following.add_argument("--changes", type=int, default=0, metavar="N", help="end after so many changes")
    verify = _add(words, "verify", _verify, "whether the history is what was written")
    verify.add_argument("--seen", metavar="EPOCH:DIGEST", help="what an earlier verify said; must still be there")


def _add(words: Subparsers, word: str, run: Callable[..., int], says: str, *, name: bool = False) -> Any:
    command = words.add_parser(word, help=says, description=says[0].upper() + says[1:] + ".")
    command.add_argument("--control", metavar="URL", default=os.environ.get(URL, ""), help=f"default ${URL}")
    command.add_argument("--json", action="store_true", help="records instead of lines")
    if name:
        command.add_argument("name", help="the switch")
    command.set_defaults(run=run)
    return command


def _add_change(words: Subparsers, word: str, run: Callable[..., int], says: str, *, scope: bool = True) -> Any:
    command = _add(words, word, run, says, name=True)
    if word == "set":
        command.add_argument("value", help="on, off, a number, a text, or JSON")
        command.add_argument("--percent", type=float, metavar="P", help="for so many of a hundred subjects")
        end = command.add_mutually_exclusive_group()
        end.add_argument("--ttl", metavar="LENGTH", help="goes back by itself after 30m, 1h30m, 2d")
        end.add_argument("--until", metavar="TIME", help="goes back by itself at 02:00 or 2026-11-12T02:00")
        command.add_argument("--zone", default="", help="of --until, as Asia/Shanghai (default: this machine's)")
        command.add_argument("--override", action="store_true", help="take along what is set for narrower scopes")
    if scope:
        for noun in ("store", "service", "instance"):
            command.add_argument(
                f"--{noun}", action="append", default=[], metavar="NAME", help="may be repeated; a,b,c"
            )
        command.add_argument(
            "--where", action="append", default=[], metavar="NAME=VALUE", help="for whom an attribute is known"
        )
    if word == "unset":
        command.add_argument("--all", action="store_true", help="every scope: the default holds again")
    command.add_argument("--reason", required=True, help="why")
    command.add_argument("--owner", default=_user(), help="who answers for it (default: you)")
    command.add_argument("--if-epoch", type=int, metavar="EPOCH", help="only if it is as it was shown at that epoch")
    command.add_argument("--dry-run", action="store_true", help="say what it would touch; change nothing")
    command.add_argument("--confirm", action="store_true", help="yes, also for many stores at once")
    return command


def _list(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        views = operator.views()
    return _say(options, views, text.table(views, _now_ms()))


def _show(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        view = operator.view(options.name)
        follows = operator.following(view.epoch) if view.epoch else None
        shield = operator.shields().get(options.name)
    told = {"switch": view, "following": follows, "shield": shield}
    return _say(options, told, text.page(view, follows, _now_ms(), shield))


def _set(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        value = _value(options.value, operator.declaration(options.name))
        draft = operator.draft_set(options.name, _rule(options, value), override=options.override)
        return _carry_out(options, operator, draft)


def _unset(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        scope = None if options.all else _scope(options, None)
        return _carry_out(options, operator, operator.draft_unset(options.name, scope))


def _undo(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        draft = operator.draft_undo(options.name, options.change)
        if not options.dry_run:
            options.confirm = True  # going back is never held up
        return _carry_out(options, operator, draft)


def _history(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        entries = operator.history(options.name, limit=options.limit)
    return _say(options, entries, map(text.entry_line, entries))


def _verify(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        wholeness = operator.verify(seen=_seen(options.seen))
    _say(options, wholeness, [text.wholeness_line(wholeness)])
    return NOT_DONE if wholeness.problem else DONE


def _watch(options: argparse.Namespace) -> int:
    with _operator(options) as operator:
        seen = watch(operator, options.control, _token(), name=options.name)
        for number, (entry, follows) in enumerate(seen, start=1):
            _say(
                options,
                {"change": entry, "following": follows},
                [text.entry_line(entry), f"        {text.acknowledged(follows)}"],
            )
            sys.stdout.flush()
            if number == options.changes:
                break
    return DONE


def _carry_out(options: argparse.Namespace, operator: SwitchOperator, draft: Draft) -> int:
    """Say what it touches, then make it, unless it is a dry run or needs to be confirmed."""
    refusal = draft.refusal(_now_ms())
    if refusal:
        raise SwitchRefused(refusal)
    effect = operator.effect(draft)
    if options.if_epoch is not None:
        draft = msgspec.structs.replace(draft, if_epoch=options.if_epoch)
    if draft.changes_nothing and options.if_epoch is None:
        return _say(options, {"effect": effect, "change": None}, ["Nothing to do: it is so already."])
    held_up = draft.needs_confirmation if not options.confirm else ""
    if options.dry_run or held_up:
        why = f"{held_up} Say --confirm." if held_up else "A dry run."
        _say(options, {"effect": effect, "change": None}, [*text.effect_lines(effect), f"Nothing was changed. {why}"])
        return DONE if options.dry_run else UNCONFIRMED
    outcome = operator.put(draft, reason=options.reason, confirmed=options.confirm)
    if not isinstance(outcome, Change):
        return _lost(options, outcome.current)
    follows = operator.acknowledged(outcome.epoch, within_s=ACK_WAIT_S)
    done = f"Done, epoch {outcome.epoch}; {text.acknowledged(follows)}"
    return _say(
        options, {"effect": effect, "change": outcome, "following": follows}, [*text.effect_lines(effect), done]
    )


def _lost(options: argparse.Namespace, current: Change | None) -> int:
    who = f"by {current.by}: {current.reason}" if current is not None else "it is not set any longer"
    _say(options, {"conflict": current}, [f"Not done: somebody else was first ({who}). Look, then decide again."])
    return NOT_DONE


def _rule(options: argparse.Namespace, value: Any) -> Rule:
    end_ms = 0
    if options.ttl:
        end_ms = moment.after(options.ttl, _now_ms())
    elif options.until:
        end_ms, note = moment.until(options.until, _now_ms(), zone=options.zone)
        sys.stderr.write(text.lines([note] if note else []))
    rule = _scope(options, value)
    rule = msgspec.structs.replace(
        rule, until_ms=end_ms, percent=options.percent, owner=options.owner, reason=options.reason
    )
    try:
        return msgspec.convert(msgspec.to_builtins(rule), Rule)
    except msgspec.ValidationError as error:
        raise TenfoldError(f"The switch '{options.name}' cannot be set so: {error}.") from error


def _scope(options: argparse.Namespace, value: Any) -> Rule:
    return Rule(
        value=value,
        stores=_names(options.store),
        services=_names(options.service),
        instances=_names(options.instance),
        where=dict(map(_attribute, options.where)),
    )


def _names(said: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for names in said for name in names.split(",") if name.strip()))


def _attribute(said: str) -> tuple[str, Any]:
    name, equals, value = said.partition("=")
    if not (name and equals):
        raise TenfoldError(f"'{said}' is no attribute; write NAME=VALUE.")
    return name, _json_or_text(value)


def _value(said: str, declaration: Declaration | None) -> Any:
    """What was typed, as the kind of the switch wants it."""
    kind = declaration.kind if declaration is not None else ""
    if kind in ("boolean", "") and said in ("on", "off"):
        return said == "on"
    if kind == "text":
        return said
    return _json_or_text(said.removesuffix("%") if kind == "percentage" else said)


def _json_or_text(said: str) -> Any:
    try:
        return msgspec.json.decode(said)
    except (ValueError, RecursionError):
        return said


def _seen(said: str | None) -> tuple[int, str] | None:
    if said is None:
        return None
    epoch, _, digest = said.partition(":")
    if not epoch.isdecimal() or len(digest) < 8:
        raise TenfoldError(f"'{said}' is not what a verify says; write EPOCH:DIGEST.")
    return int(epoch), digest


@contextmanager
def _operator(options: argparse.Namespace) -> Iterator[SwitchOperator]:
    """Raises ControlUnknown."""
    if not options.control:
        raise ControlUnknown("Nobody said where the control node is.", remedy=f"Say --control URL, or set {URL}.")
    client = ControlClient(options.control, _token())
    try:
        yield SwitchOperator(client, by=_user())
    finally:
        client.close()


def _token() -> str:
    token = os.environ.get(TOKEN, "")
    if not token:
        raise ControlUnknown("Nobody said what opens the control node.", remedy=f"Set {TOKEN}.")
    return token


def _user() -> str:
    try:
        return os.environ.get("TENFOLD_BY") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(options: argparse.Namespace, record: object, lines: Any) -> int:
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n" if options.json else text.lines(lines))
    return DONE
