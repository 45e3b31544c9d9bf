"""A control channel without a node: what a test says is what the node says."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from tenfold.channel import Change, Process, Records, State
from tenfold.protect.live.switches import Rule, SwitchRecord


class MemoryChannel:
    """The part of the channel that switches stand on. `raised` is what subscribers raised."""

    def __init__(self, *, service: str = "shop", store: str = "", instance: str = "") -> None:
        self.process = Process(id="p1", service=service, store=store, instance=instance)
        self.state = State("i", "b", 0, {})
        self.reports: list[tuple[str, Any]] = []
        self.raised: list[Exception] = []
        self._subscribers: dict[str, list[Callable[[Change], None]]] = {}

    def current(self, topic: str) -> Records:
        return self.state.topics.get(topic, {})

    def subscribe(self, topic: str, on_change: Callable[[Change], None], /) -> Callable[[], None]:
        told = self._subscribers.setdefault(topic, [])
        told.append(on_change)
        for record in self.current(topic).values():
            self._tell(on_change, record)
        return lambda: told.remove(on_change)

    @property
    def failures(self) -> int:
        return len(self.raised)

    def report(self, topic: str, payload: Any) -> bool:
        self.reports.append((topic, msgspec.json.decode(msgspec.json.encode(payload))))
        return True

    def put_record(self, name: str, *rules: Rule) -> None:
        self.put("switches", name, SwitchRecord(rules))

    def put(self, topic: str, key: str, value: Any) -> None:
        self.put_raw(topic, key, msgspec.json.encode(value))

    def put_raw(self, topic: str, key: str, json: bytes | None) -> None:
        """None removes the record."""
        epoch = self.state.epoch + 1
        change = Change(epoch=epoch, topic=topic, key=key, value=UNSET if json is None else Raw(json))
        records = {name: record for name, record in self.current(topic).items() if name != key}
        if json is not None:
            records[key] = change
        self.state = State("i", "b", epoch, {**self.state.topics, topic: records})
        for on_change in list(self._subscribers.get(topic, ())):
            self._tell(on_change, change)

    def _tell(self, on_change: Callable[[Change], None], change: Change) -> None:
        try:
            on_change(change)
        except Exception as error:
            self.raised.append(error)
