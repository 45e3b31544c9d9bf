"""What the work of a run hangs on: every process that it needs. When one is lost, so is the work."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tenfold.bootstrap.ending import abandoned
from tenfold.kernel import TenfoldError

Answer = TypeVar("Answer")


class ServiceLost(TenfoldError):
    """A process that the run needs ended without being told to."""


class Lifeline:
    """Of one run; made where its event loop runs."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost.add_done_callback(lambda loss: loss.exception())  # asyncio complains of one that nobody asked for

    def cut(self, name: str, status: int) -> None:
        """That process has ended, and nothing can take its place."""
        self.lose(
            ServiceLost(
                f"Process '{name}' ended with status {status} while the run needed it; the run proves nothing.",
                remedy=f"Its log is {self._logs / name}.log.",
            )
        )

    def lose(self, loss: ServiceLost) -> None:
        """The work ends with it; the first loss is the one that is told."""
        if not self._lost.done():
            self._lost.set_exception(loss)

    async def hold(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do `work` as long as everything runs that should. Raises ServiceLost when something does not."""
        task: asyncio.Task[Answer] = asyncio.create_task(work)
        try:
            both: list[asyncio.Future[Any]] = [task, self._lost]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                self._lost.result()
            return await task
        except ExceptionGroup as failures:
            raise _first_of(failures) from failures
        finally:
            await abandoned(task)


def _first_of(failures: ExceptionGroup[Exception]) -> Exception:
    """What ran together ends together, in groups within groups; the first failure says why."""
    first: Exception = failures
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first
