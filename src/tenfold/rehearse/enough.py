"""When a drill's load has shown enough, and its end: most systems are back long before the end of the tail."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tenfold.kernel import Duration
from tenfold.plan.model import Drill, Journey
from tenfold.rehearse.drill import Timeline, recovered_after

LOOK_EVERY = Duration.from_ms(250)


async def end_once_over(
    sending: asyncio.Task[Any], is_over: Callable[[], bool], end: Callable[[], Awaitable[None]]
) -> None:
    """Ask again and again whether the drill `is_over`, and `end` its load then, unless that has ended by itself."""
    while not sending.done():
        if is_over():
            await end()
            return
        await asyncio.wait([sending], timeout=LOOK_EVERY.s)


def is_over(timeline: Timeline, drill: Drill, journeys: dict[str, Journey]) -> bool:
    """Whether the timeline until now proves all that a longer one could: the fault is gone, and the system is
    back, by the very rule by which the drill is judged at its end."""
    if not timeline.reverted_ns or not timeline.ticks:
        return False
    so_far = replace(timeline, ended_ns=timeline.ticks[-1].at_ns)
    return recovered_after(so_far, drill, journeys) is not None
