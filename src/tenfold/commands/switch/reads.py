"""The words of `tenfold switch` that change nothing."""

import argparse
import sys

from tenfold.commands.switch import text
from tenfold.commands.switch.answer import DONE, NOT_DONE, say, warn
from tenfold.commands.switch.caller import at_node, now_ms, token
from tenfold.commands.switch.typed_rule import seen
from tenfold.respond.switchboard.following import apart_sentence
from tenfold.respond.switchboard.watch import Away, Back, Seen, watch


def list_all(options: argparse.Namespace) -> int:
    """Every switch, one line each, and a warning when processes hold another store's switches."""
    with at_node(options) as operator:
        views, apart = operator.views(), apart_sentence(operator.apart())
    if apart:
        warn(options, apart)
    return say(options, views, text.table(views, now_ms()))


def show(options: argparse.Namespace) -> int:
    """One switch, who follows it, and as the shield of a feature what it saved."""
    with at_node(options) as operator:
        view = operator.view(options.name)
        follows = operator.following(view.epoch) if view.epoch else None
        shield = operator.shields().get(options.name)
    told = {"switch": view, "following": follows, "shield": shield}
    return say(options, told, text.page(view, follows, now_ms(), shield))


def history(options: argparse.Namespace) -> int:
    """The changes, newest first."""
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
    told = 0
    with at_node(options) as operator:
        for seen in watch(operator, options.control, token(), name=options.name):
            _say_seen(options, seen)
            sys.stdout.flush()
            told += not isinstance(seen, (Away, Back))
            if options.changes and told == options.changes:
                break
    return DONE


def _say_seen(options: argparse.Namespace, seen: Seen) -> None:
    if isinstance(seen, Away):
        say(options, {"away": {"since_ns": seen.since_ns, "why": seen.why}}, [text.away_line(seen)])
    elif isinstance(seen, Back):
        say(options, {"back": {"away_s": seen.away_s}}, [text.back_line(seen)])
    else:
        entry, follows = seen
        lines = [text.entry_line(entry), f"        {text.acknowledged(follows)}"]
        say(options, {"change": entry, "following": follows}, lines)
