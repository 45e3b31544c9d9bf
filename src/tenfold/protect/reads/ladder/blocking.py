"""The read ladder for code that knows no `await`: threads of gunicorn, Celery, a script."""

import os
from collections.abc import Callable

from tenfold.kernel import Duration
from tenfold.protect.reads.ladder.answer import Answer
from tenfold.protect.reads.ladder.demand import ANY, Demand
from tenfold.protect.reads.ladder.ladder import ReadLadder
from tenfold.protect.reads.near import NearCache
from tenfold.protect.reads.portal import Portal

TIMEOUT = Duration.from_s(1)


class BlockingLadder:
    """A ReadLadder in a loop of its own. A near hit is answered in the caller's thread and never goes there.

    `open_ladder` makes the ladder over `near`, inside that loop, at the first read that the near cache cannot answer:
    once a process, so anew in a forked child. What many threads ask for at once is still one batch to the engine.
    """

    def __init__(self, open_ladder: Callable[[], ReadLadder], *, near: NearCache | None = None) -> None:
        self._open_ladder = open_ladder
        self._near = near
        self._portal = Portal("tenfold-ladder")
        self._ladder: ReadLadder | None = None
        self._pid = 0

    def near_hit(self, key: str) -> bytes | None:
        """The near cache's fresh value, at once; None means: `read(key)`."""
        return self._near.hit(key) if self._near is not None else None

    def read(self, key: str, demand: Demand = ANY, *, timeout: Duration = TIMEOUT) -> Answer:
        """As ReadLadder.read; raises PortalTimeout too."""
        return self._portal.call(lambda: self._read(key, demand), timeout=timeout)

    def close(self) -> None:
        """End every climb, then the loop."""
        if self._ladder is not None and self._pid == os.getpid():
            self._portal.call(self._ladder.close, timeout=TIMEOUT)
        self._portal.close()

    async def _read(self, key: str, demand: Demand) -> Answer:
        """Runs in the loop, so nobody else makes the ladder meanwhile."""
        if self._ladder is None or self._pid != os.getpid():
            self._ladder, self._pid = self._open_ladder(), os.getpid()
        return await self._ladder.read(key, demand)
