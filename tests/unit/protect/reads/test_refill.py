"""Reading anew in batches what a near cache held."""

import asyncio
from collections.abc import Mapping, Sequence

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Found, NearCache
from tenfold.protect.reads.ladder import Refill
from tenfold.protect.testing import run_in_virtual_time

KEYS = [str(number) for number in range(1_000)]


class Source:
    """Holds what it is told; counts its round trips; may be broken."""

    def __init__(self) -> None:
        self.values = {key: Found(key.encode(), 2) for key in KEYS}
        self.trips: list[int] = []
        self.broken = False

    async def read_many(self, keys: Sequence[str]) -> Mapping[str, Found]:
        self.trips.append(len(keys))
        await asyncio.sleep(0.001)
        if self.broken:
            raise ConnectionError
        return {key: self.values[key] for key in keys if key in self.values}


def cache(clock: VirtualClock) -> NearCache:
    near = NearCache("price", bytes_max=64 << 20, ttl=Duration.from_s(60), clock=clock)
    for key in KEYS:
        near.put(key, b"old", version=1)
    return near


def test_what_was_in_doubt_is_fresh_again_after_a_few_round_trips() -> None:
    """A thousand keys in eight; whoever changed meanwhile has the new value."""

    async def main(clock: VirtualClock) -> None:
        near, source = cache(clock), Source()
        near.doubt()
        near.prove()
        assert near.hit("7") is None
        Refill(near, source.read_many, clock=clock).begin(near.keys(unproven=True))
        await asyncio.sleep(1)
        assert [near.hit(key) for key in KEYS] == [key.encode() for key in KEYS]
        assert len(source.trips) == 8

    run_in_virtual_time(main)


def test_an_invalidation_during_the_round_trip_is_not_overruled() -> None:
    """The batch that was under way brings nothing back."""

    async def main(clock: VirtualClock) -> None:
        near, source = cache(clock), Source()
        refill = Refill(near, source.read_many, clock=clock)
        near.clear()
        refill.begin(["7", "8"])
        await asyncio.sleep(0.0005)
        near.invalidate("7")
        await asyncio.sleep(0.1)
        assert (near.hit("7"), near.hit("8")) == (None, b"8")

    run_in_virtual_time(main)


def test_a_source_that_fails_leaves_the_keys_to_their_readers() -> None:
    """No exception, no task left, no value invented; it is paced all the same."""

    async def main(clock: VirtualClock) -> None:
        near, source = cache(clock), Source()
        source.broken = True
        near.clear()
        refill = Refill(near, source.read_many, keys_per_s_max=1_000, clock=clock)
        refill.begin(KEYS)
        await asyncio.sleep(0.5)
        assert len(source.trips) == 4
        await refill.close()
        assert len(near) == 0
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)
