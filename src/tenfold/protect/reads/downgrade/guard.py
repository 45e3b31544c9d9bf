"""The guard of one cache: watches, sends its readers away when it is wrong, has it repaired, and brings them back."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tenfold.kernel import Duration
from tenfold.kernel.tasks import end_tasks
from tenfold.protect.reads.audit import Auditor, Settled
from tenfold.protect.reads.downgrade.downgrade import Downgrade
from tenfold.protect.reads.downgrade.metrics import Phase
from tenfold.protect.reads.downgrade.repair import Repair

TICK = Duration.from_ms(20)


async def _nothing_to_observe() -> None:
    """For a database that needs no watching, as a primary does not."""


def _nobody_to_tell() -> None:
    """For readers without a near cache."""


class CacheGuard:
    """Conducts auditor, downgrade and repair; unattended, or after a hand or a rule began a downgrade.

    Single keys that are found wrong are mended one by one; only many make an alarm.
    `distrust` is called when reads leave, when all have left and when the cache is repaired: it is where near caches
    forget everything (`near.clear`). `observe` keeps up to date what `proven_ns` stands on, while somebody waits for
    it; what it raises proves nothing. `run` is a task of its owner.
    """

    def __init__(
        self,
        *,
        auditor: Auditor,
        downgrade: Downgrade,
        repair: Repair,
        distrust: Callable[[], object] = _nobody_to_tell,
        observe: Callable[[], Awaitable[None]] = _nothing_to_observe,
        tick: Duration = TICK,
    ) -> None:
        self._auditor, self._downgrade, self._repair = auditor, downgrade, repair
        self._distrust = distrust
        self._observe = observe
        self._tick_s = tick.s
        self._closed = False
        self._stage = Phase.NORMAL.value

    async def run(self) -> None:
        """One step a tick, until `close`."""
        observing = asyncio.create_task(self._keep_observing())
        try:
            while not self._closed:
                await self.step()
                await asyncio.sleep(self._tick_s)
        finally:
            self._closed = True
            await end_tasks(observing)

    def close(self) -> None:
        """Let `run` end after the step that it is in.

        Better than a cancellation, which Python 3.11 loses when it comes in the moment in which a driver's own timeout
        ends (`asyncio.wait_for`).
        """
        self._closed = True

    async def step(self) -> None:
        """What the present phase asks for."""
        phase = self._downgrade.phase
        self._distrust_once(phase)
        if phase is Phase.NORMAL:
            await self._follow(await self._auditor.step())
        elif phase is Phase.RETURNING:
            self._return_by(await self._auditor.step())
        elif self._downgrade.repair_began():
            await self._have_repaired()
        self._distrust_once(self._downgrade.phase)

    async def _follow(self, settled: Settled | None) -> None:
        if settled is None:
            return
        if settled.alarm and self._downgrade.automatic:
            evidence = self._auditor.evidence()
            self._auditor.forget()
            self._downgrade.begin("auditor", **evidence._asdict())
        elif settled.wrong:
            with suppress(Exception):  # a key that could not be mended is found again
                await self._repair.mend(settled.wrong)

    def _return_by(self, settled: Settled | None) -> None:
        """What is not in the cache is not wrong there: an empty cache may be returned to, and fills by it."""
        if settled is not None:
            self._downgrade.judge(settled.samples + settled.absent, len(settled.wrong))

    async def _have_repaired(self) -> None:
        try:
            done = await self._repair.run()
        except Exception as error:  # cache and database are foreign code: whatever they raise, it is not repaired
            self._downgrade.repair_failed(type(error).__name__)
            return
        self._auditor.forget()
        self._distrust()
        self._downgrade.repaired(**done._asdict())

    def _distrust_once(self, phase: Phase) -> None:
        """At the beginning of the leaving, and again when the last share of it has left."""
        stage = "away" if self._downgrade.everybody_left else phase.value
        if stage != self._stage and stage in ("away", Phase.DOWNGRADED.value):
            self._distrust()
        self._stage = stage

    async def _keep_observing(self) -> None:
        while not self._closed:
            if self._auditor.waits or self._downgrade.phase is Phase.REPAIRING:
                with suppress(Exception):  # nothing is proven then, which is all that follows from it
                    await self._observe()
            await asyncio.sleep(self._tick_s)
