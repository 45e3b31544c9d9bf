"""Who wants to hear of changes: each is told every change of its topic once and in order, whoever else raises."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tenfold.protect.channel.lines import Change
from tenfold.telemetry import Counter

OnChange = Callable[[Change], None]


class Loop(Protocol):
    """The part of an asyncio event loop that is used here."""

    def call_soon_threadsafe(self, callback: Callable[..., Any], /, *args: Any) -> Any: ...


class Subscribers:
    """The subscriptions of one process. `lock` is held while somebody is told, so that joining misses nothing."""

    def __init__(self, failures: Counter) -> None:
        self.lock = threading.RLock()
        self._failures = failures
        self._by_topic: dict[str, tuple[OnChange, ...]] = {}

    def join(self, topic: str, on_change: OnChange, known: Iterable[Change]) -> Callable[[], None]:
        """Tell what is known, then every change; answers how to leave. Call it with `lock` held."""
        self._by_topic[topic] = (*self._by_topic.get(topic, ()), on_change)
        for record in sorted(known, key=lambda record: record.epoch):
            self._tell_one(on_change, record)
        return lambda: self._leave(topic, on_change)

    def tell(self, changes: Iterable[Change]) -> int:
        """Tell everyone; answers how many of those who were told raised."""
        failures = 0
        for change in changes:
            for on_change in self._by_topic.get(change.topic, ()):
                failures += self._tell_one(on_change, change)
        return failures

    def _tell_one(self, on_change: OnChange, change: Change) -> int:
        try:
            on_change(change)
        except Exception:
            self._failures.inc()
            return 1
        return 0

    def _leave(self, topic: str, on_change: OnChange) -> None:
        with self.lock:
            others = [other for other in self._by_topic.get(topic, ()) if other is not on_change]
            self._by_topic[topic] = tuple(others)


def in_loop(loop: Loop, on_change: OnChange) -> OnChange:
    """`on_change`, called in the thread of `loop`. A loop that is closed counts as a subscriber that raised."""

    def tell(change: Change) -> None:
        loop.call_soon_threadsafe(on_change, change)

    return tell
