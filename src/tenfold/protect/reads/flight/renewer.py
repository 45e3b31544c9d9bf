"""Renews what this process holds and gives back what it does not need any more."""

import asyncio
from collections import deque
from collections.abc import Callable

from tenfold.kernel import Duration
from tenfold.protect.reads.flight.lease import Grant, LeaseStore
from tenfold.telemetry.metrics import Counter

RENEWALS_PER_TTL = 3


class LeaseRenewer:
    """All leases of one process behind one task, which runs while there is something to do.

    Every third of a `ttl` what is held is renewed in one call; what was released since the last turn is given back in
    one call. A lease held for longer than `hold_max` is renewed no more: its load hangs. What cannot be told to the
    store is counted and left to expire.
    """

    def __init__(
        self,
        store: LeaseStore,
        *,
        ttl: Duration,
        hold_max: Duration,
        held_max: int,
        now_ns: Callable[[], int],
        lost: Counter,
        failed: Counter,
    ) -> None:
        self._store = store
        self._ttl = ttl
        self._renew_every_ns = ttl.ns // RENEWALS_PER_TTL
        self._hold_max_ns = hold_max.ns
        self._now_ns = now_ns
        self._lost, self._failed = lost, failed
        self._held: dict[Grant, int] = {}
        self._held_max = held_max
        self._leaving: deque[Grant] = deque()
        self._renew_at_ns = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._called = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        self._settle_in()
        return len(self._held) >= self._held_max

    def __len__(self) -> int:
        """How many leases are held."""
        return len(self._held)

    def hold(self, grant: Grant) -> None:
        """Renew `grant` until it is released."""
        self._settle_in()
        now_ns = self._now_ns()
        if not self._held:
            self._renew_at_ns = now_ns + self._renew_every_ns
        self._held[grant] = now_ns + self._hold_max_ns
        self._begin()

    def release(self, grant: Grant) -> None:
        """Have `grant` given back soon. Waits for nothing, so that it may stand in a `finally`."""
        self._settle_in()
        self._held.pop(grant, None)
        if len(self._leaving) >= self._held_max:
            self._failed.inc()
            return
        self._leaving.append(grant)
        self._called.set()
        self._begin()

    async def close(self) -> None:
        """Give back everything, and end."""
        self._settle_in()
        self._leaving.extend(self._held)
        self._held.clear()
        self._called.set()
        self._begin()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _settle_in(self) -> None:
        """What another loop held is not ours to renew: that loop is over, or goes on in the process we forked from."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._task, self._called = loop, None, asyncio.Event()
            self._held.clear()
            self._leaving.clear()

    def _begin(self) -> None:
        if self._task is None and (self._held or self._leaving):
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        try:
            while self._held or self._leaving:
                self._called.clear()
                await self._give_back()
                if self._now_ns() >= self._renew_at_ns:
                    await self._renew()
                await self._pause()
        finally:
            self._task = None

    async def _pause(self) -> None:
        """Until somebody calls or the next renewal is due."""
        if self._held and not self._leaving:
            try:
                async with asyncio.timeout(max(0.001, (self._renew_at_ns - self._now_ns()) / 1e9)):
                    await self._called.wait()
            except TimeoutError:
                return

    async def _give_back(self) -> None:
        if not self._leaving:
            return
        grants, self._leaving = list(self._leaving), deque()
        try:
            await self._store.release(grants)
        except Exception:  # a store is foreign code; what it was not told expires
            self._failed.inc(len(grants))

    async def _renew(self) -> None:
        now_ns = self._now_ns()
        self._renew_at_ns = now_ns + self._renew_every_ns
        for grant in [grant for grant, until_ns in self._held.items() if now_ns >= until_ns]:
            self._drop(grant)
        grants = list(self._held)
        if not grants:
            return
        try:
            renewed = await self._store.renew(grants, self._ttl)
            lost = [grant for grant, ours in zip(grants, renewed, strict=True) if not ours]
        except Exception:  # as above: the next turn may still be in time
            self._failed.inc(len(grants))
            return
        for grant in lost:
            self._drop(grant)

    def _drop(self, grant: Grant) -> None:
        if self._held.pop(grant, None) is not None:
            self._lost.inc()
