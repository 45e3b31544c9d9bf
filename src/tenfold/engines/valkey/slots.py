"""Which of several shards holds a key (https://valkey.io/topics/cluster-spec/); with one shard, that one."""

import asyncio
from binascii import crc_hqx
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

SLOTS = 16_384
Owner = TypeVar("Owner")
Item = TypeVar("Item")
Ranges = Sequence[tuple[int, int]]
"""Of slots, ends included."""


class Slots(Generic[Owner]):
    """Slots and who owns them; a slot that nobody claims is the first one's, who will say that it is not."""

    def __init__(self, claims: Sequence[tuple[Ranges, Owner]]) -> None:
        self.owners: Sequence[Owner] = [owner for _, owner in claims]
        self._by_slot: list[Owner] = []
        if len(claims) > 1:
            self._by_slot = [claims[0][1]] * SLOTS
            for ranges, owner in claims:
                for first, last in ranges:
                    self._by_slot[first : last + 1] = [owner] * (last + 1 - first)

    def owner(self, key: str) -> Owner:
        return self._by_slot[slot_of(key)] if self._by_slot else self.owners[0]

    async def carry(
        self,
        items: Sequence[Item],
        key_of: Callable[[Item], str],
        carry: Callable[[Owner, list[Item]], Awaitable[Sequence[Any]]],
    ) -> list[Any]:
        """Have each owner's share carried, all at the same time; results in the order of the items."""
        if not self._by_slot:
            return list(await carry(self.owners[0], list(items)))
        shares: dict[int, tuple[Owner, list[int]]] = {}
        for place, item in enumerate(items):
            owner = self.owner(key_of(item))
            shares.setdefault(id(owner), (owner, []))[1].append(place)
        carried = await asyncio.gather(
            *(carry(owner, [items[place] for place in places]) for owner, places in shares.values())
        )
        results: list[Any] = [None] * len(items)
        for (_, places), share in zip(shares.values(), carried, strict=True):
            for place, result in zip(places, share, strict=True):
                results[place] = result
        return results


def slot_of(key: str) -> int:
    """CRC16 of the key, or of what stands between its first braces when that is not empty."""
    name = key.encode()
    start = name.find(b"{")
    end = name.find(b"}", start + 1) if start >= 0 else -1
    return crc_hqx(name[start + 1 : end] if end > start + 1 else name, 0) % SLOTS
