"""Asks the control node from threads, each call to a bound, so that a slow or dead node holds up nobody here."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.respond.control import ControlClient, ControlUnreachableError
from tenfold.respond.switchboard import SwitchOperator

Answer = TypeVar("Answer")
Work = Callable[[SwitchOperator], Answer]

REQUEST_TIMEOUT_S = 2.0
DEADLINE_S = 5.0
THREADS = 4
WAITING_MAX = 64


class NodeNotAttached(TenfoldError):
    """The console has not been told yet where the control node is."""


class GatewayBusy(TenfoldError):
    """Too many pages ask at once."""


class NodeHandle(NamedTuple):
    """Where the control node is, and what opens it; the token never leaves this process but to the node."""

    url: str
    token: str


def connect(node: NodeHandle, request_timeout_s: float) -> ControlClient:
    """A client for one call: a connection to this machine costs less than to keep one sound."""
    return ControlClient(node.url, node.token, timeout_s=request_timeout_s)


Connect = Callable[[NodeHandle, float], ControlClient]


class NodeGateway:
    """One console's way to the control node. One event loop; THREADS threads, begun by the first call."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        connect: Connect = connect,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.clock = clock or SystemClock()
        self.unreachable_since_ns: int | None = None
        """Wall time; None while the node answers."""
        self.on_commit: Callable[[], object] = lambda: None
        """Called after each `commit`: what was seen before is old."""
        self._request_timeout_s = request_timeout_s
        self._deadline_s = deadline_s
        self._connect = connect
        self._node: NodeHandle | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="switchboard")
        self._places = asyncio.Semaphore(THREADS)
        self._waiting = 0

    @property
    def url(self) -> str:
        """Nothing until it is known."""
        return self._node.url if self._node is not None else ""

    def attach(self, url: str, token: str) -> None:
        """From now on the control node is there."""
        self._node, self.unreachable_since_ns = NodeHandle(url, token), None

    def close(self) -> None:
        """Take no more work; what a thread is doing ends by its own timeouts."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, work: Work[Answer], *, by: str = "console") -> Answer:
        """What `work` answers, in at most the deadline. Raises what it raises, and NodeNotAttached,
        GatewayBusy, ControlUnreachableError.
        """
        if self._node is None:
            raise NodeNotAttached(
                "The control node is not known to this console yet; switches stay as they are.",
                remedy="It is started with the system; this page looks again by itself.",
            )
        try:
            answer = await asyncio.wait_for(self._in_a_thread(self._node, work, by), self._deadline_s)
        except TimeoutError as error:
            self._lost()
            raise ControlUnreachableError(
                f"The control node at {self.url} did not answer within {self._deadline_s:g} s.",
                remedy="If something was being changed, look whether it was before changing it again.",
            ) from error
        except ControlUnreachableError:
            self._lost()
            raise
        self.unreachable_since_ns = None
        return answer

    async def commit(self, work: Work[Answer], *, by: str) -> Answer:
        """`work` that changes something, in the name of the person who is signed in. Raises what `ask` raises."""
        try:
            return await self.ask(work, by=by)
        finally:
            self.on_commit()

    async def _in_a_thread(self, node: NodeHandle, work: Work[Answer], by: str) -> Answer:
        if self._waiting >= WAITING_MAX:
            raise GatewayBusy("Too many pages ask the control node at once; nothing was done.", remedy="Try again.")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        working = asyncio.get_running_loop().run_in_executor(self._threads, self._work, node, work, by)
        working.add_done_callback(self._done)
        return await asyncio.shield(working)  # a caller that gives up leaves the thread its place until it is done

    def _work(self, node: NodeHandle, work: Work[Answer], by: str) -> Answer:
        client = self._connect(node, self._request_timeout_s)
        try:
            return work(SwitchOperator(client, by=by, clock=self.clock))
        finally:
            client.close()

    def _done(self, working: "asyncio.Future[Any]") -> None:
        """Asks for the failure too: nobody else may be left to."""
        self._places.release()
        if not working.cancelled():
            working.exception()

    def _lost(self) -> None:
        if self.unreachable_since_ns is None:
            self.unreachable_since_ns = self.clock.wall_ns()
