"""One server or service of the estate: what a drill acts on and a view shows."""

import asyncio
import contextlib
import enum
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from tenfold.fleet import proc
from tenfold.fleet.child import Child, Children
from tenfold.fleet.ports import LOOPBACK, free_port
from tenfold.fleet.readiness import PortTaken, answered, until, until_serving
from tenfold.telemetry import EventLog

PORT_ATTEMPTS = 4


class NodeState(enum.StrEnum):
    """FAULTED: broken on purpose. FAILED: broken without being told to. STOPPED: not started, or ended with the run."""

    STARTING = "starting"
    READY = "ready"
    FAULTED = "faulted"
    STOPPED = "stopped"
    FAILED = "failed"


ExitListener = Callable[[str, int], None]
"""Called with a node's name and its exit status."""


class ActiveFaults:
    """What goes on at one node after a fault was injected there, by the fault's word: a rhythm of stops, a queue of
    connections that is kept full. It ends with the fault or with the node.
    """

    def __init__(self) -> None:
        self._ends: dict[str, Callable[[], Awaitable[None]]] = {}

    def __contains__(self, word: str) -> bool:
        return word in self._ends

    def begin(self, word: str, end: Callable[[], Awaitable[None]]) -> None:
        """`end` is called once, when the fault is reverted or the node is closed."""
        self._ends[word] = end

    async def end(self, word: str) -> None:
        """Nothing to do when it does not go on."""
        end = self._ends.pop(word, None)
        if end is not None:
            await end()

    async def end_all(self) -> None:
        for word in list(self._ends):
            await self.end(word)


class Node(ABC):
    """A child process that serves on a loopback port.

    Every verb answers when its effect can be seen from outside; `faults/` holds what is done to it beyond `kill` and
    `stop`. The port stays the same from one start to the next.
    """

    ready_limit_s = 20.0
    stop_grace_s = 4.0
    stop_signal = signal.SIGTERM
    close_signal = signal.SIGTERM
    """What ends it with the run, when its data need not survive."""

    def __init__(self, name: str, role: str, children: Children, events: EventLog) -> None:
        self.name = name
        self.role = role
        self.state = NodeState.STOPPED
        self.port = 0
        self.restarts = 0
        """How often it was started again because it had crashed."""
        self.on_exit: list[ExitListener] = []
        self._children = children
        self._events = events
        self._child: Child | None = None
        self.active_faults = ActiveFaults()

    @abstractmethod
    def _launch(self) -> Child:
        """Start the process on `self.port`."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Whether it serves, asked by its own protocol. Errors of the connection mean: not yet."""

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """0 while no process runs."""
        return self._child.pid if self._child and self._child.exit_status is None else 0

    @property
    def rss_bytes(self) -> int:
        return self.usage().rss_bytes

    def usage(self) -> proc.ProcessUsage:
        """Memory held and processor time used by the process and its descendants now."""
        return proc.usage(self.pid) if self.pid else proc.ProcessUsage()

    async def serves(self) -> bool:
        """True when it answers now, whatever its state says."""
        return await answered(self._answers)

    async def open(self) -> None:
        """Start on a free port, and on another when somebody else was faster. Raises ServerUnready."""
        for attempt in range(PORT_ATTEMPTS):
            self._choose_ports()
            try:
                return await self.start()
            except PortTaken:
                if attempt == PORT_ATTEMPTS - 1:
                    raise
        return None

    async def start(self) -> None:
        """Start and wait until it serves. Nothing to do when it runs. Raises ServerUnready, CommandUnusable."""
        if self.pid:
            return
        self.state = NodeState.STARTING
        try:
            self._child = self._launch()
            self._child.on_exit(self._left)
            await until_serving(
                self._child, self.serves, limit_s=self.ready_limit_s, who=self._title, address=self.address
            )
        except BaseException:
            if self.state is NodeState.STARTING:  # otherwise somebody has broken it or ended it on purpose meanwhile
                self.state = NodeState.FAILED
            if self._child is not None:
                await self._child.kill()
            raise
        self.state = NodeState.READY
        self._events.emit("node-ready", self.name, address=self.address, pid=self.pid)

    async def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        self.faulted("killed")
        if self._child is not None:
            await self._child.kill()

    async def stop(self) -> None:
        """An orderly shutdown that does not wait for clients."""
        self.faulted("stopped")
        if self._child is not None:
            await self._child.stop(self.stop_signal, grace_s=self.stop_grace_s)

    def send(self, number: signal.Signals) -> None:
        """Signal the process alone; nothing happens when none runs."""
        if self._child is not None:
            self._child.send(number)

    async def mend(self) -> None:
        """Let the process run on, and wait for its answer; nothing to do when no fault was done to it alive.

        A process that still does not answer when `ready_limit_s` is over stays FAULTED.
        """
        if self.state is NodeState.FAULTED and self.pid:
            self.send(signal.SIGCONT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.ready_limit_s):
                    await until(self.serves)
                self.mended()

    def faulted(self, how: str) -> None:
        """From now on it is broken on purpose."""
        self.state = NodeState.FAULTED
        self.tell(how, pid=self.pid)

    def mended(self) -> None:
        """It serves again."""
        self.state = NodeState.READY
        self.tell("mended", pid=self.pid)

    def tell(self, what: str, **facts: object) -> None:
        """One line in the run's events."""
        self._events.emit(f"node-{what}", self.name, **facts)

    async def close(self, *, grace_s: float) -> None:
        """End it with the run."""
        self.state = NodeState.STOPPED
        await self.active_faults.end_all()
        if self._child is not None and self._child.exit_status is None:
            self._child.send(signal.SIGCONT)
            await self._child.stop(self.close_signal, grace_s=grace_s)

    @property
    def _title(self) -> str:
        return f"{self.role[:1].upper()}{self.role[1:]} '{self.name}'"

    def _choose_ports(self) -> None:
        self.port = free_port()

    def _left(self, status: int) -> None:
        """A child is gone; it is news only when nobody told it to go and it had been ready."""
        if self.state is not NodeState.READY:
            return
        self.state = NodeState.FAILED
        self._events.emit("child-exited", self.name, status=status, address=self.address)
        for listener in self.on_exit:
            listener(self.name, status)
