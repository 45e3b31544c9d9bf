"""Single flight: one load, whoever comes and goes."""

import asyncio

import pytest

from tenfold.protect import FlightsFull, LoadCancelled, SingleFlight


class Loader:
    """Counts its loads; each ends when the test says so."""

    def __init__(self) -> None:
        self.loads = 0
        self.ending = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.loads += 1
        await self.ending.wait()
        if self.error:
            raise self.error
        return self.loads


async def callers(flight: SingleFlight[int], loader: Loader, count: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(flight.do("k", loader)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


def test_callers_who_come_while_a_load_runs_share_it() -> None:
    """And the next one after it begins another."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 100)
        loader.ending.set()
        assert await asyncio.gather(*tasks) == [1] * 100
        assert len(flight) == 0
        assert await flight.do("k", loader) == 2

    asyncio.run(main())


def test_a_cancelled_caller_harms_nobody_not_even_the_first() -> None:
    """The load is a task of its own."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 10)
        for task in tasks[:5]:
            task.cancel()
        await asyncio.gather(*tasks[:5], return_exceptions=True)
        loader.ending.set()
        assert await asyncio.gather(*tasks[5:]) == [1] * 5
        assert all(task.cancelled() for task in tasks[:5])

    asyncio.run(main())


def test_a_load_whose_callers_have_all_gone_still_ends() -> None:
    """Its key is free afterwards."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loader.error = ValueError("nobody listens")
        loader.ending.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(flight) == 0

    asyncio.run(main())


def test_a_raising_loader_wakes_everyone() -> None:
    """Each caller gets the loader's own error."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 10)
        loader.error = ValueError("no")
        loader.ending.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(outcome is loader.error for outcome in outcomes)
        assert len(flight) == 0

    asyncio.run(main())


def test_a_load_that_is_cancelled_is_no_cancellation_of_its_callers() -> None:
    """Closing gives them an error they can tell from their own cancellation."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 3)
        await flight.close()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, LoadCancelled) for outcome in outcomes)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_no_more_keys_are_loaded_at_a_time_than_may_be() -> None:
    """Joining a load that runs is always allowed."""

    async def main() -> None:
        flight, loader = SingleFlight[int](flights_max=1), Loader()
        tasks = await callers(flight, loader, 2)
        with pytest.raises(FlightsFull):
            await flight.do("other", loader)
        loader.ending.set()
        assert await asyncio.gather(*tasks) == [1, 1]

    asyncio.run(main())
