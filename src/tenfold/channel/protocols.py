"""The parts of a channel that the library's rooms stand on; `tenfold.channel.Channel` has both."""

from collections.abc import Callable
from typing import Any, Protocol

from tenfold.channel.known_records import Records, State
from tenfold.channel.process import Process
from tenfold.channel.subscribers import OnChange


class ReportChannel(Protocol):
    """One process's: it hears the changes of a topic, and reports back."""

    @property
    def process(self) -> Process: ...
    def report(self, topic: str, payload: Any) -> bool: ...
    def subscribe(self, topic: str, on_change: OnChange, /) -> Callable[[], None]: ...


class RecordChannel(ReportChannel, Protocol):
    """The same, with the records that are simply there."""

    @property
    def state(self) -> State: ...
    def current(self, topic: str) -> Records: ...
