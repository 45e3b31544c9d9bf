"""One server or service of the estate: what a drill acts on and a view shows."""

import asyncio
import enum
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from tenfold.fleet import proc
from tenfold.fleet.child import Child, Children
from tenfold.fleet.crowd import Crowd
from tenfold.fleet.ports import LOOPBACK, free_port
from tenfold.fleet.pulse import Pulse
from tenfold.kernel import TenfoldError
from tenfold.telemetry import EventLog

PORT_ATTEMPTS = 4
_POLL_S = 0.02
_ANSWER_LIMIT_S = 2.0
BURST_S = 0.015
"""What slows runs for so long at a time: shorter than what is asked of a service usually takes."""
FLAP_S = 0.7


class ServerUnready(TenfoldError):
    """A server or service ended at its start, or did not answer in time."""


class PortTaken(ServerUnready):
    """Somebody else listens on the port that a server was given."""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds; the caller sets the deadline."""
    while not await holds():  # noqa: ASYNC110  # another process is asked, it cannot set an event of ours
        await asyncio.sleep(_POLL_S)


class FaultUnsupported(TenfoldError):
    """A node was asked for a fault that its engine does not know."""


class State(enum.StrEnum):
    """FAULTED: broken on purpose. FAILED: broken without being told to. STOPPED: not started, or ended with the run."""

    STARTING = "starting"
    READY = "ready"
    FAULTED = "faulted"
    STOPPED = "stopped"
    FAILED = "failed"


ExitListener = Callable[[str, int], None]
"""Called with a node's name and its exit status."""


