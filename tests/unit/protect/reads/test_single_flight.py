"""Single flight: one load, whoever comes and goes."""

import asyncio
import gc
from contextlib import suppress

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.flight import FlightsFull, LoadCancelled, SingleFlight, WaitTimeout
from tenfold.protect.testing import run_in_virtual_time


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


def test_a_caller_who_has_waited_long_enough_leaves_and_the_load_goes_on() -> None:
    """The others get the value; the caller is told in words of its own."""

    async def main(_: VirtualClock) -> None:
        flight, loader = SingleFlight[int](), Loader()
        tasks = await callers(flight, loader, 3)
        with pytest.raises(WaitTimeout, match="'k' was not loaded within 1 s"):
            await flight.do("k", loader, timeout=Duration.from_s(1))
        loader.ending.set()
        assert await asyncio.gather(*tasks) == [1] * 3

    run_in_virtual_time(main)


def test_the_loaders_own_timeout_is_not_the_callers() -> None:
    """A TimeoutError that the loader raises arrives as what it is."""

    async def main() -> None:
        flight, loader = SingleFlight[int](), Loader()
        loader.error = TimeoutError("the database's")
        loader.ending.set()
        with pytest.raises(TimeoutError, match="the database's"):
            await flight.do("k", loader, timeout=Duration.from_s(1))

    asyncio.run(main())


def test_a_load_that_hangs_is_given_up_even_when_it_does_not_heed_its_cancellation() -> None:
    """Everyone is woken; whoever comes while it still hangs is told at once, so there is never a second load."""

    async def main(_: VirtualClock) -> None:
        flight = SingleFlight[int](load_max=Duration.from_s(30))
        loads, deaf = 0, asyncio.Event()

        async def load() -> int:
            nonlocal loads
            loads += 1
            while not deaf.is_set():
                with suppress(asyncio.CancelledError):
                    await deaf.wait()
            return 1

        outcomes = await asyncio.gather(*(flight.do("k", load) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(outcome, LoadCancelled) for outcome in outcomes)
        with pytest.raises(LoadCancelled, match="given up after 30 s"):
            await flight.do("k", load)
        assert loads == 1
        deaf.set()
        while len(flight):  # noqa: ASYNC110  # until the loop has come to it
            await asyncio.sleep(0)
        assert await flight.do("k", load) == 1

    run_in_virtual_time(main)


def test_a_load_that_is_given_up_and_heeds_it_frees_its_key() -> None:
    """The next caller begins another."""

    async def main(_: VirtualClock) -> None:
        flight, loader = SingleFlight[int](load_max=Duration.from_s(30)), Loader()
        with pytest.raises(LoadCancelled):
            await flight.do("k", loader)
        await asyncio.sleep(0.001)
        loader.ending.set()
        assert await flight.do("k", loader) == 2

    run_in_virtual_time(main)


def test_callers_who_leave_a_load_that_hangs_leave_nothing_behind() -> None:
    """Ten thousand came and went; the flight does not remember them."""

    async def main(_: VirtualClock) -> None:
        flight, loader = SingleFlight[int](), Loader()
        staying = (await callers(flight, loader, 1))[0]
        outcomes = await asyncio.gather(
            *(flight.do("k", loader, timeout=Duration.from_ms(1)) for _ in range(10_000)), return_exceptions=True
        )
        assert all(isinstance(outcome, WaitTimeout) for outcome in outcomes)
        assert len(flight._here.flights["k"]._waiters) == 1
        loader.ending.set()
        assert await staying == 1

    run_in_virtual_time(main)


def test_a_later_loop_has_nothing_to_do_with_a_load_that_an_earlier_one_left() -> None:
    """As after a fork: the loop that would have landed it is gone."""
    flight, loader = SingleFlight[int](), Loader()
    abandoned = asyncio.new_event_loop()
    task = abandoned.create_task(flight.do("k", loader))
    abandoned.run_until_complete(asyncio.sleep(0))
    assert len(flight) == 1

    async def main() -> int:
        async def load() -> int:
            return 7

        return await flight.do("k", load)

    assert asyncio.run(main()) == 7
    task.cancel()
    abandoned.run_until_complete(asyncio.sleep(0))
    loader.ending.set()
    abandoned.run_until_complete(asyncio.sleep(0))
    abandoned.run_until_complete(asyncio.sleep(0))
    abandoned.close()


def test_an_error_that_nobody_is_left_to_hear_is_not_complained_about() -> None:
    """A caller who is cancelled in the very moment in which the load fails takes nothing with it."""
    complaints: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        flight, loader = SingleFlight[int](), Loader()
        timeout = Duration.from_s(60)
        tasks = [asyncio.create_task(flight.do("k", loader, timeout=timeout)) for _ in range(3)]
        await asyncio.sleep(0)
        loader.error = ValueError("no")
        loader.ending.set()
        while len(flight):  # noqa: ASYNC110  # until the loop has come to it
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        del tasks, task
        gc.collect()

    asyncio.run(main())
    gc.collect()
    assert complaints == []
