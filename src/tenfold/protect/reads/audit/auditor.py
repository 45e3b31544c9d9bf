"""The cache auditor: samples keys in the background and says when the cache is wrong on a large scale."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.reads.audit.comparison import BatchComparison, Wrong
from tenfold.protect.reads.audit.read_budget import ReadBudget
from tenfold.protect.reads.audit.sequential import Cusum
from tenfold.protect.reads.found import Found, ReadMany
from tenfold.protect.reads.recent import RecentKeys
from tenfold.telemetry import EventLog, Registry

SETTLE = Duration.from_ms(500)
TIMEOUT = Duration.from_s(1)
EXAMPLES_MAX = 8
KEPT_BACK = 2.0
"""Round trips of the budget that are spent only on what looks wrong."""
USUAL_WEIGHT = 0.1


class Settled(NamedTuple):
    """The verdict on one batch. `alarm`: with it, the evidence is enough for "wrong on a large scale".

    `absent` keys were not in the cache; they are no samples, and nothing wrong was read there.
    """

    samples: int
    wrong: tuple[Wrong, ...]
    absent: int
    alarm: bool


class Evidence(NamedTuple):
    """What speaks for the cache being wrong: `mismatches` of `samples`; `level` is the log-likelihood ratio."""

    samples: int
    mismatches: int
    level: float
    threshold: float
    examples: tuple[str, ...]


class Auditor:
    """Compares what recently read keys come to in the cache and in the database, within a budget of round trips.

    A difference counts when it is still there, unchanged, after everything under way has arrived: when `proven_ns`
    (what the database's answers are certainly as new as; for a primary simply now, for a replica `Freshness`) has
    passed the moment of reading by `settle`. So `settle` is how long a write may take from its commit until the
    cache has heard of it: for a cache that is not invalidated, its time to live.

    A key that was found wrong is not counted again while the evidence lasts: one hot key is no large scale.
    One `step` is at most one batch; nothing runs by itself. `begin` and `step` belong to one event loop.
    """

    def __init__(
        self,
        name: str,
        *,
        cache: ReadMany,
        database: ReadMany,
        keys: RecentKeys,
        proven_ns: Callable[[], int] | None = None,
        settle: Duration = SETTLE,
        test: Cusum | None = None,
        budget: AmplificationBudget | None = None,
        batch_max: int = 256,
        pending_max: int = 16,
        timeout: Duration = TIMEOUT,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self._cache, self._database, self._keys = cache, database, keys
        self._clock = clock = clock or SystemClock()
        self._proven_ns = proven_ns or clock.monotonic_ns
        self._settle_ns, self._timeout_s = settle.ns, timeout.s
        self._test = test or Cusum()
        self._budget = budget or ReadBudget(clock=clock)
        self._batch_max, self._pending_max = batch_max, pending_max
        self._pending: deque[BatchComparison] = deque()
        self._known_wrong: dict[str, None] = {}
        self._usually_suspected = 0.0
        self._urgent = False
        self._blind = False
        self._events = events
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        label, name = ("audit",), self.name
        sampled = registry.counter("tenfold_audit_samples_total", "Keys that the audit has a verdict on.", label)
        wrong = registry.counter("tenfold_audit_mismatches_total", "Keys that were wrong in the cache.", label)
        unclear = registry.counter("tenfold_audit_unclear_total", "Suspicions that came to no verdict.", label)
        trips = registry.counter("tenfold_audit_round_trips_total", "Batches read from the database.", label)
        failures = registry.counter("tenfold_audit_failures_total", "Batches that could not be read.", label)
        self._sampled, self._wrong, self._unclear = sampled.child(name), wrong.child(name), unclear.child(name)
        self._trips, self._failures = trips.child(name), failures.child(name)
        pending = registry.gauge("tenfold_audit_pending", "Batches that wait to be looked at again.", label)
        level = registry.gauge("tenfold_audit_alarm_ratio", "Evidence against the cache; 1 is an alarm.", label)
        pending.child(name).ask(lambda: len(self._pending))
        level.child(name).ask(lambda: self._test.level / self._test.threshold)

    def evidence(self) -> Evidence:
        test = self._test
        examples = tuple(islice(self._known_wrong, EXAMPLES_MAX))
        return Evidence(test.samples, test.mismatches, round(test.level, 2), round(test.threshold, 2), examples)

    @property
    def waits(self) -> bool:
        """Whether suspicions wait for what was under way to arrive."""
        return bool(self._pending)

    def forget(self) -> None:
        """Drop all evidence and everything that is pending, as after a repair."""
        self._test.clear()
        self._pending.clear()
        self._known_wrong.clear()

    async def step(self) -> Settled | None:
        """Look again at the batches that are due, else sample a new one; None when there is no verdict yet.

        A place that cannot be read costs the batches, is counted, and proves nothing.
        """
        batches = await (self._look_again() if self._is_due() else self._sample())
        self._pending.extend(batch for batch in batches if batch.suspects)
        settled = [batch for batch in batches if not batch.suspects]
        return self._settle(settled) if settled else None

    def _is_due(self) -> bool:
        return bool(self._pending) and self._proven_ns() >= self._pending[0].read_ns + self._settle_ns

    async def _sample(self) -> list[BatchComparison]:
        keep = 0.0 if self._urgent else KEPT_BACK
        if len(self._pending) >= self._pending_max or not self._budget.take("audit", keep=keep):
            return []
        keys = [key for key in self._keys.sample(self._batch_max) if key not in self._known_wrong]
        both = await self._read(keys) if keys else None
        if both is None:
            return []
        batch = BatchComparison(*both, self._clock.monotonic_ns(), absent=len(keys) - len(both[0]))
        self._note(len(batch.suspects) / len(keys))
        return [batch]

    def _note(self, suspected: float) -> None:
        """More suspects than usual are worth what was kept back of the budget; usual is what writes under way make."""
        self._urgent = suspected > self._usually_suspected + self._test.ratios.wrong
        self._usually_suspected += USUAL_WEIGHT * (suspected - self._usually_suspected)

    async def _look_again(self) -> list[BatchComparison]:
        """All that are due, as far as they fit into one round trip."""
        if not self._budget.take("audit"):
            return []
        due = [self._pending.popleft()]
        suspects = due[0].suspects
        while self._is_due() and len(suspects) + len(self._pending[0].suspects) <= self._batch_max:
            due.append(self._pending.popleft())
            suspects += due[-1].suspects
        both = await self._read(suspects)
        if both is None:
            return []
        for batch in due:
            batch.look_again(*both, self._clock.monotonic_ns())
        return due

    async def _read(self, keys: Sequence[str]) -> tuple[Mapping[str, Found], Mapping[str, Found]] | None:
        """What lies in both places, or None when one could not say."""
        try:
            async with asyncio.timeout(self._timeout_s):
                both = await self._read_both(keys)
        except Exception as error:  # the two places are foreign code: whatever they raise, they did not answer
            self._failures.inc()
            self._tell_blind(type(error).__name__)
            return None
        self._blind = False
        return both

    async def _read_both(self, keys: Sequence[str]) -> tuple[Mapping[str, Found], Mapping[str, Found]]:
        """The cache first: a key that it does not have cannot be wrong there, and costs the database nothing."""
        cached = await self._cache(keys)
        if not cached:
            return {}, {}
        self._trips.inc()
        return cached, await self._database(list(cached))

    def _tell_blind(self, reason: str) -> None:
        """Once, until it sees again."""
        if not self._blind and self._events is not None:
            self._events.emit("audit-blind", self.name, reason=reason)
        self._blind = True

    def _settle(self, batches: Sequence[BatchComparison]) -> Settled:
        if self._test.alarmed or self._test.samples == 0:
            self._test.clear()
            self._known_wrong.clear()
        wrong = self._count_once(pair for batch in batches for pair in batch.wrong)
        samples = len(wrong) + sum(batch.right for batch in batches)
        self._sampled.inc(samples)
        self._wrong.inc(len(wrong))
        self._unclear.inc(sum(batch.unclear for batch in batches))
        alarm = self._test.record(samples, len(wrong))
        if alarm and self._events is not None:
            self._events.emit("audit-alarm", self.name, **self.evidence()._asdict())
        return Settled(samples, wrong, sum(batch.absent for batch in batches), alarm)

    def _count_once(self, wrong: Iterable[Wrong]) -> tuple[Wrong, ...]:
        """Those that are not known to be wrong yet; they are from now on."""
        new = {pair.key: pair for pair in wrong if pair.key not in self._known_wrong}
        self._known_wrong.update(dict.fromkeys(new))
        return tuple(new.values())
