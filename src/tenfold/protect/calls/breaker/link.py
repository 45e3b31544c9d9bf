"""Ties the breakers of a process to its control channel."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from tenfold.protect.calls.breaker.messages import TOPIC, FleetWord
from tenfold.protect.calls.breaker.share import Finder, Share

_DECODER = msgspec.json.Decoder(FleetWord)


class Record(Protocol):
    """What the channel says of one breaker: the fleet's word as JSON, or that there is none."""

    @property
    def key(self) -> str: ...

    @property
    def json(self) -> bytes | None: ...


class Process(Protocol):
    @property
    def id(self) -> str: ...


class Channel(Protocol):
    """The part of `tenfold.channel.Channel` that is used here."""

    @property
    def process(self) -> Process: ...

    def report(self, topic: str, payload: Any) -> object: ...

    def subscribe(self, topic: str, on_change: Callable[[Any], None]) -> Callable[[], None]: ...


def link_breakers(channel: Channel, breakers: Finder) -> Callable[[], None]:
    """Report how they stand, tell them what the fleet knows; answers how to end that."""
    share = Share(breakers, process=lambda: channel.process.id, send=lambda report: channel.report(TOPIC, report))

    def tell(record: Record) -> None:
        share.told(record.key, _DECODER.decode(record.json) if record.json is not None else None)

    return channel.subscribe(TOPIC, tell)
