"""Which processes have a change in force, and how fast, by what they acknowledged."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from statistics import median

import msgspec

from tenfold.protect.live.switches.reports import SwitchStanding
from tenfold.respond.control.ledger import Ack, Presence

OPERATOR = "operator"
"""The service as which people's tools follow; they are not counted."""
NO_STANDINGS: Mapping[str, SwitchStanding] = {}


class Refused(msgspec.Struct, frozen=True):
    """One process that has heard of a change and does not have it in force."""

    process: str
    why: str


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """Of `processes` that follow, `applied` have the epoch in force; times are from its acceptance, of those that said
    so. `refused` have heard of it and go on with what was there before; `missing` have not heard of it yet. `apart` do
    not follow: they hold what another store had.
    """

    epoch: int
    processes: int
    applied: int
    failures: int
    median_ms: float | None = None
    slowest_ms: float | None = None
    slowest: str = ""
    refused: tuple[Refused, ...] = ()
    missing: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True once each process that follows has said what became of the change there."""
        return not self.missing


def following(
    epoch: int,
    presences: Iterable[Presence],
    acks: Sequence[Ack],
    standings: Mapping[str, SwitchStanding] = NO_STANDINGS,
) -> Following:
    """`standings` by the id of the process that reported them."""
    presences = list(presences)
    alive = followers(presences)
    names = {one.process.id: name_of(one) for one in alive}
    why = refusals(epoch, acks, standings)
    took_ms = {ack.process: ack.took_ns / 1e6 for ack in acks if ack.took_ns is not None and ack.process in names}
    took_ms = {process: ms for process, ms in took_ms.items() if process not in why}
    slowest = max(took_ms, key=took_ms.__getitem__, default=None)
    missing = [names[one.process.id] for one in alive if one.epoch < epoch]
    refused = [Refused(names[one.process.id], why[one.process.id]) for one in alive if one.process.id in why]
    return Following(
        epoch=epoch,
        processes=len(alive),
        applied=len(alive) - len(missing) - len(refused),
        failures=sum(ack.failures for ack in acks if ack.process in names),
        median_ms=round(median(took_ms.values()), 3) if took_ms else None,
        slowest_ms=round(took_ms[slowest], 3) if slowest is not None else None,
        slowest=names[slowest] if slowest is not None else "",
        refused=tuple(refused),
        missing=tuple(missing),
        apart=apart(presences),
    )


def followers(presences: Iterable[Presence]) -> list[Presence]:
    """The services that follow now, without people's tools."""
    return [one for one in presences if one.follows and one.process.service != OPERATOR]


def refusals(epoch: int, acks: Iterable[Ack], standings: Mapping[str, SwitchStanding]) -> dict[str, str]:
    """Why a process does not have the change of that epoch in force, by its id."""
    said = {
        process: one.why for process, standing in standings.items() for one in standing.refused if one.epoch == epoch
    }
    return said | {ack.process: ack.refused for ack in acks if ack.refused}


def differing(name: str, presences: Iterable[Presence], standings: Mapping[str, SwitchStanding]) -> tuple[str, ...]:
    """The processes that declare the switch otherwise than the node knows it, and in what."""
    said = {
        process: one.parts
        for process, standing in standings.items()
        for one in standing.otherwise
        if one.switch == name
    }
    return tuple(
        f"{name_of(one)} ({', '.join(said[one.process.id])})"
        for one in presences
        if one.follows and one.process.id in said
    )


def standings_of(reports: Mapping[str, msgspec.Raw]) -> dict[str, SwitchStanding]:
    """Each process's standing, by its id; a report that cannot be read is left out."""
    standings: dict[str, SwitchStanding] = {}
    for process, payload in reports.items():
        with suppress(ValueError):
            standings[process] = msgspec.json.decode(payload, type=SwitchStanding)
    return standings


def apart(presences: Iterable[Presence]) -> tuple[str, ...]:
    """The processes that hold what another store had, and do not follow this one."""
    return tuple(name_of(one) for one in presences if one.holds and one.process.service != OPERATOR)


APART_REMEDY = (
    "If that store was lost, start the node again with --adopt and the keepsake of one of them; "
    "if this one is meant to replace it as it is, new or put back from a backup, with --renew."
)


def apart_sentence(names: Sequence[str]) -> str:
    """Nothing when there are none."""
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    hold = "1 process holds" if len(names) == 1 else f"{len(names)} processes hold"
    return f"{hold} what another store had and will not follow this one: {shown}. {APART_REMEDY}"


def name_of(presence: Presence) -> str:
    process = presence.process
    return "/".join(filter(None, (process.service, process.store, process.instance or str(process.pid))))
