"""Everybody who waits: a line for each tier, the best first, and who must go when there is no room."""

from tenfold.protect.doors.admission.line import WaitingLine
from tenfold.protect.doors.admission.service_time import ServiceTime
from tenfold.protect.doors.admission.ticket import Ticket

PLACES_MIN, PLACES_STANDING_MIN = 8, 4
CLEARLY = 2
"""A tenant that is greedier by so many makes room for another of the same tier."""


class Lines:
    """For one thread, or under its guard's lock. All tiers together have twice as many places as the limit allows."""

    def __init__(self, tiers: int, service: ServiceTime) -> None:
        self._lines = [WaitingLine() for _ in range(tiers)]
        self._service = service
        self.length = 0

    def stands(self, tier: int, now_ns: int) -> bool:
        """True when no request of that tier had a short wait for a while."""
        return self._lines[tier].stands(now_ns, self._service.interval_ns)

    def is_greedy(self, ticket: Ticket) -> bool:
        """True when the ticket's tenant had clearly more than the others of its tier lately."""
        return self._lines[ticket.tier].usage.greedy(ticket.tenant)

    def admitted(self, ticket: Ticket, now_ns: int) -> None:
        self._lines[ticket.tier].usage.add(ticket.tenant, now_ns)

    def refused(self, ticket: Ticket, now_ns: int) -> None:
        """At the door or after a wait."""
        self._lines[ticket.tier].refused(now_ns)

    def push(self, ticket: Ticket, now_ns: int) -> None:
        """Have it wait, for as long as that makes sense."""
        patience_ns = self._service.patience_ns(ticket.tier, stands=self.stands(ticket.tier, now_ns))
        ticket.until_ns = min(ticket.deadline_ns, now_ns + patience_ns)
        self._lines[ticket.tier].push(ticket, now_ns)
        self.length += 1

    def pop(self, now_ns: int) -> Ticket:
        """Whose turn it is: of the best tier that has one waiting. Raises StopIteration when nobody waits."""
        ticket = next(line for line in self._lines if line).pop(now_ns, self._service.short_ns)
        self.length -= 1
        return ticket

    def remove(self, ticket: Ticket, now_ns: int) -> None:
        """It waits no longer."""
        self._lines[ticket.tier].remove(ticket, now_ns)
        self.length -= 1

    def has_room(self, ticket: Ticket, limit: int, now_ns: int) -> bool:
        """True when the ticket may wait without another having to go."""
        if self._stands_before(ticket, now_ns) or self._is_full(ticket, limit, now_ns):
            return False
        return self.length < max(PLACES_MIN, 2 * limit)

    def make_room(self, ticket: Ticket, limit: int, now_ns: int) -> Ticket | None:
        """Takes out a ticket of a lower tier or a clearly greedier tenant, so that this one may wait; else None."""
        if self._stands_before(ticket, now_ns):
            return None
        line = self._lines[ticket.tier]
        displaced = None
        if not self._is_full(ticket, limit, now_ns):
            lower = reversed(self._lines[ticket.tier + 1 :])
            displaced = next((one for each in lower if (one := each.displace(0, now_ns))), None)
        displaced = displaced or line.displace(line.greed(ticket.tenant) + CLEARLY, now_ns)
        self.length -= displaced is not None
        return displaced

    def _stands_before(self, ticket: Ticket, now_ns: int) -> bool:
        """True when a better line stands: no lower tier is let in then, so that a refusal costs next to nothing."""
        return any(self.stands(better, now_ns) for better in range(ticket.tier))

    def _is_full(self, ticket: Ticket, limit: int, now_ns: int) -> bool:
        """True when the ticket's own line stands and is as long as it may then be; P0's is never too long by itself."""
        if not ticket.tier or not self.stands(ticket.tier, now_ns):
            return False
        return len(self._lines[ticket.tier]) >= max(PLACES_STANDING_MIN, limit // 2)
