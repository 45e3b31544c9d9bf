"""Wiring: which build runs, what a plan's references become, what ends a run, and that ending is not interrupted."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tenfold import bootstrap
from tenfold.bootstrap import MutantRefused, ServiceLost, mutant_of, resolve, up
from tenfold.kernel import Interrupted, run_until_signal
from tenfold.plan import read_plan

PLAN_PATH = Path(__file__).parents[2] / "plans" / "freshmart.yaml"
PLAN = read_plan(PLAN_PATH)


@pytest.mark.parametrize("name", ["oversell", "lost-order", "wrong-price"])
def test_mutant_of_the_plan_is_taken(name: str) -> None:
    """By the variable that the plan names."""
    assert mutant_of(PLAN, {"FRESHMART_MUTANT": name}) == name


def test_right_build_runs_when_no_mutant_is_named() -> None:
    """Unset and empty are the same; a plan without mutants knows no variable."""
    assert mutant_of(PLAN, {}) is None
    assert mutant_of(PLAN, {"FRESHMART_MUTANT": ""}) is None
    assert mutant_of(replace(PLAN, mutants=None), {"FRESHMART_MUTANT": "oversell"}) is None


def test_unknown_mutant_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(MutantRefused, match="oversell, lost-order, wrong-price"):
        mutant_of(PLAN, {"FRESHMART_MUTANT": "oversel"})


def test_up_refuses_a_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setenv("FRESHMART_MUTANT", "oversell")
    with pytest.raises(MutantRefused, match="in a rehearsal only"):
        up(PLAN_PATH, port=0)


def test_references_are_put_in_wherever_they_stand() -> None:
    """More than one in a value; what is no reference stays."""
    assert resolve("a=${x.url}&b=${y}$1{}", {"x.url": "redis://h", "y": "2"}) == "a=redis://h&b=2$1{}"


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
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        begun = asyncio.Event()
        alive = asyncio.create_task(bootstrap._alive(lost, work(begun)))
        await begun.wait()
        bootstrap._report_loss(lost, tmp_path)("main.primary", -9)
        await alive

    with pytest.raises(ServiceLost, match=r"'main\.primary' ended with status -9.*main\.primary\.log"):
        asyncio.run(scenario())
    assert ended == ["work"]


def test_failure_of_what_runs_side_by_side_is_raised_as_itself() -> None:
    """A person reads what failed, and not that a group of one failed."""

    async def fail() -> None:
        raise ServiceLost("It is gone.")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.Event().wait())

    async def scenario() -> None:
        await bootstrap._alive(asyncio.get_running_loop().create_future(), work())

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
        run_until_signal(bootstrap._to_the_end(close()))
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


def test_services_start_after_those_they_depend_on_and_otherwise_together() -> None:
    """Two that do not need each other need not wait for each other."""
    service = PLAN.services["api"]
    services = {
        "page": replace(service, depends_on=("api", "database")),
        "api": replace(service, depends_on=("database",)),
        "worker": replace(service, depends_on=()),
    }
    assert [set(wave) for wave in bootstrap.start_waves(services)] == [{"api", "worker"}, {"page"}]
