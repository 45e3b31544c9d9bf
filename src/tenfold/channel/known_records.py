"""What this process knows of the control node's records: a state that is swapped whole and never goes back.

(incarnation, epoch) only grows, whatever comes in whatever order:

a change whose epoch is not larger            it is known already: nothing happens
a change whose `previous` is our epoch        followed
any other change, a beat of another epoch     GAP: connect again and ask for what was missed
a snapshot or missed of our incarnation       followed from our epoch on; OLDER when the node's is smaller,
                                              as a store is that was put back from a backup
of an incarnation born later                  followed, all at once, when somebody has said that it replaces what we
                                              hold, or when we hold nothing that lasts; else STRANGE, whatever that
                                              store may hold by now: what processes and people put into it since does
                                              not say that everything else is to be forgotten
of an incarnation born earlier                OLDER: a node that was replaced has come back
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType

from tenfold.channel.messages import Beat, Change, Line, Missed, Snapshot

Records = Mapping[str, Change]
NOTHING: Records = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class State:
    """Everything at `epoch` of `incarnation`; records by topic and key. Never changed, only replaced."""

    incarnation: str = ""
    boot: str = ""
    epoch: int = 0
    topics: Mapping[str, Records] = field(default_factory=dict)

    def records(self) -> Iterable[Change]:
        return (record for records in self.topics.values() for record in records.values())


class LineRefusal(enum.Enum):
    """Why a line was not followed; the value is the reason for a person."""

    UNINTRODUCED = "the stream did not begin with a snapshot or with what was missed"
    GAP = "a change was lost on the way"
    OLDER = "the node's store is older than what this process knows"
    STRANGE = "the node's store is a new one, and nobody has said that it replaces what this process holds of another"


@dataclass(frozen=True, slots=True)
class Followed:
    """The state after a line, and what changed by it, in order of epochs."""

    state: State
    changes: tuple[Change, ...] = ()


class KnownRecords:
    """Follows one stream after another. Pure: no time, no I/O; for one thread, `state` may be read by all."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self._introduced = False

    def begin(self) -> None:
        """A new stream begins: it has to introduce itself."""
        self._introduced = False

    def weigh(self, line: Line) -> Followed | LineRefusal:
        """What following `line` would come to; nothing has changed until `follow`."""
        if isinstance(line, Snapshot):
            return _weigh_snapshot(self.state, line)
        if isinstance(line, Missed):
            return _weigh_missed(self.state, line)
        if not self._introduced:
            return LineRefusal.UNINTRODUCED
        if isinstance(line, Beat):
            return Followed(self.state) if line.epoch == self.state.epoch else LineRefusal.GAP
        return _weigh_change(self.state, line)

    def follow(self, followed: Followed) -> None:
        self.state = followed.state
        self._introduced = True


def _weigh_change(state: State, change: Change) -> Followed | LineRefusal:
    if change.epoch <= state.epoch:
        return Followed(state)
    if change.previous != state.epoch:
        return LineRefusal.GAP
    topics = _applied(state.topics, (change,))
    return Followed(State(state.incarnation, state.boot, change.epoch, topics), (change,))


def _weigh_snapshot(state: State, line: Snapshot) -> Followed | LineRefusal:
    if state.incarnation and line.incarnation != state.incarnation:
        if line.incarnation < state.incarnation:
            return LineRefusal.OLDER
        if not line.replaces and any(not record.ephemeral for record in state.records()):
            return LineRefusal.STRANGE
    elif state.incarnation and line.epoch < state.epoch:
        return LineRefusal.OLDER
    changes = _difference(state, line)
    topics = _applied(state.topics, changes)
    return Followed(State(line.incarnation, line.boot, line.epoch, topics), changes)


def _weigh_missed(state: State, line: Missed) -> Followed | LineRefusal:
    if line.incarnation != state.incarnation or line.epoch < state.epoch:
        return LineRefusal.OLDER
    if line.after != state.epoch:
        return LineRefusal.GAP
    changes = line.changes
    if line.boot != state.boot:
        changes = (*_forgotten(state, line), *changes)
    topics = _applied(state.topics, changes)
    return Followed(State(line.incarnation, line.boot, line.epoch, topics), changes)


def _difference(state: State, line: Snapshot) -> tuple[Change, ...]:
    """The changes that lead from `state` to the snapshot: what is gone first, then what is new."""
    there = {(record.topic, record.key) for record in line.records}
    gone = tuple(_removal(record, line.epoch) for record in state.records() if (record.topic, record.key) not in there)
    new = [record for record in line.records if record != state.topics.get(record.topic, NOTHING).get(record.key)]
    return (*gone, *sorted(new, key=attrgetter("epoch")))


def _forgotten(state: State, line: Missed) -> tuple[Change, ...]:
    """The ephemeral records of an earlier boot that this one does not have."""
    there = {(change.topic, change.key) for change in line.changes}
    ours = (record for record in state.records() if record.ephemeral)
    return tuple(_removal(record, line.epoch) for record in ours if (record.topic, record.key) not in there)


def _removal(record: Change, epoch: int) -> Change:
    return Change(epoch=epoch, topic=record.topic, key=record.key, ephemeral=record.ephemeral)


def _applied(topics: Mapping[str, Records], changes: tuple[Change, ...]) -> Mapping[str, Records]:
    """`topics` with `changes`, each topic that changes copied once."""
    touched = {topic: dict(topics.get(topic, NOTHING)) for topic in {change.topic for change in changes}}
    for change in changes:
        if change.json is None:
            touched[change.topic].pop(change.key, None)
        else:
            touched[change.topic][change.key] = change
    return {**topics, **{topic: MappingProxyType(records) for topic, records in touched.items()}}
