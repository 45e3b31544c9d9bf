"""The batcher: one by one in, many at once out."""

import asyncio

import pytest

from tenfold.protect.reads.batcher import Batcher, BatcherClosed, BatcherFull


class Carrier:
    """Doubles numbers; holds each batch until `ending` is set."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.ending = asyncio.Event()
        self.ending.set()
        self.error: Exception | None = None

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.ending.wait()
        if self.error:
            raise self.error
        return [item * 2 for item in items]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_is_asked_in_one_turn_leaves_in_one_batch() -> None:
    """And each gets its own answer."""

    async def main() -> None:
        carrier = Carrier()
        batcher: Batcher[int, int] = Batcher(carrier)
        assert await asyncio.gather(*(batcher.ask(n) for n in range(100))) == [n * 2 for n in range(100)]
        assert carrier.batches == [list(range(100))]

    asyncio.run(main())


def test_while_batches_are_out_more_gather_and_all_are_answered() -> None:
    """Two out, the third leaves when one returns, however large it has grown."""

    async def main() -> None:
        carrier = Carrier()
        carrier.ending.clear()
        batcher: Batcher[int, int] = Batcher(carrier, batches_max=2)
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(batcher.ask(number)))
            await turns()
        assert carrier.batches == [[0], [1]]
        carrier.ending.set()
        assert await asyncio.gather(*tasks) == [n * 2 for n in range(10)]
        assert carrier.batches[2] == [2, 3, 4, 5, 6, 7, 8, 9]

    asyncio.run(main())


def test_batches_are_no_larger_than_they_may_be() -> None:
    """The rest follows at once."""

    async def main() -> None:
        carrier = Carrier()
        batcher: Batcher[int, int] = Batcher(carrier, batch_max=30, batches_max=1)
        await asyncio.gather(*(batcher.ask(n) for n in range(100)))
        assert [len(batch) for batch in carrier.batches] == [30, 30, 30, 10]

    asyncio.run(main())


def test_a_batch_that_fails_fails_its_own_items_only() -> None:
    """The next batch is another."""

    async def main() -> None:
        carrier = Carrier()
        carrier.error = ValueError("no")
        batcher: Batcher[int, int] = Batcher(carrier)
        outcomes = await asyncio.gather(batcher.ask(1), batcher.ask(2), return_exceptions=True)
        assert list(outcomes) == [carrier.error] * 2
        carrier.error = None
        assert await batcher.ask(3) == 6

    asyncio.run(main())


def test_whoever_has_left_is_not_carried_and_takes_nobody_along() -> None:
    """A cancelled asker's item does not leave when it still waits."""

    async def main() -> None:
        carrier = Carrier()
        batcher: Batcher[int, int] = Batcher(carrier)
        gone = asyncio.create_task(batcher.ask(1))
        stays = asyncio.create_task(batcher.ask(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 4
        assert carrier.batches == [[2]]

    asyncio.run(main())


def test_a_carrier_that_loses_count_fails_instead_of_leaving_somebody_waiting() -> None:
    """One answer for two items is an error for both."""

    async def short(items: list[int]) -> list[int]:
        return items[1:]

    async def main() -> None:
        batcher: Batcher[int, int] = Batcher(short)
        outcomes = await asyncio.gather(batcher.ask(1), batcher.ask(2), return_exceptions=True)
        assert all(isinstance(outcome, ValueError) for outcome in outcomes)

    asyncio.run(main())


def test_closing_ends_the_wait_for_a_batch_that_has_just_been_sent() -> None:
    """Its task is cancelled before its first step, and can tell nobody anything."""

    async def main() -> None:
        batcher: Batcher[int, int] = Batcher(Carrier())
        asked = asyncio.create_task(batcher.ask(1))
        while not batcher._out:  # noqa: ASYNC110  # turns pass, no time
            await asyncio.sleep(0)
        await batcher.close()
        await turns()
        assert asked.done()
        assert isinstance(asked.exception(), BatcherClosed)

    asyncio.run(main())


def test_no_more_wait_than_may_and_closing_leaves_no_task() -> None:
    """The one too many is told at once; closing ends the others' wait."""

    async def main() -> None:
        carrier = Carrier()
        carrier.ending.clear()
        batcher: Batcher[int, int] = Batcher(carrier, batches_max=1, waiting_max=2)
        tasks = [asyncio.create_task(batcher.ask(0))]
        await turns()
        tasks += [asyncio.create_task(batcher.ask(n)) for n in (1, 2)]
        await turns()
        with pytest.raises(BatcherFull):
            await batcher.ask(3)
        await batcher.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [BatcherClosed] * 3
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
