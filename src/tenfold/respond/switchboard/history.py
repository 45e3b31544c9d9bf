"""One change of a switch as people see it, and whether the history is what the node's chain of digests says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.respond.control.client import ControlClient
from tenfold.respond.control.replay import Replay, change_in, cut_off, differences, records_in, take
from tenfold.respond.control.store import Base, Head, Link, RecordsHeld

HeldRecords = Mapping[str, RecordsHeld]
"""By where they stand: `in force` at the node, `in the file` of its store."""
PAGE = 1000


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: which switch, when, by whom and why, and what has been set since then."""

    epoch: int
    at_ns: int
    switch: str
    by: str
    reason: str
    record: Any


def entry(change: Change) -> HistoryEntry:
    record = msgspec.json.decode(change.json) if change.json is not None else None
    return HistoryEntry(
        epoch=change.epoch, at_ns=change.at_ns, switch=change.key, by=change.by, reason=change.reason, record=record
    )


def in_force(control: ControlClient) -> HeldRecords:
    """To be asked before the links are walked: those must lead at least so far."""
    return control.held()


class Links:
    """The chain from its beginning, page by page; to be walked once.

    `pages_max` bounds it: `all` is False when there are more. `head` is known at the end, as it was in the same moment
    as the last page; `since_ns` is when the first entry was made. `base` is what it begins at, when it was pruned.
    """

    def __init__(self, control: ControlClient, *, pages_max: int | None = None) -> None:
        self.head: Head | None = None
        self.since_ns = 0
        self.all = False
        self._control = control
        self._pages_max = pages_max
        self._first = control.chain(0, limit=PAGE)
        self.base = self._first.base

    def __iter__(self) -> Iterator[Link]:
        after, pages = 0, 0
        while pages != self._pages_max:
            chain = self._control.chain(after, limit=PAGE) if pages else self._first
            pages += 1
            if chain.links and not self.since_ns:
                self.since_ns = _made_ns(chain.links[0])
            yield from chain.links
            if len(chain.links) < PAGE:
                self.head, self.all = chain.head, True
                return
            after = chain.links[-1].epoch


class Wholeness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every entry is what was written, by the chain of digests. `digest` is the newest: whoever writes it down
    elsewhere, with its epoch, can find a history that was written anew from end to end.

    `pruned` entries up to the epoch `checkpoint` are gone, and what they led to is vouched for; `since_ns` is when the
    last of them was made.
    """

    entries: int
    epoch: int
    digest: str
    problem: str = ""
    pruned: int = 0
    checkpoint: int = 0
    since_ns: int = 0


def wholeness_of(
    links: Iterable[Link], held: HeldRecords, *, seen: tuple[int, str] | None = None, base: Base | None = None
) -> Wholeness:
    """`held` is what the links up to its epochs must lead to: what was changed since it was read is no edit. `seen` is
    an epoch and how its digest began. `base` is where the links begin.
    """
    replay = Replay(base)
    views = {there: _View(replay, one.epoch) for there, one in held.items()}
    met = seen is None or _is_seen(replay, seen)
    for one in links:
        change = replay.follow(one)
        if change is None:
            return _wholeness(replay, base, problem=replay.problem, epoch=one.epoch, digest=one.digest)
        for view in views.values():
            view.took(change)
        met = met or (seen is not None and _is_seen(replay, seen))
    problem = replay.problem or ("" if met else _unseen(seen, base)) or _difference(views, held)
    return _wholeness(replay, base, problem=problem)


def ends_at(wholeness: Wholeness, head: Head | None) -> Wholeness:
    """The same, unless it was written to another end: a history whose end was cut off is sound by itself."""
    if wholeness.problem or head is None or head.digest == wholeness.digest:
        return wholeness
    return msgspec.structs.replace(wholeness, problem=cut_off(wholeness.epoch, head))


class _View:
    """The records that the history leads to at one epoch."""

    def __init__(self, replay: Replay, epoch: int) -> None:
        self.records = dict(replay.records)
        self._epoch = epoch

    def took(self, change: Change) -> None:
        if change.epoch <= self._epoch:
            take(self.records, change)


def _wholeness(
    replay: Replay, base: Base | None, *, problem: str, epoch: int | None = None, digest: str | None = None
) -> Wholeness:
    return Wholeness(
        entries=replay.entries,
        epoch=replay.epoch if epoch is None else epoch,
        digest=replay.digest if digest is None else digest,
        problem=problem or replay.ends_at(None),
        pruned=base.entries if base else 0,
        checkpoint=base.epoch if base else 0,
        since_ns=base.at_ns if base else 0,
    )


def _is_seen(replay: Replay, seen: tuple[int, str]) -> bool:
    return (replay.epoch, replay.digest[: len(seen[1])]) == seen


def _unseen(seen: tuple[int, str] | None, base: Base | None) -> str:
    epoch = seen[0] if seen else 0
    if base is not None and epoch < base.epoch:
        return f"Epoch {epoch} was pruned; nothing can be said of it. The history begins after epoch {base.epoch}."
    return f"The history does not hold the digest that was seen at epoch {epoch}."


def _difference(views: Mapping[str, _View], held: HeldRecords) -> str:
    """The first record that is not what the history leads to, and how many there are."""
    found = [one for there, view in views.items() for one in differences(view.records, records_in(held[there]), there)]
    more = f" {len(found) - 1} more differ." if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else ""


def _made_ns(one: Link) -> int:
    change = change_in(one.text)
    return change.at_ns if change is not None else 0
