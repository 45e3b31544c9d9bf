"""One request at the door, from its arrival to its end."""

import enum
from collections.abc import Callable

NEVER_NS = (1 << 63) - 1


class Fate(enum.StrEnum):
    """What became of it.

    SHED: refused, others mattered more. EXPIRED: it waited for its turn in vain. LATE: its deadline has passed.
    GONE: its caller left while it waited. ENDED: it was admitted and is over.
    """

    WAITING = "waiting"
    ADMITTED = "admitted"
    SHED = "shed"
    EXPIRED = "expired"
    LATE = "late"
    GONE = "gone"
    ENDED = "ended"


_WAITING = Fate.WAITING


class Ticket:
    """Made and changed by the shedder alone; `fate` may be read by anybody."""

    __slots__ = (
        "admitted_ns",
        "came_ns",
        "deadline_ns",
        "fate",
        "generation",
        "inflight",
        "tenant",
        "tier",
        "until_ns",
        "wake",
    )

    def __init__(self, tier: int, tenant: str, came_ns: int, deadline_ns: int, generation: int) -> None:
        self.tier = tier
        self.tenant = tenant
        self.came_ns = came_ns
        self.deadline_ns = deadline_ns
        self.until_ns = NEVER_NS
        """When it has waited long enough."""
        self.admitted_ns = 0
        self.inflight = 0
        self.generation = generation
        self.fate = _WAITING
        self.wake: Callable[[], None] | None = None
        """To be called once, when it waits no longer."""
