"""The process monitor: sees what every process of the run says of itself, and what each one costs."""

import asyncio
from pathlib import Path

from tenfold.fleet import Estate, Node
from tenfold.kernel import Clock, Duration
from tenfold.rehearse.view.progress import ServerView
from tenfold.rehearse.view.run_record import RunRecord
from tenfold.telemetry import Event, EventFolder

LOOK_EVERY = Duration.from_ms(250)
WEIGH_EVERY = Duration.from_s(1)
_BAD = ("opened", "exited", "lost", "failed")
_GOOD = ("closed", "back")


class ProcessMonitor:
    """Reads the events of all processes as they are written, weighs the processes, and puts both on record."""

    def __init__(self, folder: Path, estate: Estate, record: RunRecord, clock: Clock) -> None:
        self._folder = EventFolder(folder)
        self._estate = estate
        self._record = record
        self._clock = clock
        self._seen: list[Event] = []
        self._weighed_ns = 0
        self._cpu_s: dict[str, float] = {}
        self._views: dict[str, ServerView] = {}

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY.s)

    def look(self) -> None:
        """Take in what is new since the last look."""
        for event in self._folder.read():
            self._seen.append(event)
            self._record.say(_tone(event.kind), f"{event.source}: {event.kind} {event.subject}")
        self._view_nodes()

    def since(self, monotonic_ns: int) -> list[Event]:
        """Every event from that moment on, in order of time."""
        self.look()
        events = [event for event in self._seen if event.monotonic_ns >= monotonic_ns]
        return sorted(events, key=lambda event: event.monotonic_ns)

    def _view_nodes(self) -> None:
        now_ns = self._clock.monotonic_ns()
        since_s = (now_ns - self._weighed_ns) / 1e9
        weigh = since_s >= WEIGH_EVERY.s
        for node in (*self._estate.nodes, *self._estate.services):
            if not node.port:
                continue  # it has not been started yet
            view = self._views.setdefault(node.name, ServerView(name=node.name, role=node.role, state=node.state))
            view.state, view.address, view.pid = node.state, node.address, node.pid
            view.restarts = node.restarts
            if weigh:
                self._weigh(view, node, since_s)
        if weigh:
            self._weighed_ns = now_ns
        self._record.progress.servers = list(self._views.values())

    def _weigh(self, view: ServerView, node: Node, since_s: float) -> None:
        """Asked once a second: it reads a file of the kernel's for each process."""
        usage = node.usage()
        before_s = self._cpu_s.get(node.name, usage.cpu_s)
        self._cpu_s[node.name] = usage.cpu_s
        view.rss_bytes = usage.rss_bytes
        view.cpu_ratio = max(0.0, usage.cpu_s - before_s) / since_s


def _tone(kind: str) -> str:
    if kind.endswith(_BAD):
        return "bad"
    return "good" if kind.endswith(_GOOD) else "info"
