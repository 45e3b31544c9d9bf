"""The order desk: orders that arrive while a batch is out leave together in the next one.

    POST ──► queue ──► batch ──► primary          no timer and no artificial delay: a lone order leaves at once,
               ▲         │                        and the busier it gets, the larger the batches
               └─────────┘ not decided, or the primary is away

Before that, its money is secured, if the acquirer is quick enough; if not, the order is accepted all the same.

While the primary is away orders wait, to a deadline; sending a batch again is safe because an order's key is stored
in its own transaction. So a customer notices a short outage as a delay and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from freshmart.cashier import PaymentDemand
from freshmart.orders.order import Order, OrderDecision
from freshmart.orders.postgres import PrimaryUnreachable
from freshmart.orders.queue import OrderQueue, Waiting
from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect import Breaker
from tenfold.protect.doors.deadline import due_within
from tenfold.telemetry import Registry

DEADLINE = Duration.from_s(8)
HELD_FEN_PER_PIECE = 10_000
"""More than anything costs. A hold is no charge: what is not taken of it lapses."""
_PAUSE_S = 0.02  # between looks at a primary that is away
_NEVER_NS = (1 << 63) - 1


class OrdersBusy(TenfoldError):
    """As many orders wait as may; this one was not taken."""


class OrdersLate(TenfoldError):
    """The order was not decided in time; whether it was placed is not known. The same key answers that later."""


class OrderConnection(Protocol):
    """What carries a batch to the primary; raises PrimaryUnreachable."""

    async def place(self, orders: Sequence[Order]) -> list[OrderDecision]: ...

    async def close(self) -> None: ...


class Till(Protocol):
    """Who secures an order's money: answers the authorisation, or DEFERRED; never an error."""

    async def authorise(self, demand: PaymentDemand) -> str: ...


