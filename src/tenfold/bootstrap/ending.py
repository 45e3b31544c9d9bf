"""How what runs beside the work is ended, whatever signal comes meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any

ABANDON_AFTER_S = 1.0


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """It is told once, and has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def abandoned(task: "asyncio.Task[Any]") -> None:
    """Cancel until it has ended: what it still does for the servers (undo a fault) is not worth waiting for, since
    they end too, and Python 3.11's `wait_for` may lose a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=ABANDON_AFTER_S)
    await asyncio.gather(task, return_exceptions=True)


async def to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """A signal that comes while everything is being ended must not leave it half ended."""
    task = asyncio.create_task(closing)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.wait([task])
