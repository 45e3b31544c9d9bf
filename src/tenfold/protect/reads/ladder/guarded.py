"""One rung behind its breaker, its timeout and its bulkhead."""

import asyncio

from tenfold.kernel import Clock
from tenfold.kernel.tasks import are_we_cancelled
from tenfold.protect.calls.breaker import Breaker
from tenfold.protect.calls.limit import Budget
from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.reads.ladder.demand import ANY, Demand
from tenfold.protect.reads.ladder.rung import Attempt, NotAsked, Outcome, Step
from tenfold.telemetry import Registry

_WITHOUT = {outcome: Attempt(outcome) for outcome in (Outcome.OPEN, Outcome.FULL, Outcome.OLD, Outcome.ELSEWHERE)}


class GuardedRung:
    """Attempts at one step of one ladder; a failure is an answer here, never an exception."""

    def __init__(self, step: Step, ladder: str, *, clock: Clock, registry: Registry) -> None:
        self.name = step.rung.name
        self.step = step
        self._timeout_s = step.timeout.s
        self._budget = step.budget or Budget(step.inflight_max, clock=clock)
        self._now_ns = clock.monotonic_ns
        self._wall_ns = clock.wall_ns
        reads = registry.counter(
            "tenfold_ladder_reads_total", "Attempts by rung and what they came to.", ("ladder", "rung", "outcome")
        )
        seconds = registry.timer("tenfold_ladder_rung_seconds", "How long attempts took.", ("ladder", "rung"))
        self._counts = {outcome: reads.child(ladder, self.name, outcome.value) for outcome in Outcome}
        self._seconds = seconds.child(ladder, self.name)

    async def attempt(self, key: str, demand: Demand = ANY) -> Attempt:
        attempt = await self._attempt(key, demand)
        self._counts[attempt.outcome].value += 1
        return attempt

    async def _attempt(self, key: str, demand: Demand) -> Attempt:
        breaker = self.step.breaker
        epoch = breaker.admit() if breaker else 1
        if not epoch:
            return _WITHOUT[Outcome.OPEN]
        if not self._budget.take():
            if breaker:
                breaker.abandoned(epoch)
            return _WITHOUT[Outcome.FULL]
        try:
            attempt = await self._ask(key, demand)
        except BaseException:
            if breaker:
                breaker.abandoned(epoch)
            raise
        finally:
            self._budget.give_back()
        if breaker:
            _report(attempt, breaker, epoch)
        return attempt

    async def _ask(self, key: str, demand: Demand) -> Attempt:
        began_ns, asked_at_ns = self._now_ns(), self._wall_ns()
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self.step.rung.read(key, demand.not_before)
        except TimeoutError as error:
            return Attempt(Outcome.TIMEOUT, error=error)
        except NotAsked:
            return _WITHOUT[Outcome.ELSEWHERE]
        except Exception as error:  # a rung is foreign code: whatever it raises, it did not answer
            return Attempt(Outcome.FAILED, error=error)
        except asyncio.CancelledError as error:
            if are_we_cancelled():
                raise
            return Attempt(Outcome.FAILED, error=error)
        finally:
            self._seconds.record_ns(self._now_ns() - began_ns)
        return Attempt(Outcome.MISS) if found is None else self._judge(found, demand, asked_at_ns)

    def _judge(self, found: Found, demand: Demand, asked_at_ns: int) -> Attempt:
        """A source that does not say when its answer was true speaks of now."""
        if found.true_at_ns == UNKNOWN and not self.step.fills:
            found = found._replace(true_at_ns=asked_at_ns)
        if demand is ANY or demand.accepts(found.version, self._wall_ns() - found.true_at_ns):
            return Attempt(Outcome.HIT, found)
        return _WITHOUT[Outcome.OLD]


def _report(attempt: Attempt, breaker: Breaker, epoch: int) -> None:
    if attempt.outcome is Outcome.ELSEWHERE:
        breaker.abandoned(epoch)
    elif attempt.error is None:
        breaker.succeeded(epoch)
    else:
        breaker.failed(attempt.cause, epoch, timeout=attempt.outcome is Outcome.TIMEOUT)
