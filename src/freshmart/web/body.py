"""The body of a request: read to a bound, and ended when it stalls."""

import asyncio
from typing import Any

from freshmart.web.reply import Reply, problem
from tenfold.kernel import TenfoldError

BODY_PATIENCE_S = 5.0
"""For a whole body, however its bytes trickle in."""
_LOOKS = 5


class BodyStalled(TenfoldError):
    """A body did not arrive in time; nothing was done."""

    @property
    def reply(self) -> Reply:
        return problem(408, "stalled", str(self))


class _Bodies:
    """Those that are being read. One entry each and one timer for all: a timer each would cost an order 5 µs."""

    def __init__(self) -> None:
        self._since: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._looking_in: asyncio.AbstractEventLoop | None = None

    def add(self, task: "asyncio.Task[Any]") -> None:
        loop = task.get_loop()
        self._since[task] = loop.time()
        if self._looking_in is not loop:
            self._look_soon(loop)

    def discard(self, task: "asyncio.Task[Any]") -> None:
        if self._since.pop(task, None) is None:
            self._late.discard(task)

    def was_late(self, task: "asyncio.Task[Any]") -> bool:
        """Whether it was cancelled from here; it is not any longer then."""
        if task not in self._late:
            return False
        task.uncancel()
        return True

    def _look_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking_in = loop
        loop.call_later(BODY_PATIENCE_S / _LOOKS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """The oldest stand first."""
        self._looking_in = None
        began_before = loop.time() - BODY_PATIENCE_S
        for task in [task for task, since in self._since.items() if since <= began_before]:
            del self._since[task]
            self._late.add(task)
            task.cancel()
        if self._since:
            self._look_soon(loop)


_BODIES = _Bodies()


async def read_body(receive: Any, bytes_max: int) -> bytes | None:
    """A request's whole body; None when it is larger. A client that has gone has sent what it has sent.

    Raises BodyStalled.
    """
    task = asyncio.current_task()
    assert task is not None
    _BODIES.add(task)
    try:
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > bytes_max:
                return None
        return b"".join(parts)
    except asyncio.CancelledError:
        if not _BODIES.was_late(task):
            raise
        raise BodyStalled(f"The body did not arrive within {BODY_PATIENCE_S:g} s; nothing was done.") from None
    finally:
        _BODIES.discard(task)
