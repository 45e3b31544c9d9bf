"""Ties the hot keys of a process to its control channel."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec

from tenfold.protect.reads.hot.keys import HotKeys
from tenfold.protect.reads.hot.messages import TOPIC, HotSet

_DECODER = msgspec.json.Decoder(HotSet)


class Record(Protocol):
    """What the channel says of one name: the fleet's hot set as JSON, or that there is none."""

    @property
    def key(self) -> str: ...

    @property
    def json(self) -> bytes | None: ...


class Channel(Protocol):
    """The part of `tenfold.channel.Channel` that is used here."""

    def report(self, topic: str, payload: Any) -> object: ...

    def subscribe(self, topic: str, on_change: Callable[[Any], None]) -> Callable[[], None]: ...


def link_hot_keys(channel: Channel, hots: Iterable[HotKeys]) -> Callable[[], None]:
    """Report what each finds, tell each what the fleet finds; answers how to end that."""
    by_name = {hot.name: hot for hot in hots}

    def tell(record: Record) -> None:
        hot = by_name.get(record.key)
        if hot is not None:
            hot.notified(_DECODER.decode(record.json) if record.json is not None else None)

    for hot in by_name.values():
        hot.connect(partial(channel.report, TOPIC))
    return channel.subscribe(TOPIC, tell)
