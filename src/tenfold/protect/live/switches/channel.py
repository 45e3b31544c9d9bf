"""The part of the control channel that switches stand on; `tenfold.channel.Channel` is one."""

from collections.abc import Callable
from typing import Any, Protocol

from tenfold.channel import Change, Process, Records, State


class Channel(Protocol):
    """Records that are simply there, and a way to say something back."""

    @property
    def process(self) -> Process: ...
    @property
    def state(self) -> State: ...
    def current(self, topic: str) -> Records: ...
    def subscribe(self, topic: str, on_change: Callable[[Change], None], /) -> Callable[[], None]: ...
    def report(self, topic: str, payload: Any) -> bool: ...
