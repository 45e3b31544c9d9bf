"""Tasks: whether one still runs in this loop, how it is ended, and whose cancellation was caught."""

import asyncio
from typing import Any


def runs_here(task: "asyncio.Future[Any] | None") -> bool:
    """Whether it runs, and in this loop: after a fork or in a new loop it is another's."""
    return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()


async def end_tasks(*tasks: "asyncio.Future[Any] | None") -> None:
    """Cancel what runs and wait until it has ended, however it ends. None stands for a task that never began."""
    begun = [task for task in tasks if task is not None]
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


def are_we_cancelled() -> bool:
    """Whether it is this task that was cancelled, and not something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
