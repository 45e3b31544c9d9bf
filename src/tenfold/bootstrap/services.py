"""The plan's services: in which order they start, each with which program, and what it is told."""

import asyncio
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from graphlib import TopologicalSorter

from tenfold.bootstrap.request import RunRequest
from tenfold.fleet import Estate
from tenfold.plan import Plan, ServicePlan

REHEARSAL = "TENFOLD_REHEARSAL"
"""Set for every service of a rehearsal, and only there: what may run in none but a rehearsal asks for it."""
SYNC_LIMIT_S = 20.0
_REFERENCE = re.compile(r"\$\{([^{}]+)\}")


Control = Callable[[str], Mapping[str, str]]
"""What the service called so is told of the control node."""


async def run_setup(request: RunRequest, estate: Estate) -> None:
    """The plan's setup commands, one after the other; they follow nothing. Raises SetupFailed, CommandUnusable."""
    for command in request.plan.setup:
        await estate.run_setup(command, _environment(request.plan, estate.references))


async def write_out() -> None:
    """What the setup left to write is on the disk.

    Otherwise the kernel writes it half a minute later, and a database waits behind it for its own few bytes.
    """
    with suppress(TimeoutError):  # a disk that others keep busy is no reason not to begin
        await asyncio.wait_for(asyncio.to_thread(os.sync), SYNC_LIMIT_S)


async def start_services(request: RunRequest, estate: Estate, control: Control) -> None:
    """Each is told what it needs of where those are that started before it, and how it finds the control node.

    Raises ServerUnready.
    """
    for wave in start_waves(request.plan.services):
        async with asyncio.TaskGroup() as group:
            for name in wave:
                command, stated = command_of(request, name)
                service = request.plan.services[name]
                environment = _environment(request.plan, estate.references, service.needs)
                told = {**environment, **control(name), **stated}
                group.create_task(estate.start_service(name, command, told, service.ready))


def start_waves(services: Mapping[str, ServicePlan]) -> Iterator[tuple[str, ...]]:
    """The services that can start together, after those that they depend on; the plan has no circles."""
    sorter = TopologicalSorter(
        {name: [other for other in service.depends_on if other in services] for name, service in services.items()}
    )
    sorter.prepare()
    while sorter.is_active():
        wave = sorter.get_ready()
        yield wave
        sorter.done(*wave)


def command_of(request: RunRequest, service: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """What to run for a service and what to tell it: the mutant that was asked for stands in the place of its own."""
    mutants = request.plan.mutants
    stated = {REHEARSAL: "1"} if request.rehearsing else {}
    if request.mutant is None or mutants is None or service not in mutants.commands:
        return request.plan.services[service].command, stated
    return mutants.commands[service], {**stated, mutants.variable: request.mutant}


def _environment(plan: Plan, references: Mapping[str, str], needs: Collection[str] | None = None) -> dict[str, str]:
    """What the plan tells the commands that it names; None needs all of it."""
    needs = plan.environment if needs is None else needs
    return {key: resolve(value, references) for key, value in plan.environment.items() if key in needs}


def resolve(text: str, references: Mapping[str, str]) -> str:
    """`text` with every `${…}` put in; a service that has not been started is nowhere: empty.

    The plan's check has seen to it that each means something.
    """
    return _REFERENCE.sub(lambda reference: references.get(reference[1], ""), text)
