"""Which process has a change in force, one by one. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tenfold.protect.live.switches.reports import SwitchStanding
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.switchboard.following import name_of, refusals

ACKS_MAX = 200


class ProcessAck(msgspec.Struct, frozen=True, kw_only=True):
    """One process and one change. `took_ms` is None when it cannot be told: it caught up, or the node is younger.

    `refused` says why the process has heard of it and does not have it in force.
    """

    process: str
    where: str
    applied: bool
    failures: int = 0
    refused: str = ""
    took_ms: float | None = None


def process_acks(
    epoch: int, presences: Iterable[Presence], acks: Sequence[Ack], standings: Mapping[str, SwitchStanding]
) -> tuple[ProcessAck, ...]:
    """Those that do not have the change in force first, then the slowest; at most ACKS_MAX."""
    by_process, why = {ack.process: ack for ack in acks}, refusals(epoch, acks, standings)
    rows = [
        _process_ack(epoch, presence, by_process.get(presence.process.id), why.get(presence.process.id, ""))
        for presence in presences
    ]
    rows.sort(key=lambda one: (one.applied, -(one.took_ms or 0.0), one.process))
    return tuple(rows[:ACKS_MAX])


def _process_ack(epoch: int, presence: Presence, ack: Ack | None, refused: str) -> ProcessAck:
    process = presence.process
    return ProcessAck(
        process=name_of(presence),
        where=f"{process.host} {process.pid}".strip(),
        applied=presence.epoch >= epoch and not refused,
        refused=refused,
        failures=ack.failures if ack is not None else 0,
        took_ms=ack.took_ns / 1e6 if ack is not None and ack.took_ns is not None else None,
    )