class Node(ABC):
    """A child process that serves on a loopback port.

    Every verb answers when its effect can be seen from outside. `kill` and `stop` break the node on purpose, and
    `start` undoes them; `cut`, `refuse`, `hang`, `blackhole`, `scramble`, `slow`, `flap` do, and `mend` undoes those.
    The port stays the same from one start to the next.
    """

    ready_limit_s = 20.0
    stop_grace_s = 4.0
    stop_signal = signal.SIGTERM
    close_signal = signal.SIGTERM
    """What ends it with the run, when its data need not survive."""

    def __init__(self, name: str, role: str, children: Children, events: EventLog) -> None:
        self.name = name
        self.role = role
        self.state = State.STOPPED
        self.port = 0
        self.on_exit: list[ExitListener] = []
        self._children = children
        self._events = events
        self._child: Child | None = None
        self._crowd: Crowd | None = None
        self._pulse: Pulse | None = None

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

    @property
    def cpu_s(self) -> float:
        return self.usage().cpu_s

    def usage(self) -> proc.Usage:
        """Memory held and processor time used by the process and its descendants now."""
        return proc.usage(self.pid) if self.pid else proc.Usage()

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
        self.state = State.STARTING
        try:
            self._child = self._launch()
            self._child.on_exit(self._left)
            await self._until_ready(self._child)
        except BaseException:
            self.state = State.FAILED
            if self._child is not None:
                await self._child.kill()
            raise
        self.state = State.READY
        self._events.emit("node-ready", self.name, address=self.address, pid=self.pid)

    async def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        self._break("killed")
        if self._child is not None:
            await self._child.kill()

    async def stop(self) -> None:
        """An orderly shutdown that does not wait for clients."""
        self._break("stopped")
        if self._child is not None:
            await self._child.stop(self.stop_signal, grace_s=self.stop_grace_s)

    async def cut(self) -> None:
        """End the clients' connections and let no new one in. Raises FaultUnsupported."""
        raise FaultUnsupported(f"Node '{self.name}' ({self.role}) cannot be cut.", remedy="Use kill or stop.")

    async def refuse(self) -> None:
        """Refuse connections, the data staying as they are. Raises FaultUnsupported."""
        raise FaultUnsupported(f"Node '{self.name}' ({self.role}) cannot refuse.", remedy="Use kill or stop.")

    async def hang(self) -> None:
        """SIGSTOP: the kernel goes on taking connections for it, and nobody is there to answer."""
        self._break("hung")
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    async def blackhole(self) -> None:
        """Hang, and with a full queue of connections: the kernel drops whoever else knocks, as a lost network does."""
        await self.hang()
        self._crowd = await Crowd.fill(LOOPBACK, self.port)

    async def slow(self, ratio: float) -> None:
        """Let it take that many times as long for whatever it does: it runs in short bursts only."""
        self._break("slowed")
        await self._beat(BURST_S * (ratio - 1), BURST_S)

    async def flap(self) -> None:
        """Now it serves, now it takes connections and says nothing, each for FLAP_S."""
        self._break("flapping")
        await self._beat(FLAP_S, FLAP_S)

    async def scramble(self, ratio: float) -> None:
        """Make that share of the values it holds wrong. Raises FaultUnsupported."""
        raise FaultUnsupported(f"Node '{self.name}' ({self.role}) cannot be scrambled.", remedy="Use kill or stop.")

    async def mend(self) -> None:
        """Undo what was done to it alive; nothing to do when nothing was. Raises TimeoutError."""
        if self._crowd is not None:
            self._crowd.disperse()
            self._crowd = None
        await self._rest()
        if self.state is State.FAULTED and self._child is not None and self.pid:
            self._child.send(signal.SIGCONT)
            async with asyncio.timeout(self.ready_limit_s):
                await until(self._asked)
            self._mended()

    def _mended(self) -> None:
        self.state = State.READY
        self._events.emit("node-mended", self.name, pid=self.pid)

    async def close(self, *, grace_s: float) -> None:
        """End it with the run."""
        self.state = State.STOPPED
        if self._crowd is not None:
            self._crowd.disperse()
        await self._rest()
        if self._child is not None and self._child.exit_status is None:
            self._child.send(signal.SIGCONT)
            await self._child.stop(self.close_signal, grace_s=grace_s)

    async def _beat(self, stopped_s: float, running_s: float) -> None:
        await self._rest()
        if self._child is not None:
            self._pulse = Pulse(self._child, stopped_s=stopped_s, running_s=running_s)

    async def _rest(self) -> None:
        pulse, self._pulse = self._pulse, None
        if pulse is not None:
            await pulse.close()

    def _choose_ports(self) -> None:
        self.port = free_port()

    def _break(self, how: str) -> None:
        self.state = State.FAULTED
        self._events.emit(f"node-{how}", self.name, pid=self.pid)

    async def _until_ready(self, child: Child) -> None:
        deadline_s = asyncio.get_running_loop().time() + self.ready_limit_s
        while not await self._asked():
            if child.exit_status is not None:
                raise self._unready(child, f"ended with status {child.exit_status} at its start")
            if asyncio.get_running_loop().time() > deadline_s:
                raise self._unready(child, f"did not answer within {self.ready_limit_s:g} s")
            await asyncio.sleep(_POLL_S)
        if child.exit_status is not None:
            raise self._unready(child, f"ended with status {child.exit_status} at its start")

    async def _asked(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                return await self._answers()
        except (OSError, EOFError, TimeoutError):
            return False

    def _unready(self, child: Child, what: str) -> ServerUnready:
        lines = child.last_lines()
        taken = any("address already in use" in line.lower() for line in child.last_lines(50))
        said = "\n  ".join(["", *lines])
        return (PortTaken if taken else ServerUnready)(
            f"{self.role[:1].upper()}{self.role[1:]} '{self.name}' {what} on {self.address}; the run cannot go on.",
            remedy=f"Its log is {child.log}; it ends:{said}",
        )

    def _left(self, status: int) -> None:
        """A child is gone; it is news only when nobody told it to go and it had been ready."""
        if self.state is not State.READY:
            return
        self.state = State.FAILED
        self._events.emit("child-exited", self.name, status=status, address=self.address)
        for listener in self.on_exit:
            listener(self.name, status)
