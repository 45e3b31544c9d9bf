"""A function that remembers: sync and async alike."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache
from tenfold.protect.reads.memoize import memoize
from tenfold.protect.reads.near import Lifetimes


class Shop:
    """What is asked for, how often, and what goes wrong."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.broken = False

    def ask(self, key: str) -> bytes | None:
        self.calls.append(key)
        if self.broken:
            raise OSError("no route")
        return f"{key} #{len(self.calls)}".encode()


def near_with(clock: VirtualClock) -> NearCache:
    return NearCache(
        "price",
        bytes_max=1 << 20,
        ttl=Duration.from_s(10),
        grace=Duration.from_s(5),
        stale=Duration.from_s(60),
        lifetimes=Lifetimes(jitter_ratio=0.0),
        clock=clock,
    )


def test_an_async_function_is_called_once_for_all_and_then_remembered() -> None:
    """Single flight while it loads, the near cache afterwards."""
    shop, near = Shop(), near_with(VirtualClock())

    @memoize(near)
    async def price(key: str) -> bytes | None:
        await asyncio.sleep(0)
        return shop.ask(key)

    async def main() -> None:
        assert await asyncio.gather(*(price("a") for _ in range(50))) == [b"a #1"] * 50
        assert await price("a") == b"a #1"

    asyncio.run(main())
    assert shop.calls == ["a"]
    assert price.__name__ == "price"


def test_a_sync_function_is_called_once_for_all_threads_and_then_remembered() -> None:
    """The sync twin."""
    shop, near, landing = Shop(), near_with(VirtualClock()), threading.Event()

    @memoize(near)
    def price(key: str) -> bytes | None:
        landing.wait(5)
        return shop.ask(key)

    answers: list[bytes | None] = []
    threads = [threading.Thread(target=lambda: answers.append(price("a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    landing.set()
    for thread in threads:
        thread.join(5)
    assert answers == [b"a #1"] * 8
    assert price("a") == b"a #1"
    assert shop.calls == ["a"]


def test_the_key_is_made_of_the_arguments() -> None:
    """Two arguments, one key."""
    shop, near = Shop(), near_with(VirtualClock())

    @memoize(near, key=lambda store, sku: f"{store}/{sku}")
    def price(store: int, sku: int) -> bytes | None:
        return shop.ask(f"{store}/{sku}")

    assert price(7, 4711) == price(7, sku=4711) == b"7/4711 #1"
    assert near.get("7/4711") == b"7/4711 #1"


def test_that_there_is_nothing_is_remembered_too() -> None:
    """Else a key that does not exist would cost a call each time."""
    calls: list[str] = []
    near = near_with(VirtualClock())

    @memoize(near)
    async def price(key: str) -> bytes | None:
        calls.append(key)
        return None

    async def main() -> None:
        assert await price("a") is None
        assert await price("a") is None

    asyncio.run(main())
    assert calls == ["a"]


@pytest.mark.parametrize("is_async", [True, False])
def test_when_the_call_fails_the_old_value_is_the_answer_and_without_one_the_error(is_async: bool) -> None:
    """Stale on error until the stale time is over."""
    clock = VirtualClock()
    shop, near = Shop(), near_with(clock)
    price = _price_of(shop, near, is_async)
    assert price("a") == b"a #1"
    shop.broken = True
    clock.advance(Duration.from_s(20))
    assert price("a") == b"a #1"
    with pytest.raises(OSError, match="no route"):
        price("b")
    clock.advance(Duration.from_s(60))
    with pytest.raises(OSError, match="no route"):
        price("a")


@pytest.mark.parametrize("is_async", [True, False])
def test_a_value_in_its_grace_is_answered_at_once_while_one_call_renews_it(is_async: bool) -> None:
    """The reader who begins the refresh gets the old value as well."""
    clock = VirtualClock()
    shop, near = Shop(), near_with(clock)
    price = _price_of(shop, near, is_async)
    price("a")
    clock.advance(Duration.from_s(12))
    assert price("a") == b"a #1"
    deadline = time.monotonic() + 5
    while near.get("a") != b"a #2" and time.monotonic() < deadline:
        price("a")
    assert near.get("a") == b"a #2"
    assert shop.calls == ["a", "a"]


@pytest.mark.parametrize("is_async", [True, False])
def test_who_asks_after_an_invalidation_does_not_get_what_was_loaded_before_it(is_async: bool) -> None:
    """A load that was under way is made again."""
    near = near_with(VirtualClock())
    loads: list[str] = []

    def load(key: str) -> bytes:
        loads.append(key)
        if len(loads) == 1:
            near.invalidate(key)
        return str(len(loads)).encode()

    @memoize(near)
    async def price_async(key: str) -> bytes:
        return load(key)

    answer = asyncio.run(_ask(price_async)) if is_async else memoize(near)(load)("a")
    assert answer == b"2"
    assert near.get("a") == b"2"


@pytest.mark.parametrize("is_async", [True, False])
def test_while_the_cache_is_off_every_call_is_made(is_async: bool) -> None:
    """Once each, and nothing is kept."""
    shop, near = Shop(), near_with(VirtualClock())
    price = _price_of(shop, near, is_async)
    near.off()
    assert [price("a"), price("a")] == [b"a #1", b"a #2"]


async def _ask(price: Callable[[str], Awaitable[bytes]]) -> bytes:
    return await price("a")


def _price_of(shop: Shop, near: NearCache, is_async: bool) -> Callable[[str], bytes | None]:
    """One memoized function, asked from sync code either way; a background refresh gets its turn of the loop."""
    if not is_async:
        return memoize(near)(shop.ask)

    @memoize(near)
    async def price(key: str) -> bytes | None:
        return shop.ask(key)

    async def ask(key: str) -> bytes | None:
        answer = await price(key)
        await asyncio.sleep(0)
        return answer

    return lambda key: asyncio.run(ask(key))
