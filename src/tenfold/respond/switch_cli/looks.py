"""The words of `tenfold switch` that change nothing."""

import argparse
import sys

from tenfold.respond.switch_cli.answer import DONE, NOT_DONE, say
from tenfold.respond.switch_cli.caller import at_node, now_ms, token
from tenfold.respond.switch_cli.typed import seen
from tenfold.respond.switchboard import text
from tenfold.respond.switchboard.watch import watch


def list_all(options: argparse.Namespace) -> int:
    """Every switch, one line each."""
    with at_node(options) as operator:
        views = operator.views()
    return say(options, views, text.table(views, now_ms()))


def show(options: argparse.Namespace) -> int:
    """One switch, and who follows it."""
    with at_node(options) as operator:
        view = operator.view(options.name)
        follows = operator.following(view.epoch) if view.epoch else None
    return say(options, {"switch": view, "following": follows}, text.page(view, follows, now_ms()))


def history(options: argparse.Namespace) -> int:
    """Who changed what."""
    with at_node(options) as operator:
        entries = operator.history(options.name, limit=options.limit)
    return say(options, entries, map(text.entry_line, entries))


def verify(options: argparse.Namespace) -> int:
    """NOT_DONE when the history is not what was written."""
    with at_node(options) as operator:
        wholeness = operator.verify(seen=seen(options.seen))
    say(options, wholeness, [text.wholeness_line(wholeness)])
    return NOT_DONE if wholeness.problem else DONE


def follow(options: argparse.Namespace) -> int:
    """Each change as it is made, until there were enough."""
    with at_node(options) as operator:
        changes = watch(operator, options.control, token(), name=options.name)
        for number, (entry, follows) in enumerate(changes, start=1):
            lines = [text.entry_line(entry), f"        {text.acknowledged(follows)}"]
            say(options, {"change": entry, "following": follows}, lines)
            sys.stdout.flush()
            if number == options.changes:
                break
    return DONE
