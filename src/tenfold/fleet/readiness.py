"""Whether a server serves: asked again and again by its own protocol; and what is said when it never does."""

import asyncio
from collections.abc import Awaitable, Callable

from tenfold.fleet.child import Child
from tenfold.kernel import TenfoldError

POLL_S = 0.02
ANSWER_LIMIT_S = 2.0

Question = Callable[[], Awaitable[bool]]


class ServerUnready(TenfoldError):
    """A server or service ended at its start, or did not answer in time."""


class PortTaken(ServerUnready):
    """Another process listens on the port that a server was given."""


async def until(holds: Question) -> None:
    """Ask again and again until it holds; the caller sets the deadline."""
    while not await holds():  # noqa: ASYNC110  # another process is asked, it cannot set an event of ours
        await asyncio.sleep(POLL_S)


async def answered(question: Question) -> bool:
    """Silence, and errors of the connection, mean: not yet."""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await question()
    except (OSError, EOFError, TimeoutError):
        return False


async def until_serving(child: Child, serves: Question, *, limit_s: float, who: str, address: str) -> None:
    """`who` is how a person knows the server. Raises ServerUnready; PortTaken when that was why."""
    clock = asyncio.get_running_loop().time
    deadline_s = clock() + limit_s
    while not await serves():
        if child.exit_status is not None:
            break
        if clock() > deadline_s:
            raise _unready(child, f"{who} did not answer within {limit_s:g} s on {address}")
        await asyncio.sleep(POLL_S)
    if child.exit_status is not None:
        raise _unready(child, f"{who} ended with status {child.exit_status} at its start on {address}")


def _unready(child: Child, what: str) -> ServerUnready:
    lines = child.last_lines()
    taken = any("address already in use" in line.lower() for line in child.last_lines(50))
    said = "\n  ".join(["", *lines])
    return (PortTaken if taken else ServerUnready)(
        f"{what}; the run cannot go on.", remedy=f"Its log is {child.log}; it ends:{said}"
    )
