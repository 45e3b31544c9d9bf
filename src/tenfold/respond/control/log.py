"""The control node's records and their order: every accepted change gets the next epoch.

Pure: what is durable, who is told and when belongs to others. A `ChangeBatch` is weighed, made durable, and only then
appended.
"""

import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec
from msgspec import UNSET, Raw

from tenfold.channel.messages import TOPIC, Change, Missed, Snapshot, encode

WINDOW_MAX = 4096
"""So many changes are kept to be told to whoever missed them; older ones are replaced by a snapshot."""
VALUE_BYTES_MAX = 64 << 10
RECORDS_MAX = 10_000
TOTAL_BYTES_MAX = 16 << 20
KEY_LENGTH_MAX = 256
EPHEMERAL_TOPICS = frozenset({"breakers", "hot-keys"})
"""Topics that processes report into all the time: kept in memory only."""

_TOPIC = re.compile(TOPIC)


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one record that is asked for. `value` is JSON, None to remove the key.

    `if_epoch` is the epoch that the record must have now, 0 for "there must be none"; None when it does not matter.
    `confirmed`: its author knows how far it reaches.
    """

    topic: str
    key: str
    value: bytes | None
    if_epoch: int | None = None
    by: str = ""
    reason: str = ""
    confirmed: bool = False


class Conflict(msgspec.Struct, frozen=True):
    """Another change was first: `current` is what is there now, None when nothing is."""

    current: Change | None


class Unacceptable(msgspec.Struct, frozen=True):
    """The change is refused whatever is there; `problem` is a sentence for a person."""

    problem: str


Check = Callable[[Put, Change | None, int], str]
"""Given a put, the record that is there and the wall time in ns: a sentence why it is refused, or nothing."""

NO_CHECKS: Mapping[str, Check] = {}

NO_RECORD = "There is no such record."
"""The node's own word for it, by which a tool knows its 404 from another server's."""


class Log:
    """Everything at `epoch`, and the changes that led there as far back as `window_max`."""

    def __init__(
        self,
        incarnation: str,
        boot: str,
        *,
        epoch: int = 0,
        records: Iterable[Change] = (),
        history: Iterable[Change] = (),
        replaces: bool = False,
        window_max: int = WINDOW_MAX,
        ephemeral_topics: Collection[str] = EPHEMERAL_TOPICS,
    ) -> None:
        self.incarnation = incarnation
        self.boot = boot
        self.epoch = epoch
        self.replaces = replaces
        self.ephemeral_topics = frozenset(ephemeral_topics)
        self._records = {(record.topic, record.key): record for record in records}
        self._bytes = sum(map(_size_bytes, self._records.values()))
        self._window = deque(history, maxlen=window_max)
        self._floor = self._window[0].previous if self._window else epoch
        self._snapshot: bytes | None = None

    def __len__(self) -> int:
        return len(self._records)

    @property
    def held_bytes(self) -> int:
        return self._bytes

    @property
    def oldest(self) -> int:
        """Who knows this epoch can be told what it missed; who knows less is told everything."""
        return self._floor

    def get(self, topic: str, key: str) -> Change | None:
        return self._records.get((topic, key))

    def topics(self) -> Mapping[str, int]:
        """How many records each topic has."""
        return Counter(topic for topic, _ in self._records)

    def records(self, topic: str | None = None) -> list[Change]:
        """The records of one topic, or all, in order of their epochs."""
        chosen = (record for record in self._records.values() if topic is None or record.topic == topic)
        return sorted(chosen, key=lambda record: record.epoch)

    def append(self, change: Change) -> None:
        """Take `change`, which a ChangeBatch accepted, into the records."""
        place = (change.topic, change.key)
        gone = self._records.pop(place, None)
        self._bytes -= _size_bytes(gone) if gone else 0
        if change.value is not UNSET:
            self._records[place] = change
            self._bytes += _size_bytes(change)
        if self._window and len(self._window) == self._window.maxlen:
            self._floor = self._window[0].epoch
        self._window.append(change)
        self.epoch = change.epoch
        self._snapshot = None

    def catch_up(self, incarnation: str, boot: str, epoch: int) -> bytes:
        """The first line for a process that says it knows `epoch`: what it missed, or everything."""
        if incarnation == self.incarnation and self._floor <= epoch <= self.epoch:
            return encode(self._missed(boot, epoch))
        if self._snapshot is None:
            self._snapshot = encode(self.snapshot())
        return self._snapshot

    def snapshot(self) -> Snapshot:
        records = tuple(self.records())
        return Snapshot(
            incarnation=self.incarnation, boot=self.boot, epoch=self.epoch, records=records, replaces=self.replaces
        )

    def _missed(self, boot: str, epoch: int) -> Missed:
        changes = {change.epoch: change for change in self._window if change.epoch > epoch}
        if boot != self.boot:
            changes |= {record.epoch: record for record in self._records.values() if record.ephemeral}
        in_order = tuple(changes[number] for number in sorted(changes))
        return Missed(incarnation=self.incarnation, boot=self.boot, after=epoch, epoch=self.epoch, changes=in_order)


class ChangeBatch:
    """A batch of changes that are not accepted yet: each is weighed as if those before it were.

    `checks` by topic say what else may be wrong with a change, once nobody else was first.
    """

    def __init__(self, log: Log, checks: Mapping[str, Check] = NO_CHECKS) -> None:
        self.changes: list[Change] = []
        self._log = log
        self._checks = checks
        self._epoch = log.epoch
        self._drafted: dict[tuple[str, str], Change] = {}

    def weigh(self, put: Put, now_ns: int) -> Change | Conflict | Unacceptable:
        """The change that `put` comes to, with the next epoch, or why not. `now_ns` is wall time."""
        value = _checked(put)
        if isinstance(value, Unacceptable):
            return value
        current = self._current(put.topic, put.key)
        if put.if_epoch is not None and put.if_epoch != (current.epoch if current else 0):
            return Conflict(current)
        check = self._checks.get(put.topic)
        if check is not None and (problem := check(put, current, now_ns)):
            return Unacceptable(problem)
        if value is not None and self._is_full(len(value), new=current is None):
            return Unacceptable(f"The control node holds all it may: {RECORDS_MAX} records, {TOTAL_BYTES_MAX} bytes.")
        change = Change(
            epoch=self._epoch + 1,
            previous=self._epoch,
            topic=put.topic,
            key=put.key,
            value=UNSET if value is None else Raw(value),
            ephemeral=put.topic in self._log.ephemeral_topics,
            at_ns=now_ns,
            by=put.by,
            reason=put.reason,
        )
        self._epoch = change.epoch
        self._drafted[put.topic, put.key] = change
        self.changes.append(change)
        return change

    def _current(self, topic: str, key: str) -> Change | None:
        drafted = self._drafted.get((topic, key))
        if drafted is not None:
            return None if drafted.value is UNSET else drafted
        return self._log.get(topic, key)

    def _is_full(self, size_bytes: int, *, new: bool) -> bool:
        """A bound, not an account: what this batch replaces or removes does not make room for itself."""
        drafted_bytes = sum(map(_size_bytes, self.changes))
        if self._log.held_bytes + drafted_bytes + size_bytes > TOTAL_BYTES_MAX:
            return True
        return new and len(self._log) + len(self.changes) >= RECORDS_MAX


def _checked(put: Put) -> bytes | Unacceptable | None:
    """The value on one line, as a stream of lines needs it."""
    if not _TOPIC.fullmatch(put.topic):
        return Unacceptable(f"'{put.topic}' is no topic; up to 64 of a-z, 0-9, '.', '_' and '-' may stand there.")
    if not 0 < len(put.key) <= KEY_LENGTH_MAX or not put.key.isprintable():
        return Unacceptable(f"A key has 1 to {KEY_LENGTH_MAX} printable characters.")
    if len(put.by) > KEY_LENGTH_MAX or len(put.reason) > 4 * KEY_LENGTH_MAX:
        return Unacceptable(f"Who and why have at most {KEY_LENGTH_MAX} and {4 * KEY_LENGTH_MAX} characters.")
    if not is_one_line(put.by) or not is_one_line(put.reason):
        return Unacceptable("Who and why are one line without control characters; write them in plain text.")
    if put.value is None:
        return None
    if len(put.value) > VALUE_BYTES_MAX:
        return Unacceptable(f"A value has at most {VALUE_BYTES_MAX} bytes, this one {len(put.value)}.")
    try:
        msgspec.json.decode(put.value)
        return msgspec.json.format(put.value, indent=-1)
    except (ValueError, RecursionError) as error:
        return Unacceptable(f"The value is no JSON: {error}.")


def is_one_line(text: str) -> bool:
    """True when it draws nothing but itself on a page: no line break, no escape code, no change of direction.

    Spaces that are wider than ours, or do not break, are typed without a thought.
    """
    return all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in text)


def _size_bytes(change: Change) -> int:
    return len(change.topic) + len(change.key) + len(change.json or b"")
