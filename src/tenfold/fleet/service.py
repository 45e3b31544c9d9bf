"""A program under rehearsal: started as the plan says, ready when its `ready` path answers 200."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from tenfold.fleet.child import Child, Children
from tenfold.fleet.http import status_of
from tenfold.fleet.node import Node
from tenfold.telemetry import EventLog


class Service(Node):
    """One instance of a service."""

    ready_limit_s = 45.0

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        ready: str,
        children: Children,
        events: EventLog,
        leaves: Iterable[str] = (),
    ) -> None:
        super().__init__(name, "service", children, events)
        self._command = resolved(command)
        self._environment = environment
        self._ready = ready
        self._leaves = tuple(leaves)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def _launch(self) -> Child:
        environment = {**self._environment, "PORT": str(self.port)}
        folder = self._children.run.root
        return self._children.start(
            self.name, self._command, environment=environment, folder=folder, leaves=self._leaves
        )

    async def _answers(self) -> bool:
        return await status_of(self.port, "GET", self._ready) == 200


def resolved(command: Sequence[str]) -> list[str]:
    """`python` means the Python that runs Tenfold, whatever the shell would find."""
    first, *rest = command
    return [sys.executable if first == "python" else first, *rest]
