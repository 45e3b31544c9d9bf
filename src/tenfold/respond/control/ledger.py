"""Which process has which epoch in force, and how long that took. Pure: time comes in.

A process says how long it held its word back; so what is measured here, by one clock, is from the moment in which a
change was accepted to the moment in which it was in force there, plus the word's own way back.
"""

from collections import OrderedDict

import msgspec

from tenfold.channel import Process
from tenfold.kernel import Duration

CHANGES_MAX = 256
PROCESSES_MAX = 4096
OF_SERVICE_MAX = 2000
"""So many processes of one service; those that left make room, and no service makes another's go."""
FORGOTTEN_AFTER = Duration.from_s(600)
"""A process that left so long ago is not shown any longer."""
APART_FOR = Duration.from_s(5)
"""A process that holds another store's records asks each second; one that does not has ended."""


class Ack(msgspec.Struct, frozen=True):
    """One process has heard of a change, and has it in force unless it is `refused`, which says why.

    `took_ns` is None when the change is older than this node's life.
    """

    process: str
    took_ns: int | None
    failures: int
    refused: str = ""


class Presence(msgspec.Struct, kw_only=True):
    """One process as the node knows it. `left_ns` is None while it follows; times are monotonic.

    `holds` is the incarnation of another store whose records it has in force, as long as it does: a process does not
    follow a new store before somebody has said that it replaces the one before; it asks again and again. It may be this
    store's own name, when this one was put back from a backup and the process knows more.
    """

    process: Process
    epoch: int
    since_ns: int
    streams: int = 0
    """So many streams of it are open: two for a moment, when it comes back before its old one is known to be gone."""
    left_ns: int | None = None
    failures: int = 0
    holds: str = ""

    @property
    def follows(self) -> bool:
        return self.left_ns is None and not self.holds


class FollowerLedger:
    """The processes seen lately and their acknowledgements of the newest `changes_max` durable changes.

    What is ephemeral is measured and not kept: there is so much of it that nothing else would stay.
    """

    def __init__(self, *, changes_max: int = CHANGES_MAX, processes_max: int = PROCESSES_MAX) -> None:
        self._changes_max = changes_max
        self._processes_max = processes_max
        self._began: int | None = None
        self._accepted_ns: OrderedDict[int, int] = OrderedDict()
        self._ephemeral_ns: OrderedDict[int, int] = OrderedDict()
        self._acks: OrderedDict[int, dict[str, Ack]] = OrderedDict()
        self._presences: OrderedDict[str, Presence] = OrderedDict()

    def accepted(self, epoch: int, now_ns: int, *, ephemeral: bool = False) -> None:
        """A change was accepted: acknowledgements are measured from now."""
        self._began = epoch if self._began is None else self._began
        moments = self._ephemeral_ns if ephemeral else self._accepted_ns
        moments[epoch] = now_ns
        if len(moments) > self._changes_max:
            moments.popitem(last=False)

    def refusal_of(self, process: Process) -> str:
        """Why the process may not join, nothing when it may."""
        known = self._presences.get(process.id)
        if known is not None:
            return "" if known.process == process else "Another process has this id."
        its = [one for one in self._presences.values() if one.process.service == process.service]
        if len(its) >= OF_SERVICE_MAX and all(one.left_ns is None for one in its):
            return f"{OF_SERVICE_MAX} processes of service '{process.service}' follow this node already."
        return ""

    def _make_room(self, service: str) -> None:
        """For one more of the service: of those that left, the one seen first goes."""
        its = [one for one in self._presences.values() if one.process.service == service]
        if len(its) >= OF_SERVICE_MAX:
            gone = next((one for one in its if one.left_ns is not None), its[0])
            del self._presences[gone.process.id]

    def joined(self, process: Process, epoch: int, now_ns: int, *, holds: str = "") -> None:
        """A process has come and says that it has `epoch` in force: of this store, or of the one that it `holds`."""
        known = self._presences.pop(process.id, None)
        if known is None:
            self._make_room(process.service)
            known = Presence(process=process, epoch=0, since_ns=now_ns)
        known.streams, known.left_ns, known.holds = known.streams + 1, None, holds
        known.epoch = max(known.epoch, epoch) if not holds else 0
        self._presences[process.id] = known
        if len(self._presences) > self._processes_max:
            self._presences.popitem(last=False)

    def left(self, process: Process, now_ns: int) -> None:
        presence = self._presences.get(process.id)
        if presence is not None:
            presence.streams -= 1
            presence.left_ns = now_ns if presence.streams == 0 else None

    def service_of(self, process_id: str) -> str | None:
        """None when the process is not known."""
        presence = self._presences.get(process_id)
        return presence.process.service if presence is not None else None

    def holds(self, process_id: str) -> str:
        """The incarnation of another store that the process holds, as far as is known."""
        presence = self._presences.get(process_id)
        return presence.holds if presence is not None else ""

    def acked(
        self, process_id: str, epoch: int, held_ns: int, failures: int, now_ns: int, *, refused: str = ""
    ) -> int | None:
        """The process says so; answers how long the change took, None when that cannot be told."""
        presence = self._presences.get(process_id)
        if presence is None:
            return None
        presence.epoch, presence.holds = max(presence.epoch, epoch), ""
        presence.failures += failures
        accepted_ns = self._accepted_ns.get(epoch, self._ephemeral_ns.get(epoch))
        took_ns = max(0, now_ns - accepted_ns - held_ns) if accepted_ns is not None else None
        if self._is_kept(epoch):
            self._acks_of(epoch)[process_id] = Ack(process_id, took_ns, failures, refused)
        return took_ns

    def acks(self, epoch: int) -> list[Ack]:
        """The processes that acknowledged this very change; one that caught up acknowledges only the newest epoch."""
        return list(self._acks.get(epoch, {}).values())

    def presences(self, now_ns: int) -> list[Presence]:
        """Every process, once those that left long ago are forgotten."""
        for presence in list(self._presences.values()):
            away_ns = now_ns - presence.left_ns if presence.left_ns is not None else 0
            if away_ns > APART_FOR.ns:
                presence.holds = ""
            if away_ns > FORGOTTEN_AFTER.ns:
                del self._presences[presence.process.id]
        return list(self._presences.values())

    def _is_kept(self, epoch: int) -> bool:
        """True for one of the newest durable changes, and for one of an earlier life, of which that is not known."""
        return epoch in self._accepted_ns or self._began is None or epoch < self._began

    def _acks_of(self, epoch: int) -> dict[str, Ack]:
        acks = self._acks.setdefault(epoch, {})
        while len(self._acks) > self._changes_max:
            del self._acks[min(self._acks)]
        return acks
