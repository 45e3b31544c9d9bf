"""Ties the breakers of a process to its control channel."""

from collections.abc import Callable

import msgspec

from tenfold.channel import Change, ReportChannel
from tenfold.protect.calls.breaker.messages import TOPIC, FleetWord
from tenfold.protect.calls.breaker.share import Finder, Share

_DECODER = msgspec.json.Decoder(FleetWord)


def link_breakers(channel: ReportChannel, breakers: Finder) -> Callable[[], None]:
    """Report how they stand, tell them what the fleet knows; answers how to end that."""
    share = Share(breakers, process=lambda: channel.process.id, send=lambda report: channel.report(TOPIC, report))

    def tell(record: Change) -> None:
        share.told(record.key, _DECODER.decode(record.json) if record.json is not None else None)

    return channel.subscribe(TOPIC, tell)