class OrderDesk:
    """Places orders through `connections`, one batch of at most `batch_max` out on each.

    Holds at most `waiting_max` orders, each for at most `deadline` or as long as its caller waits; after that it is
    not begun, or not begun again. The breaker opens while the primary is away; one batch at a time then probes it.
    """

    def __init__(
        self,
        connections: Sequence[OrderConnection],
        *,
        breaker: Breaker,
        till: Till | None = None,
        batch_max: int = 128,
        waiting_max: int = 4_096,
        deadline: Duration = DEADLINE,
        clock: Clock | None = None,
        registry: Registry | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connections = connections
        self._breaker = breaker
        self._till = till
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._deadline = deadline
        self._clock = clock = clock or SystemClock()
        self._now_ns = clock.monotonic_ns
        self._sleep = sleep
        self._queue = OrderQueue()
        self._waiting = 0
        self._due_ns = _NEVER_NS
        """Nobody of the queue is due before."""
        self._timer: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()
        self._runners: list[asyncio.Task[None]] = []
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        self._decided = registry.counter("freshmart_orders_total", "Orders by what became of them.", ("outcome",))
        self._batches = registry.counter(
            "freshmart_order_batches_total", "Batches sent, by what became of them.", ("end",)
        )
        self._seconds = registry.timer("freshmart_order_batch_seconds", "How long batches were out.").child()
        waiting = registry.gauge("freshmart_orders_waiting", "Orders that are not decided yet.")
        waiting.child().ask(lambda: self._waiting)

    def open(self) -> None:
        self._runners = [asyncio.create_task(self._run(connection)) for connection in self._connections]

    async def close(self) -> None:
        """Wait for what is waiting, to the deadline of each, then let the connections go."""
        while self._waiting and any(not runner.done() for runner in self._runners):
            await self._sleep(_PAUSE_S)
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        self._watch(_NEVER_NS)
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def place(self, order: Order) -> OrderDecision:
        """The decision. Raises OrdersBusy, OrdersLate."""
        if self._waiting >= self._waiting_max:
            self._decided.child("busy").inc()
            raise OrdersBusy(f"{self._waiting} orders wait; order '{order.key}' was not taken.")
        due_ns = due_within(self._deadline, self._clock)
        waiting = Waiting(order, due_ns, asyncio.get_running_loop().create_future())
        self._waiting += 1
        try:
            waiting.order = await self._authorised(order)
            self._admit(waiting)
            decision = await waiting.future
        except asyncio.CancelledError:
            self._queue.leave(waiting)
            self._arrived.set()
            raise
        finally:
            self._waiting -= 1
        self._decided.child(decision.outcome).inc()
        return decision

    async def _authorised(self, order: Order) -> Order:
        """With its money held: as much as its pieces may cost at most, since what they do cost is known when placed."""
        if self._till is None:
            return order
        held = PaymentDemand(order.key, order.pieces * HELD_FEN_PER_PIECE)
        return order._replace(authorisation=await self._till.authorise(held))

    def _admit(self, waiting: Waiting) -> None:
        self._queue.add(waiting)
        self._arrived.set()
        if waiting.due_ns < self._due_ns:
            self._watch(waiting.due_ns)

    async def _run(self, connection: OrderConnection) -> None:
        while True:
            await self._arrived.wait()
            self._expire()
            if not self._queue:
                self._arrived.clear()
                continue
            epoch = self._breaker.admit()
            if epoch:
                await self._carry(connection, self._queue.take(self._batch_max), epoch)
            else:
                await self._sleep(_PAUSE_S)

    async def _carry(self, connection: OrderConnection, batch: list[Waiting], epoch: int) -> None:
        began_ns = self._now_ns()
        try:
            decisions = await connection.place([waiting.order for waiting in batch])
        except PrimaryUnreachable as error:
            self._batches.child("unreachable").inc()
            self._breaker.failed(type(error.__cause__ or error).__name__, epoch)
            self._put_back(batch)
            await self._sleep(_PAUSE_S)
        except asyncio.CancelledError:
            self._breaker.abandoned(epoch)
            self._put_back(batch)
            raise
        except Exception as error:  # one order of the batch is at fault, or this build is: find out which
            self._batches.child("failed").inc()
            self._breaker.succeeded(epoch)
            self._isolate(batch, error)
        else:
            self._batches.child("decided").inc()
            self._seconds.record_ns(self._now_ns() - began_ns)
            self._breaker.succeeded(epoch)
            self._settle(batch, decisions)

    def _put_back(self, batch: Sequence[Waiting]) -> None:
        self._queue.put_back(batch)
        self._watch(min(self._due_ns, *(waiting.due_ns for waiting in batch)))
        self._arrived.set()

    def _settle(self, batch: Sequence[Waiting], decisions: Sequence[OrderDecision]) -> None:
        undecided = []
        for waiting, decision in zip(batch, decisions, strict=True):
            if decision.outcome == "again":
                undecided.append(waiting)
            else:
                self._end(waiting, decision)
        if undecided:
            self._put_back(undecided)

    def _isolate(self, batch: Sequence[Waiting], error: Exception) -> None:
        """A batch that failed as a whole goes again one by one; what fails alone is told so."""
        if len(batch) == 1:
            self._end(batch[0], error)
            return
        for waiting in batch:
            waiting.alone = True
        self._put_back(batch)

    def _expire(self) -> None:
        """Those whose caller has stopped waiting are not begun; callers have deadlines of their own, in no order."""
        now_ns = self._now_ns()
        if now_ns < self._due_ns:
            return
        waiting = list(self._queue)
        for late in (one for one in waiting if one.due_ns <= now_ns):
            self._queue.leave(late)
            self._decided.child("late").inc()
            late.tell(OrdersLate(f"Order '{late.order.key}' was not decided before its deadline."))
        self._watch(min((one.due_ns for one in waiting if one.due_ns > now_ns), default=_NEVER_NS))

    def _watch(self, due_ns: int) -> None:
        """Have somebody look when the first of all is due, though every batch be out: one timer, seldom set anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._due_ns, self._timer = due_ns, None
        if due_ns != _NEVER_NS:
            left_s = max(0, due_ns - self._now_ns()) / 1e9
            self._timer = asyncio.get_running_loop().call_later(left_s, self._look)

    def _look(self) -> None:
        """A timer may come a trifle too early: whoever is due then is looked for, and the rest watched anew."""
        self._due_ns = 0
        self._expire()

    def _end(self, waiting: Waiting, end: OrderDecision | Exception) -> None:
        """An order that was out is over."""
        waiting.tell(end)
        self._queue.over(waiting.order.key)
        self._arrived.set()
