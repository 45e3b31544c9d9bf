"""Switches and changes in the order and form in which the templates take them. Pure."""

from collections.abc import Iterable

import msgspec

from tenfold.console.switchboard.picture import Card
from tenfold.protect.live.switches import RecordInvalid, Rule, SwitchRecord
from tenfold.respond.switchboard.history import HistoryEntry


def groups(cards: Iterable[Card]) -> list[tuple[str, list[Card]]]:
    """What is set first: that is what a person comes to see."""
    cards = list(cards)
    rest = [card for card in cards if not card.view.set]
    return [
        ("Set now", [card for card in cards if card.view.set]),
        ("Shielded by load or by a rule", [card for card in rest if card.missed]),
        ("Features that can be shielded", [card for card in rest if card.shield is not None and not card.missed]),
        ("As declared", [card for card in rest if card.shield is None]),
    ]


def rules(entry: HistoryEntry) -> tuple[Rule, ...]:
    """What a change set; nothing when it took everything back, or when it cannot be read."""
    if entry.record is None:
        return ()
    try:
        return SwitchRecord.read(entry.switch, msgspec.json.encode(entry.record)).rules
    except RecordInvalid:
        return ()
