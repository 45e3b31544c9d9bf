"""Secures the money of orders before they are placed, as far as that costs the customer no time.

    order ──► queue ──► batch ──► acquirer        as many exchanges at a time as the limit says; meanwhile more gather
                 │                    │
                 └─── DEFERRED ◄──────┘           late, the breaker open, no room: the order goes on without

A deferred order is collected by the worker later, under the same key: so an answer that came too late costs nobody
anything, for the acquirer takes the money of a key once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterable, Sequence
from itertools import repeat
from typing import NamedTuple, Protocol

from freshmart.cashier.acquirer import AcquirerUnreachable, PaymentDemand, Receipt
from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect import Breaker
from tenfold.protect.calls.limit import End, Limiter, Permit
from tenfold.protect.doors.deadline import deadline_within, due_within, for_many, time_left
from tenfold.telemetry import Registry

DEFERRED = ""
DEADLINE = Duration.from_ms(80)
"""Of the 100 ms that an order may take; the acquirer answers within 20 ms, the database within the rest."""
LEAST = Duration.from_ms(30)
"""An exchange is not begun with less time left than this, of ours or of the caller's: its lateness would be ours."""
BATCH_MAX = 128
WAITING_MAX = 4_096
_NO_NUMBERS = repeat(DEFERRED)


class Authorise(Protocol):
    """The exchange: a receipt for each, in their order. Raises AcquirerUnreachable."""

    def __call__(self, demands: Sequence[PaymentDemand], /) -> Awaitable[Sequence[Receipt]]: ...


class _Waiting:
    __slots__ = ("demand", "due_ns", "future")

    def __init__(self, demand: PaymentDemand, due_ns: int, future: asyncio.Future[str]) -> None:
        self.demand = demand
        self.due_ns = due_ns
        self.future = future


class _Exchange(NamedTuple):
    """What is given back when one is over, however it ends."""

    batch: list[_Waiting]
    permit: Permit
    epoch: int


