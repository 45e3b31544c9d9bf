"""What ends a run, and that ending is not interrupted."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tenfold.bootstrap import ServiceLost
from tenfold.bootstrap.ending import to_the_end
from tenfold.bootstrap.lifeline import Lifeline
from tenfold.kernel import Interrupted, run_until_signal


def test_loss_ends_the_work_that_needs_it(tmp_path: Path) -> None:
    """The work is cancelled and the loss is what is raised, with the log's path."""
    ended: list[str] = []

    async def work(begun: asyncio.Event) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async def scenario() -> None:
        lifeline = Lifeline(tmp_path)
        begun = asyncio.Event()
        alive = asyncio.create_task(lifeline.hold(work(begun)))
        await begun.wait()
        lifeline.cut("main.primary", -9)
        await alive

    with pytest.raises(ServiceLost, match=r"'main\.primary' ended with status -9.*main\.primary\.log"):
        asyncio.run(scenario())
    assert ended == ["work"]


def test_failure_of_what_runs_side_by_side_is_raised_as_itself(tmp_path: Path) -> None:
    """A person reads what failed, and not that a group of one failed, within a group of one."""

    async def fail() -> None:
        raise ServiceLost("It is gone.")

    async def fail_within() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_within())
            group.create_task(asyncio.Event().wait())

    async def scenario() -> None:
        await Lifeline(tmp_path).hold(work())

    with pytest.raises(ServiceLost, match="It is gone"):
        asyncio.run(scenario())


def test_closing_goes_on_to_its_end_when_a_signal_comes() -> None:
    """Then the interruption is told."""
    closed: list[bool] = []

    async def close() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100):
            await asyncio.sleep(0)
        closed.append(True)

    with pytest.raises(Interrupted):
        run_until_signal(to_the_end(close()))
    assert closed == [True]


def test_work_that_loses_a_cancellation_is_cancelled_again() -> None:
    """As Python 3.11's `wait_for` does when it is cancelled in the moment in which it is done."""
    lost: list[bool] = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost.append(True)
        await asyncio.Event().wait()

    with pytest.raises(Interrupted):
        run_until_signal(work(), clean_up_limit_s=0.0)
    assert lost == [True]
