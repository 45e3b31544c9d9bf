"""Ties the hot keys of a process to its control channel."""

from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from tenfold.channel import Change, ReportChannel
from tenfold.protect.reads.hot.keys import HotKeys
from tenfold.protect.reads.hot.messages import TOPIC, HotSet

_DECODER = msgspec.json.Decoder(HotSet)


def link_hot_keys(channel: ReportChannel, hots: Iterable[HotKeys]) -> Callable[[], None]:
    """Report what each finds, tell each what the fleet finds; answers how to end that."""
    by_name = {hot.name: hot for hot in hots}

    def tell(record: Change) -> None:
        hot = by_name.get(record.key)
        if hot is not None:
            hot.notified(_DECODER.decode(record.json) if record.json is not None else None)

    for hot in by_name.values():
        hot.connect(partial(channel.report, TOPIC))
    return channel.subscribe(TOPIC, tell)
