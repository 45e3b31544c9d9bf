"""Reads many keys of a rung, for an audit and a repair."""

import asyncio
from collections.abc import Mapping, Sequence

from tenfold.protect.reads.found import Found, ReadMany
from tenfold.protect.reads.ladder import Rung


def each_of(rung: Rung) -> ReadMany:
    """Ask `rung` for every key in one turn of the loop, which rungs on engines gather into one round trip."""

    async def read_many(keys: Sequence[str]) -> Mapping[str, Found]:
        found = await asyncio.gather(*(rung.read(key) for key in keys))
        return {key: one for key, one in zip(keys, found, strict=True) if one is not None}

    return read_many