class Cashier:
    """For one event loop. An exchange that failed at once goes again when `budget` allows; one that was late, never."""

    def __init__(
        self,
        authorise: Authorise,
        *,
        breaker: Breaker,
        limiter: Limiter,
        budget: AmplificationBudget,
        deadline: Duration = DEADLINE,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._authorise = authorise
        self._breaker = breaker
        self._limiter = limiter
        self._budget = budget
        self._deadline = deadline
        self._clock = clock = clock or SystemClock()
        self._now_ns = clock.monotonic_ns
        self._queue: deque[_Waiting] = deque()
        self._out: dict[asyncio.Task[None], _Exchange] = {}
        self._called = False
        payments = (registry or Registry()).counter(
            "freshmart_payments_total", "Orders by whether their money was secured before, and why not.", ("outcome",)
        )
        self._counts = {name: payments.child(name) for name in ("authorised", "late", "open", "failed", "busy")}

    async def authorise(self, demand: PaymentDemand) -> str:
        """The authorisation's number, or DEFERRED; within the deadline, ours and the caller's, and never an error."""
        if len(self._queue) >= WAITING_MAX:
            self._counts["busy"].inc()
            return DEFERRED
        left = time_left(self._clock)
        if left is not None and left < LEAST:
            self._counts["late"].inc()
            return DEFERRED
        loop = asyncio.get_running_loop()
        waiting = _Waiting(demand, due_within(self._deadline, self._clock), loop.create_future())
        self._queue.append(waiting)
        if not self._called:
            self._called = True
            loop.call_soon(self._send)
        if left is None or left >= self._deadline:
            return await waiting.future
        timer = loop.call_later(left.s, self._tell, [waiting], "late")  # the exchange is others' too, and goes on
        try:
            return await waiting.future
        finally:
            timer.cancel()

    async def close(self) -> None:
        """End what is out; whoever waits is deferred."""
        self._tell(self._queue, "failed")
        self._queue.clear()
        for task in self._out:
            task.cancel()
        await asyncio.gather(*self._out, return_exceptions=True)

    def _send(self) -> None:
        """As many batches as may be under way."""
        self._called = False
        self._expire()
        while self._queue:
            permit = self._limiter.try_admit()
            if permit is None:
                return  # one is under way, and calls again when it has ended
            epoch = self._breaker.admit()
            if not epoch:
                permit.release(End.IGNORED)
                self._tell(self._queue, "open")
                self._queue.clear()
                return
            self._begin(_Exchange(self._take(), permit, epoch))

    def _begin(self, exchange: _Exchange) -> None:
        with for_many():
            task = asyncio.get_running_loop().create_task(self._carry(exchange))
        self._out[task] = exchange
        task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        """A cancellation is seen here: a task that was cancelled before its first step sees nothing itself."""
        exchange = self._out.pop(task)
        if task.cancelled():
            self._ended(exchange, End.IGNORED, "failed")
        self._send()

    async def _carry(self, exchange: _Exchange) -> None:
        self._budget.called()
        try:
            receipts = await self._in_time(exchange.batch)
        except TimeoutError:
            self._ended(exchange, End.DROPPED, "late", failure="TimeoutError")
        except Exception as error:  # whatever it is, it was no answer
            self._ended(exchange, End.IGNORED, "failed", failure=type(error.__cause__ or error).__name__)
        else:
            self._ended(exchange, End.ANSWERED, "authorised", [receipt.authorisation for receipt in receipts])

    async def _in_time(self, batch: list[_Waiting]) -> Sequence[Receipt]:
        """By when the most patient of the batch needs it: a caller in a hurry is told, and costs the others nothing."""
        left = Duration(max(waiting.due_ns for waiting in batch) - self._now_ns())
        async with asyncio.timeout(left.s):
            with deadline_within(left, self._clock):
                receipts = await self._exchange([waiting.demand for waiting in batch])
        if len(receipts) != len(batch):
            raise ValueError(f"{len(batch)} demands were made, and {len(receipts)} receipts came back")
        return receipts

    async def _exchange(self, demands: list[PaymentDemand]) -> Sequence[Receipt]:
        try:
            return await self._authorise(demands)
        except AcquirerUnreachable:
            if not self._budget.take("retry"):
                raise
        return await self._authorise(demands)

    def _ended(
        self, exchange: _Exchange, end: End, why: str, numbers: Iterable[str] = _NO_NUMBERS, *, failure: str = ""
    ) -> None:
        """Say how it went: to the limit, to the breaker, and to those who asked. Without a failure or an answer nothing
        is known of the acquirer."""
        exchange.permit.release(end)
        if failure:
            self._breaker.failed(failure, exchange.epoch, timeout=end is End.DROPPED)
        elif end is End.ANSWERED:
            self._breaker.succeeded(exchange.epoch)
        else:
            self._breaker.abandoned(exchange.epoch)
        self._tell(exchange.batch, why, numbers)

    def _take(self) -> list[_Waiting]:
        """The next batch, of those whom `_expire` leaves: the first of the queue is one."""
        batch: list[_Waiting] = []
        while self._queue and len(batch) < BATCH_MAX:
            batch.append(self._queue.popleft())
            self._expire()
        return batch

    def _expire(self) -> None:
        """Until the first of the queue can be begun for: those before have left, or have too little time for it."""
        due_min_ns = self._now_ns() + LEAST.ns
        while self._queue and (self._queue[0].future.done() or self._queue[0].due_ns < due_min_ns):
            self._tell([self._queue.popleft()], "late")

    def _tell(self, those: Iterable[_Waiting], why: str, numbers: Iterable[str] = _NO_NUMBERS) -> None:
        """Each its number, or DEFERRED; whoever has left, or was told that it is late, is not counted again."""
        told = 0
        for waiting, number in zip(those, numbers, strict=False):
            if not waiting.future.done():
                waiting.future.set_result(number)
                told += 1
        self._counts[why].inc(told)
