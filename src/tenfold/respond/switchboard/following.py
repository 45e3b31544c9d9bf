"""Who has a change in force, and how fast: what processes acknowledged."""

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from tenfold.respond.control.ledger import Ack, Presence

OPERATOR = "operator"
"""The service as which people's tools follow; they are not counted."""


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """Of `processes` that follow, `applied` have the epoch; times are from its acceptance, of those that said so.

    `apart` do not follow: they hold what another store had.
    """

    epoch: int
    processes: int
    applied: int
    failures: int
    median_ms: float | None = None
    slowest_ms: float | None = None
    slowest: str = ""
    missing: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return self.applied == self.processes


def following(epoch: int, presences: Iterable[Presence], acks: Sequence[Ack]) -> Following:
    presences = list(presences)
    alive = [one for one in presences if one.follows and one.process.service != OPERATOR]
    names = {one.process.id: name_of(one) for one in alive}
    took_ms = {ack.process: ack.took_ns / 1e6 for ack in acks if ack.took_ns is not None and ack.process in names}
    slowest = max(took_ms, key=took_ms.__getitem__, default=None)
    missing = [names[one.process.id] for one in alive if one.epoch < epoch]
    return Following(
        epoch=epoch,
        processes=len(alive),
        applied=len(alive) - len(missing),
        failures=sum(ack.failures for ack in acks if ack.process in names),
        median_ms=round(median(took_ms.values()), 3) if took_ms else None,
        slowest_ms=round(took_ms[slowest], 3) if slowest is not None else None,
        slowest=names[slowest] if slowest is not None else "",
        missing=tuple(missing),
        apart=apart(presences),
    )


def apart(presences: Iterable[Presence]) -> tuple[str, ...]:
    """The processes that hold what another store had, and do not follow this one."""
    return tuple(name_of(one) for one in presences if one.holds and one.process.service != OPERATOR)


APART_REMEDY = (
    "If that store was lost, start the node again with --adopt and the keepsake of one of them; "
    "if this one is meant to replace it as it is, with --renew."
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
