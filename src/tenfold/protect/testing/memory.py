"""A rung in memory that can be broken on purpose."""

import asyncio
from collections.abc import Mapping

from tenfold.protect.reads.found import UNKNOWN, Found


class RungBroken(Exception):
    """What a broken MemoryRung raises."""


class MemoryRung:
    """Values in a dict, with a version or without.

    `broken` makes it raise, `hung` makes it never answer, as a stopped server does.
    """

    def __init__(self, name: str, values: Mapping[str, bytes | Found] | None = None) -> None:
        self.name = name
        self.values: dict[str, bytes | Found] = dict(values or {})
        self.broken = False
        self.hung = False
        self.reads: list[str] = []

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        self.reads.append(key)
        await self._suffer()
        value = self.values.get(key)
        return Found(value) if isinstance(value, bytes) else value

    async def fill(self, found: Mapping[str, Found]) -> None:
        await self._suffer()
        self.values.update(found)

    async def close(self) -> None:
        """Nothing to close."""

    async def _suffer(self) -> None:
        if self.hung:
            await asyncio.Event().wait()
        if self.broken:
            raise RungBroken(f"rung '{self.name}' is broken on purpose")
        await asyncio.sleep(0)
