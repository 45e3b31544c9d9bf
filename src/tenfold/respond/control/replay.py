"""What a history leads to: every link checked against the one before it, and the records that come of it. Pure.

A history that was pruned begins at a base: the records at an epoch, and the digest that the rest builds on. The rest
vouches for both by a seal, which is a change like others (topic `control-seals`).
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from tenfold.channel.messages import Change, decode, encode
from tenfold.respond.control.store import ROOT, Base, Head, Link, RecordDifference, RecordsHeld, link

SEALS = "control-seals"
"""The node's own topic."""
SEAL_KEY = "records"
VALUE_LENGTH_MAX = 200

Place = tuple[str, str]
"""Topic and key."""


class Seal(msgspec.Struct, frozen=True):
    """The value of a seal: what the records were at `epoch`, as one digest."""

    epoch: int
    digest: str


class Replay:
    """Follows the links one by one, oldest first. `problem` is a sentence once one is not what was written."""

    def __init__(self, base: Base | None = None) -> None:
        self.problem = ""
        self.entries = 0
        self.digest, self.epoch = (base.digest, base.epoch) if base else (ROOT, 0)
        self.records: dict[Place, Change] = {}
        self._seal: Seal | None = None
        if base is not None:
            self._begin_at(base)

    def follow(self, one: Link) -> Change | None:
        """The change of the next link; None once there is a problem."""
        change = change_in(one.text)
        digest = link(self.digest, change) if change is not None else ""
        if change is None or digest != one.digest or change.epoch != one.epoch:
            self.problem = self.problem or f"The entry of epoch {one.epoch} is not what was written."
            return None
        self.entries, self.epoch, self.digest = self.entries + 1, change.epoch, digest
        if change.topic == SEALS and self._seal is not None and _seal_in(change) == self._seal:
            self._seal = None
        take(self.records, change)
        return change

    def ends_at(self, head: Head | None) -> str:
        """What is wrong with the whole, now that it is at its end; nothing when it is what was written."""
        if self.problem:
            return self.problem
        if head is not None and head.digest != self.digest:
            return cut_off(self.epoch, head)
        if self._seal is not None:
            return f"No later entry vouches for what was pruned up to epoch {self._seal.epoch}: the base was edited."
        return ""

    def _begin_at(self, base: Base) -> None:
        for text in base.records:
            change = change_in(text)
            if change is None or change.epoch > base.epoch:
                self.problem = f"The base at epoch {base.epoch} is not what was written."
                return
            take(self.records, change)
        self._seal = seal_of(base.epoch, base.digest, self.records.values())


def take(records: dict[Place, Change], change: Change) -> None:
    """Into the records by place."""
    if change.json is None:
        records.pop((change.topic, change.key), None)
    else:
        records[change.topic, change.key] = change


def cut_off(epoch: int, head: Head) -> str:
    """The sentence for a history that is sound by itself and was written further."""
    return f"The history ends at epoch {epoch}, and was written up to epoch {head.epoch}: its end was edited."


def seal_of(epoch: int, digest: str, records: Iterable[Change]) -> Seal:
    """`digest` is that of the entry of `epoch`; `records` are what lasted then, in any order."""
    sealing = blake2b(digest.encode(), digest_size=32)
    for record in sorted(records, key=lambda record: (record.topic, record.key)):
        sealing.update(encode(record))
    return Seal(epoch, sealing.hexdigest())


def _seal_in(change: Change) -> Seal | None:
    try:
        return msgspec.json.decode(change.json or b"", type=Seal)
    except ValueError:
        return None


def differences(
    said: Mapping[Place, Change], stands: Mapping[Place, Change | None], there: str
) -> Sequence[RecordDifference]:
    """`said` is what the history leads to; of `stands`, None is a record that cannot be read."""
    found = []
    for place in sorted(said.keys() | stands.keys()):
        one, other = said.get(place), stands.get(place)
        if place in said and place in stands and other is not None and encode(said[place]) == encode(other):
            continue
        text = _told(other) if other is not None or place not in stands else "what cannot be read"
        found.append(RecordDifference("/".join(place), _told(one), text, there))
    return found


def _told(change: Change | None) -> str:
    if change is None:
        return ""
    text = (change.json or b"").decode("utf-8", "replace")
    return f"epoch {change.epoch}, {text[:VALUE_LENGTH_MAX]}{'…' if len(text) > VALUE_LENGTH_MAX else ''}"


def records_in(held: RecordsHeld) -> dict[Place, Change | None]:
    """By the place that each is filed under; None for what cannot be read."""
    return {(one.topic, one.key): change_in(one.text) for one in held.records}


def change_in(text: str) -> Change | None:
    try:
        line = decode(text.encode())
    except ValueError:
        return None
    return line if isinstance(line, Change) else None
