"""Reads anew in the background what will soon be asked for, to a bound."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Duration
from tenfold.kernel.tasks import end_tasks
from tenfold.protect.reads.near import NearCache
from tenfold.telemetry import Registry


class BackgroundRefreshes:
    """One refresh a key at a time, `running_max` in all, and as `extra` allows, of who is asked first.

    A refresh is a kindness: one too many is left and counted.
    """

    def __init__(
        self,
        refresh: Callable[[str], Awaitable[None]],
        ladder: str,
        *,
        registry: Registry,
        running_max: int,
        extra: AmplificationBudget | None = None,
    ) -> None:
        self._refresh = refresh
        self._running: dict[str, asyncio.Task[None]] = {}
        self._running_max = running_max
        self._extra = extra
        self._loop: asyncio.AbstractEventLoop | None = None
        outcomes = registry.counter("tenfold_ladder_refreshes_total", "Reads anew, by outcome.", ("ladder", "outcome"))
        self._counts = {outcome: outcomes.child(ladder, outcome) for outcome in ("done", "failed", "left")}

    def ask(self, key: str) -> None:
        """`begin`, from any thread; nothing happens before the ladder's first read."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.begin, key)

    def settle(self) -> None:
        """Called in the loop that the ladder lives in."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()

    def begin(self, key: str) -> None:
        """In the loop: read it anew, unless that is being done."""
        if key in self._running:
            return
        if len(self._running) >= self._running_max or (self._extra is not None and not self._extra.take("refresh")):
            self._counts["left"].inc()
            return
        self._running[key] = asyncio.get_running_loop().create_task(self._run(key))

    async def close(self) -> None:
        await end_tasks(*self._running.values())

    async def _run(self, key: str) -> None:
        try:
            await self._refresh(key)
        except Exception:  # the old value is still there, and the next reader tries again
            self._counts["failed"].inc()
        else:
            self._counts["done"].inc()
        finally:
            del self._running[key]


class Hot(Protocol):
    """Finds the keys that everybody asks for; `tenfold.protect.reads.hot.HotKeys` is one."""

    def attach(self, near: NearCache, refresh: Callable[[str], None]) -> None:
        """Called once: the near cache to watch and to hold keys in, and how to have one read anew."""

    def saw(self, key: str) -> object:
        """A reader climbs for it."""

    def found(self, key: str, value: bytes | None, version: int, age: Duration) -> Duration | None:
        """A climb ended so, true `age` ago; answers how long to keep it near, None as always."""
