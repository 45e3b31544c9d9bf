"""A rung that counts what it is asked, around any other."""

from collections import Counter
from collections.abc import Mapping

from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.reads.ladder import Rung


class CountingRung:
    """`rung`, and in `reads` how often each key was asked of it."""

    def __init__(self, rung: Rung) -> None:
        self.name = rung.name
        self.reads: Counter[str] = Counter()
        self._rung = rung

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        self.reads[key] += 1
        return await self._rung.read(key, not_before)

    async def fill(self, found: Mapping[str, Found]) -> None:
        await self._rung.fill(found)
