"""One change of a switch as people see it, and whether the history is what the node's chain of digests says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tenfold.channel import Change
from tenfold.channel.messages import decode, encode
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control.client import ControlClient, TopicRecords
from tenfold.respond.control.store import ROOT, Head, Link, link

InForce = Mapping[str, TopicRecords]
"""By topic."""
_CHAINED = (TOPIC, DECLARED)
"""The topics whose records must be what the chain leads to."""
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


def in_force(control: ControlClient) -> InForce:
    """To be asked before the links are walked: those must lead at least so far."""
    return {topic: control.records_at(topic) for topic in _CHAINED}


class Links:
    """The chain from its beginning, page by page; to be walked once.

    `pages_max` bounds it: `all` is False when there are more. `head` is known at the end, as it was in the same moment
    as the last page; `since_ns` is when the first entry was made.
    """

    def __init__(self, control: ControlClient, *, pages_max: int | None = None) -> None:
        self.head: Head | None = None
        self.since_ns = 0
        self.all = False
        self._control = control
        self._pages_max = pages_max

    def __iter__(self) -> Iterator[Link]:
        after, pages = 0, 0
        while pages != self._pages_max:
            chain = self._control.chain(after, limit=PAGE)
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
    elsewhere, with its epoch, would notice a history that was written anew from end to end.
    """

    entries: int
    epoch: int
    digest: str
    problem: str = ""


def wholeness_of(links: Iterable[Link], in_force: InForce, *, seen: tuple[int, str] | None = None) -> Wholeness:
    """`in_force` is what the links up to its epochs must lead to: what was changed since it was read is no edit. `seen`
    is an epoch and how its digest began.
    """
    digest, epoch, entries = ROOT, 0, 0
    newest: dict[tuple[str, str], Change] = {}
    met = seen is None
    for one in links:
        change = _read(one)
        digest = link(digest, change) if change is not None else ""
        if change is None or digest != one.digest or change.epoch != one.epoch:
            problem = f"The entry of epoch {one.epoch} is not what was written."
            return Wholeness(entries=entries, epoch=one.epoch, digest=one.digest, problem=problem)
        entries, epoch = entries + 1, change.epoch
        if change.topic in in_force and epoch <= in_force[change.topic].epoch:
            newest[change.topic, change.key] = change
        met = met or (seen is not None and (epoch, digest[: len(seen[1])]) == seen)
    problem = "" if met else f"The history does not hold the digest that was seen at epoch {seen[0] if seen else 0}."
    return Wholeness(entries=entries, epoch=epoch, digest=digest, problem=problem or _difference(newest, in_force))


def ends_at(wholeness: Wholeness, head: Head | None) -> Wholeness:
    """The same, unless it was written to another end: a history whose end was cut off is sound by itself."""
    if wholeness.problem or head is None or head.digest == wholeness.digest:
        return wholeness
    problem = (
        f"The history ends at epoch {wholeness.epoch}, and was written up to epoch {head.epoch}: its end was edited."
    )
    return msgspec.structs.replace(wholeness, problem=problem)


def _read(one: Link) -> Change | None:
    try:
        line = decode(one.text.encode())
    except ValueError:
        return None
    return line if isinstance(line, Change) else None


def _made_ns(one: Link) -> int:
    change = _read(one)
    return change.at_ns if change is not None else 0


def _difference(newest: Mapping[tuple[str, str], Change], in_force: InForce) -> str:
    """A record in force that the history does not lead to, or one that it leads to and that is not in force."""
    there = {(record.topic, record.key): encode(record) for read in in_force.values() for record in read.records}
    said = {place: encode(change) for place, change in newest.items() if change.json is not None}
    for place in sorted(there.keys() | said.keys()):
        if there.get(place) != said.get(place):
            return f"The record '{place[1]}' in force is not what the history says of it."
    return ""
