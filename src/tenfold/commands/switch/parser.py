"""What may be typed after `tenfold switch`, and the function that each word calls."""

import argparse
import os
from functools import partial
from typing import Any

from tenfold.commands.switch import changes, reads
from tenfold.commands.switch.answer import Run, answered
from tenfold.commands.switch.caller import TOKEN, URL, user

Subparsers = Any  # argparse keeps its class private

UNDO_ASKS_NOTHING = """ It asks for no confirmation, however many stores it reaches: it leads back to what held before
that change, is the quickest way out of a mistake, and is itself undone by another. --dry-run shows first what it would
touch. That a time was over is no change: undo looks through it, and brings nothing back that is over."""

EPILOG = f"""\
examples:
  tenfold switch list
  tenfold switch set recommendations off --store 7 --ttl 30m --reason "slow pages"
  tenfold switch set recommendations off --reason "peak" --until 02:00 --dry-run
  tenfold switch set recommendations off --reason "peak" --until 02:00 --confirm
  tenfold switch undo recommendations --reason "pages are fast again"

environment: {URL}, {TOKEN}
exit status: 0 done, 1 somebody else was first, 2 refused or unreachable, 3 not confirmed
with --json: the answer is JSON on stdout, an error {{"error": {{"kind", "message", "remedy"}}}} on stderr
"""


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
    _add(words, "list", reads.list_all, "every switch with its value, owner, reason and time left")
    _add_named(words, "show", reads.show, "one switch, who has it in force and how fast")
    _add_set(words)
    _add_unset(words)
    _add_undo(words)
    _add_history(words)
    _add_watch(words)
    _add_verify(words)


def _add_set(words: Subparsers) -> None:
    command = _add_named(words, "set", changes.set_rule, "set a switch: everywhere, or for some")
    command.add_argument("value", help="on, off, a number, a text, or JSON")
    command.add_argument("--percent", type=float, metavar="P", help="for so many of a hundred subjects")
    end = command.add_mutually_exclusive_group()
    end.add_argument("--ttl", metavar="LENGTH", help="goes back by itself after 30m, 1h30m, 2d")
    end.add_argument("--until", metavar="TIME", help="goes back by itself at 02:00 or 2026-11-12T02:00")
    command.add_argument("--zone", default="", help="of --until, as Asia/Shanghai (default: this machine's)")
    command.add_argument("--override", action="store_true", help="take along what is set for narrower scopes")
    _add_scope(command)
    _add_answerable(command)


def _add_unset(words: Subparsers) -> None:
    says = "take back what is set for a scope (--all: for every scope)"
    command = _add_named(words, "unset", changes.unset, says)
    _add_scope(command)
    command.add_argument("--all", action="store_true", help="every scope: the default holds again")
    _add_answerable(command)


def _add_undo(words: Subparsers) -> None:
    command = _add_named(words, "undo", changes.undo, "take back the newest change of a switch, as a new change")
    _add_answerable(command)
    command.add_argument("--change", type=int, metavar="EPOCH", help="only if nothing newer would be taken back too")
    command.description = f"{command.description}{UNDO_ASKS_NOTHING}"


def _add_history(words: Subparsers) -> None:
    command = _add(words, "history", reads.history, "who changed what when and why, newest first")
    command.add_argument("name", nargs="?", help="of this switch only")
    command.add_argument("--limit", type=int, default=20, metavar="N", help="so many changes (default: 20)")


def _add_watch(words: Subparsers) -> None:
    command = _add(words, "watch", reads.follow, "changes as they are made, and who has them in force")
    command.add_argument("name", nargs="?", help="of this switch only")
    command.add_argument("--changes", type=int, default=0, metavar="N", help="end after so many changes")


def _add_verify(words: Subparsers) -> None:
    command = _add(words, "verify", reads.verify, "whether the history is what was written")
    says = "what an earlier verify or change said; must still be there"
    command.add_argument("--seen", metavar="EPOCH:DIGEST", help=says)


def _add_named(words: Subparsers, word: str, run: Run, says: str) -> argparse.ArgumentParser:
    command = _add(words, word, run, says)
    command.add_argument("name", help="the switch")
    return command


def _add(words: Subparsers, word: str, run: Run, says: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = words.add_parser(word, help=says, description=says[0].upper() + says[1:] + ".")
    command.add_argument("--control", metavar="URL", default=os.environ.get(URL, ""), help=f"default ${URL}")
    command.add_argument("--json", action="store_true", help="records instead of lines")
    command.set_defaults(run=partial(answered, run))
    return command


def _add_scope(command: argparse.ArgumentParser) -> None:
    """For whom; all of it left out is everybody."""
    for noun in ("store", "service", "instance"):
        command.add_argument(f"--{noun}", action="append", default=[], metavar="NAME", help="may be repeated; a,b,c")
    command.add_argument(
        "--where", action="append", default=[], metavar="NAME=VALUE", help="for whom an attribute is known"
    )


def _add_answerable(command: argparse.ArgumentParser) -> None:
    """Why, by whom, and how sure: what every change is asked."""
    command.add_argument("--reason", required=True, help="why")
    command.add_argument("--owner", default=user(), help="who answers for it (default: you)")
    command.add_argument("--if-epoch", type=int, metavar="EPOCH", help="only if it is as it was shown at that epoch")
    command.add_argument("--dry-run", action="store_true", help="say what it would touch; change nothing")
    command.add_argument("--confirm", action="store_true", help="yes, also for many stores at once")
