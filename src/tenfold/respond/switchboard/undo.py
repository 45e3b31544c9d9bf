"""Which change of a switch is taken back, and to what; or why none is. Pure.

That a rule was over and the node took it out of the record is nobody's change: undoing looks through it to the one
before. What somebody set and is over by now cannot be taken back, since nothing would be different.
A record that cannot be read is a change all the same, and can be taken back.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise
from typing import NamedTuple

from tenfold.channel import Change
from tenfold.protect.live.switches import RecordInvalid, SwitchRecord
from tenfold.protect.live.switches.rule import identity_of

CHANGES_MAX = 1000
"""So far back it is looked."""


class Undo(NamedTuple):
    """The change that is taken back, and what is left: what held before it and is not over."""

    change: Change
    after: SwitchRecord


class CannotUndo(NamedTuple):
    """Why not. `newer` is the change that would be taken back too, where that is the reason."""

    problem: str
    remedy: str = ""
    newer: Change | None = None


def undo_of(
    name: str, history: Iterable[Change], current: SwitchRecord, now_ms: int, change: int | None = None
) -> Undo | CannotUndo:
    """`history` is newest first; `change` is the newest that whoever asks has seen, None: whichever it is.

    Raises RecordInvalid when what held before cannot be read.
    """
    held = identity_of(current.at(now_ms))
    over: Change | None = None
    for made, before in islice(_made(history), CHANGES_MAX):
        after = before.at(now_ms)
        if change is not None and made.epoch > change:
            if identity_of(after) != held:
                return _changed_again(name, change, made)
        elif identity_of(after) == held and _read(made) is not None:
            over = over or made
        elif over is None:
            return Undo(made, after)
        else:
            return _is_over(name, over, f"To take back epoch {made.epoch}, by {_who(made)}, name that change.")
    if over is not None:
        return _is_over(name, over, "")
    return CannotUndo(f"The switch '{name}' was never changed; there is nothing to undo.")


def _made(history: Iterable[Change]) -> Iterator[tuple[Change, SwitchRecord]]:
    """Each change that made a difference when it was made, and what was set before it."""
    for change, earlier in pairwise(chain(history, (None,))):
        if change is None:  # only the last has nothing before it
            return
        now_ms = change.at_ns // 1_000_000
        before = SwitchRecord.read(change.key, earlier.json if earlier is not None else None)
        after = _read(change)
        if after is None or identity_of(after.at(now_ms)) != identity_of(before.at(now_ms)):
            yield change, before


def _read(change: Change) -> SwitchRecord | None:
    try:
        return SwitchRecord.read(change.key, change.json)
    except RecordInvalid:
        return None


def _changed_again(name: str, change: int, newer: Change) -> CannotUndo:
    return CannotUndo(
        f"The switch '{name}' was changed again after epoch {change}, by {_who(newer)}; "
        "undoing would take that back too.",
        f"Undo epoch {newer.epoch} first, or set what you want.",
        newer,
    )


def _is_over(name: str, over: Change, remedy: str) -> CannotUndo:
    return CannotUndo(
        f"Undoing epoch {over.epoch} of the switch '{name}', by {_who(over)}, would change nothing: "
        "what it set is over by now.",
        remedy,
    )


def _who(change: Change) -> str:
    return f"{change.by} ({change.reason})"
