"""A rung in memory that can be broken on purpose."""

import asyncio


class RungBroken(Exception):
    """What a broken MemoryRung raises."""


class MemoryRung:
    """Values in a dict. `broken` makes it raise, `hung` makes it never answer, as a stopped server does."""

    def __init__(self, name: str, values: dict[str, bytes] | None = None) -> None:
        self.name = name
        self.values = dict(values or {})
        self.broken = False
        self.hung = False
        self.reads: list[str] = []

    async def read(self, key: str) -> bytes | None:
        self.reads.append(key)
        await self._suffer()
        return self.values.get(key)

    async def fill(self, key: str, value: bytes) -> None:
        await self._suffer()
        self.values[key] = value

    async def close(self) -> None:
        """Nothing to close."""

    async def _suffer(self) -> None:
        if self.hung:
            await asyncio.Event().wait()
        if self.broken:
            raise RungBroken(f"rung '{self.name}' is broken on purpose")
        await asyncio.sleep(0)
