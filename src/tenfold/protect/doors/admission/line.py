"""Those of one tier who wait for their turn.

While the line moves, the oldest is next, of a tenant that is not greedy if there is one. When it *stands*, because
nobody in it had a short wait for a while (CoDel: Nichols and Jacobson, 2012), whose tenant had least lately is next,
so that a noisy store gets what is left over and no more. Of a tenant's it is the newest then, and nobody may wait for
long: the old ones' callers have given up or will, and serving them in order means serving everybody late (adaptive
LIFO: Maurer, Fail at Scale, 2015).
"""

from collections import deque

from tenfold.protect.doors.admission.ticket import Ticket
from tenfold.protect.doors.admission.usage import TenantUsage


class WaitingLine:
    """A queue for each tenant that has one waiting. For one thread."""

    __slots__ = ("_calm_ns", "_length", "_queues", "_refused_ns", "_standing", "usage")

    def __init__(self) -> None:
        self._queues: dict[str, deque[Ticket]] = {}
        self._length = 0
        self._calm_ns = 0
        """When the line was last empty, or somebody left it after a short wait."""
        self._refused_ns = 0
        self._standing = False
        self.usage = TenantUsage()

    def __len__(self) -> int:
        return self._length

    def stands(self, now_ns: int, interval_ns: int) -> bool:
        """True once no request here had a short wait for `interval_ns`, until for that long none was refused."""
        if self._standing:
            self._standing = abs(now_ns - self._refused_ns) <= interval_ns  # a clock that is set back ends it, too
        elif self._length and now_ns - self._calm_ns > interval_ns:
            self._standing, self._refused_ns = True, now_ns
        return self._standing

    def refused(self, now_ns: int) -> None:
        """A request of this tier was refused, at the door or after a wait."""
        self._refused_ns = now_ns

    def push(self, ticket: Ticket, now_ns: int) -> None:
        if not self._length:
            self._calm_ns = now_ns
        self._queues.setdefault(ticket.tenant, deque()).append(ticket)
        self._length += 1

    def pop(self, now_ns: int, short_ns: int) -> Ticket:
        """The ticket whose turn it is; raises KeyError when none waits. A wait of less than `short_ns` is none."""
        queue = self._queues[min(self._queues, key=self.usage.of if self._standing else self._turn)]
        ticket = queue.pop() if self._standing else queue.popleft()
        self._left(ticket, queue, now_ns, short_ns)
        return ticket

    def remove(self, ticket: Ticket, now_ns: int) -> None:
        """It waits no longer."""
        queue = self._queues[ticket.tenant]
        queue.remove(ticket)
        self._left(ticket, queue, now_ns, 0)

    def greed(self, tenant: str) -> int:
        """What the tenant had lately and is waiting for."""
        return self.usage.of(tenant) + len(self._queues.get(tenant, ()))

    def displace(self, greed_min: int, now_ns: int) -> Ticket | None:
        """The oldest of the tenant whose greed is greatest, if it is `greed_min` or more; it is taken out."""
        if not self._queues:
            return None
        tenant = max(self._queues, key=self.greed)
        if self.greed(tenant) < greed_min:
            return None
        ticket = self._queues[tenant][0]
        self.remove(ticket, now_ns)
        return ticket

    def _turn(self, tenant: str) -> tuple[bool, int]:
        return self.usage.greedy(tenant), self._queues[tenant][0].came_ns

    def _left(self, ticket: Ticket, queue: deque[Ticket], now_ns: int, short_ns: int) -> None:
        self._length -= 1
        if not queue:
            del self._queues[ticket.tenant]
        if not self._length or now_ns - ticket.came_ns < short_ns:
            self._calm_ns = now_ns
