"""One rung behind its breaker, its timeout and its bulkhead."""

import asyncio

from tenfold.kernel import Clock
from tenfold.protect.ladder.rung import Attempt, Outcome, Step
from tenfold.telemetry import Registry

_NOT_MADE = {outcome: Attempt(outcome) for outcome in (Outcome.OPEN, Outcome.FULL)}


class GuardedRung:
    """Attempts at one step of one ladder; a failure is an answer here, never an exception."""

    def __init__(self, step: Step, ladder: str, *, clock: Clock, registry: Registry) -> None:
        self.name = step.rung.name
        self.step = step
        self._timeout_s = step.timeout.s
        self._inflight = 0
        self._now_ns = clock.monotonic_ns
        reads = registry.counter(
            "tenfold_ladder_reads_total", "Attempts by rung and what they came to.", ("ladder", "rung", "outcome")
        )
        seconds = registry.timer("tenfold_ladder_rung_seconds", "How long attempts took.", ("ladder", "rung"))
        self._counts = {outcome: reads.child(ladder, self.name, outcome.value) for outcome in Outcome}
        self._seconds = seconds.child(ladder, self.name)

    async def attempt(self, key: str) -> Attempt:
        attempt = await self._attempt(key)
        self._counts[attempt.outcome].value += 1
        return attempt

    async def _attempt(self, key: str) -> Attempt:
        if self._inflight >= self.step.inflight_max:
            return _NOT_MADE[Outcome.FULL]
        breaker = self.step.breaker
        epoch = breaker.admit() if breaker else 1
        if not epoch:
            return _NOT_MADE[Outcome.OPEN]
        try:
            attempt = await self._ask(key)
        except BaseException:
            if breaker:
                breaker.abandoned(epoch)
            raise
        if breaker and attempt.error is None:
            breaker.succeeded(epoch)
        elif breaker:
            breaker.failed(attempt.cause, epoch)
        return attempt

    async def _ask(self, key: str) -> Attempt:
        began_ns = self._now_ns()
        self._inflight += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                value = await self.step.rung.read(key)
        except TimeoutError as error:
            return Attempt(Outcome.TIMEOUT, error=error)
        except Exception as error:  # a rung is foreign code: whatever it raises, it did not answer
            return Attempt(Outcome.FAILED, error=error)
        except asyncio.CancelledError as error:
            if _we_are_cancelled():
                raise
            return Attempt(Outcome.FAILED, error=error)
        finally:
            self._inflight -= 1
            self._seconds.record_ns(self._now_ns() - began_ns)
        return Attempt(Outcome.MISS if value is None else Outcome.HIT, value)


def _we_are_cancelled() -> bool:
    """Whether it is this task that was cancelled, and not something that the rung waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
