"""Which waiting orders to send, and when to send one again: pure, time is an argument."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from tenfold.kernel import Duration

RESEND_AFTER = Duration.from_s(2)


class Relay:
    """Remembers what was sent. An order that still waits `resend_after` later was lost on the way: it goes again.

    Bounded by the waiting orders that were last looked at; what waits no longer is forgotten.
    """

    def __init__(self, resend_after: Duration = RESEND_AFTER) -> None:
        self._resend_after_ns = resend_after.ns
        self._sent_at_ns: dict[UUID, int] = {}
        self.resent = 0

    def due(self, waiting: Sequence[UUID], now_ns: int) -> list[UUID]:
        """What of `waiting` to send now, in its order."""
        self._sent_at_ns = {order: self._sent_at_ns[order] for order in waiting if order in self._sent_at_ns}
        return [order for order in waiting if self._is_due(order, now_ns)]

    def sent(self, orders: Iterable[UUID], now_ns: int) -> None:
        """These are on their way since now."""
        for order in orders:
            self.resent += order in self._sent_at_ns
            self._sent_at_ns[order] = now_ns

    def _is_due(self, order: UUID, now_ns: int) -> bool:
        sent_at_ns = self._sent_at_ns.get(order)
        return sent_at_ns is None or now_ns - sent_at_ns >= self._resend_after_ns
