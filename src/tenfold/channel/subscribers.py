"""The subscribers: each is told every change of its topic once and in order, whichever other one raises."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from tenfold.channel.messages import Change
from tenfold.kernel import TenfoldError
from tenfold.telemetry import Counter

OnChange = Callable[[Change], None]

WHY_LENGTH_MAX = 200


class ChangeRefused(TenfoldError):
    """Raised by a subscriber: what it was told is not in force here, and what was there before goes on."""


class Delivery(NamedTuple):
    """How many subscribers raised, and why the last of the changes is not in force here; nothing when it is."""

    failures: int = 0
    refused: str = ""


class Loop(Protocol):
    """The part of an asyncio event loop that is used here."""

    def call_soon_threadsafe(self, callback: Callable[..., Any], /, *args: Any) -> Any: ...


class Subscribers:
    """The subscriptions of one process. `lock` is held while subscribers are told, so that joining misses nothing."""

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

    def tell(self, changes: Iterable[Change]) -> Delivery:
        """Tell everyone."""
        failures, refused = 0, ""
        for change in changes:
            told = [self._tell_one(on_change, change) for on_change in self._by_topic.get(change.topic, ())]
            failures += sum(one.failures for one in told)
            refused = next((one.refused for one in told if one.refused), "")
        return Delivery(failures, refused)

    def _tell_one(self, on_change: OnChange, change: Change) -> Delivery:
        try:
            on_change(change)
        except ChangeRefused as refusal:
            return Delivery(refused=str(refusal)[:WHY_LENGTH_MAX])
        except Exception:
            self._failures.inc()
            return Delivery(failures=1)
        return Delivery()

    def _leave(self, topic: str, on_change: OnChange) -> None:
        with self.lock:
            others = [other for other in self._by_topic.get(topic, ()) if other is not on_change]
            self._by_topic[topic] = tuple(others)


def in_loop(loop: Loop, on_change: OnChange) -> OnChange:
    """`on_change`, called in the thread of `loop`. A loop that is closed counts as a subscriber that raised."""

    def tell(change: Change) -> None:
        loop.call_soon_threadsafe(on_change, change)

    return tell
