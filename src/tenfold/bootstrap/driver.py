"""The load driver of a run: a child like the others, spoken to by its pipes."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from tenfold.fleet import Estate
from tenfold.rehearse import Load, LoadTarget

DRIVER = "driver"


@asynccontextmanager
async def loaded(estate: Estate, target: LoadTarget) -> AsyncIterator[Load]:
    """The load driver, ready to send; it is gone on the way out."""
    load = Load(partial(_spawn, estate))
    try:
        await load.open(target)
        yield load
    finally:
        await load.close()


async def _spawn(estate: Estate, argv: Sequence[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """It carries the run's mark, so whoever ends the run ends it; its session is its own, out of Ctrl-C's reach."""
    with (estate.run.logs / f"{DRIVER}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *argv,
            env={**estate.environment(DRIVER), **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
