"""A cache in memory as its repairer sees it."""

from collections.abc import AsyncIterator, Mapping, Sequence

from tenfold.protect.reads.audit import Wrong
from tenfold.protect.reads.found import Found


class MemoryShelf:
    """Values in a dict; `broken` makes it raise."""

    def __init__(self, values: Mapping[str, Found]) -> None:
        self.values = dict(values)
        self.broken = False

    async def scan(self, count: int) -> AsyncIterator[list[str]]:
        keys = list(self.values)
        for begin in range(0, len(keys), count):
            yield keys[begin : begin + count]

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Found]:
        if self.broken:
            raise ConnectionError
        return {key: self.values[key] for key in keys if key in self.values}

    async def replace_many(self, wrong: Sequence[Wrong]) -> int:
        replaced = [pair for pair in wrong if self.values.get(pair.key) == pair.cached]
        for key, _, stored in replaced:
            if stored is None:
                del self.values[key]
            else:
                self.values[key] = stored
        return len(replaced)
