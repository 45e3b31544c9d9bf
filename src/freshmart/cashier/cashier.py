"""Secures the money of orders before they are placed, as far as that costs the customer no time.

    order ──► queue ──► batch ──► acquirer        as many exchanges at a time as the limit says; meanwhile more gather
                 │                    │
                 └─── DEFERRED ◄──────┘           late, the breaker open, no room: the order goes on without

A deferred order is collected by the worker later, under the same key: so an answer that came too late costs nobody
anything, for the acquirer takes the money of a key once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Protocol

from freshmart.cashier.acquirer import AcquirerUnreachable
from freshmart.cashier.messages import Demand, Receipt
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect import Breaker
from tenfold.protect.deadline import deadline_within, for_many, time_left
from tenfold.protect.limit import AmplificationBudget, End, Limiter, Permit
from tenfold.telemetry import Registry

DEFERRED = ""
DEADLINE = Duration.from_ms(80)
"""Of the 100 ms that an order may take; the acquirer answers within 20 ms, the database within the rest."""
LEAST = Duration.from_ms(30)
"""An exchange is not begun with less time left than this, of ours or of the caller's: its lateness would be ours."""
BATCH_MAX = 128
WAITING_MAX = 4_096


class Authorise(Protocol):
    """The exchange: a receipt for each, in their order. Raises AcquirerUnreachable."""

    def __call__(self, demands: Sequence[Demand], /) -> Awaitable[Sequence[Receipt]]: ...


class _Waiting:
    __slots__ = ("demand", "due_ns", "future")

    def __init__(self, demand: Demand, due_ns: int, future: asyncio.Future[str]) -> None:
        self.demand = demand
        self.due_ns = due_ns
        self.future = future


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
        self._out: set[asyncio.Task[None]] = set()
        self._called = False
        payments = (registry or Registry()).counter(
            "freshmart_payments_total", "Orders by whether their money was secured before, and why not.", ("outcome",)
        )
        self._counts = {name: payments.child(name) for name in ("authorised", "late", "open", "failed", "busy")}

    async def authorise(self, demand: Demand) -> str:
        """The authorisation's number, or DEFERRED; within the deadline, and never an error."""
        if len(self._queue) >= WAITING_MAX:
            self._counts["busy"].inc()
            return DEFERRED
        left = time_left(self._clock)
        if left is not None and left < LEAST:
            self._counts["late"].inc()
            return DEFERRED
        loop = asyncio.get_running_loop()
        waiting = _Waiting(demand, self._now_ns() + self._deadline.ns, loop.create_future())
        self._queue.append(waiting)
        if not self._called:
            self._called = True
            loop.call_soon(self._send)
        return await waiting.future

    async def close(self) -> None:
        """End what is out; whoever waits is deferred."""
        self._defer(self._queue, "failed")
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
                self._defer(self._queue, "open")
                self._queue.clear()
                return
            with for_many():
                task = asyncio.get_running_loop().create_task(self._carry(self._take(), permit, epoch))
            self._out.add(task)
            task.add_done_callback(self._returned)

    def _returned(self, task: asyncio.Task[None]) -> None:
        self._out.discard(task)
        self._send()

    async def _carry(self, batch: list[_Waiting], permit: Permit, epoch: int) -> None:
        self._budget.called()
        try:
            left = Duration(batch[0].due_ns - self._now_ns())
            async with asyncio.timeout(left.s):
                with deadline_within(left, self._clock):
                    receipts = await self._exchange([waiting.demand for waiting in batch])
        except TimeoutError:
            permit.release(End.DROPPED)
            self._breaker.failed("TimeoutError", epoch, timeout=True)
            self._defer(batch, "late")
        except AcquirerUnreachable as error:
            permit.release(End.IGNORED)
            self._breaker.failed(type(error.__cause__ or error).__name__, epoch)
            self._defer(batch, "failed")
        except BaseException:
            permit.release(End.IGNORED)
            self._breaker.abandoned(epoch)
            self._defer(batch, "failed")
            raise
        else:
            permit.release()
            self._breaker.succeeded(epoch)
            self._settle(batch, receipts)

    async def _exchange(self, demands: list[Demand]) -> Sequence[Receipt]:
        try:
            return await self._authorise(demands)
        except AcquirerUnreachable:
            if not self._budget.take("retry"):
                raise
        return await self._authorise(demands)

    def _take(self) -> list[_Waiting]:
        return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MAX))]

    def _settle(self, batch: Sequence[_Waiting], receipts: Sequence[Receipt]) -> None:
        self._counts["authorised"].inc(len(batch))
        for waiting, receipt in zip(batch, receipts, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(receipt.authorisation)

    def _expire(self) -> None:
        now_ns = self._now_ns()
        while self._queue and self._queue[0].due_ns < now_ns + LEAST.ns:
            self._defer([self._queue.popleft()], "late")

    def _defer(self, those: Sequence[_Waiting] | deque[_Waiting], why: str) -> None:
        self._counts[why].inc(len(those))
        for waiting in those:
            if not waiting.future.done():
                waiting.future.set_result(DEFERRED)
