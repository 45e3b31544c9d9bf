"""Every switch as one look at the control node shows it: what is set, which processes have it in force, what a
shield saves. Pure but for the asking, which is the operator's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tenfold.channel import Change
from tenfold.protect.live.switches import Declaration, SwitchRecord
from tenfold.protect.live.switches.reports import STANDING, LoadReport, SwitchStanding
from tenfold.protect.live.switches.rule import TOPIC
from tenfold.respond.control.ledger import Ack, Presence
from tenfold.respond.switchboard import Draft, ShieldView, SwitchOperator, SwitchView
from tenfold.respond.switchboard.effect import effect_of
from tenfold.respond.switchboard.following import (
    Following,
    apart,
    apart_sentence,
    differing,
    followers,
    following,
    standings_of,
)
from tenfold.respond.switchboard.view import view_of

CARDS_MAX = 500
ASKED_MAX = 30
"""Of so many switches, those changed last, it is asked who has applied them."""
COST, FEATURE = "cost", "feature"
"""Labels of a declaration that make it a feature shield: what its absence costs, and what it hides."""


class Shield(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that can be left out. `spared_per_s` are the calls that find it switched otherwise than declared just
    now; `told` is what processes say: who misses it, by load and by rule too, and what that saved.
    """

    feature: str
    cost: str
    calls_per_s: float
    spared_per_s: float
    told: ShieldView | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One switch. `follows` says who has it in force: None while nothing is set, or of too many to ask for each."""

    view: SwitchView
    owner: str
    follows: Following | None = None
    processes: int = 0
    shield: Shield | None = None

    @property
    def missed(self) -> bool:
        """It is a feature that some process leaves out just now, for whatever cause."""
        return self.shield is not None and self.shield.told is not None and bool(self.shield.told.by)


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, those that are set first; `left_out` are more than CARDS_MAX.

    `newest` is the epoch of the newest change of any switch, which may have left nothing set; `behind` are the
    processes that do not have it yet. `apart` says that some hold what another store had, and what to do.
    """

    at_ns: int
    newest: int
    behind: int
    processes: int
    cards: tuple[Card, ...]
    left_out: int = 0
    apart: str = ""

    @property
    def groups(self) -> list[tuple[str, list[Card]]]:
        """What is set first: that is what a person comes to see."""
        rest = [card for card in self.cards if not card.view.set]
        return [
            ("Set now", [card for card in self.cards if card.view.set]),
            ("Shielded by load or by a rule", [card for card in rest if card.missed]),
            ("Features that can be shielded", [card for card in rest if card.shield is not None and not card.missed]),
            ("As declared", [card for card in rest if card.shield is None]),
        ]

    def same_as(self, other: "Overview | None") -> bool:
        return other is not None and msgspec.structs.replace(self, at_ns=0) == msgspec.structs.replace(other, at_ns=0)


class _Told(NamedTuple):
    """What the processes say: who follows, what each applied, refuses and reads; and of shields, by name."""

    presences: Sequence[Presence]
    acks: Mapping[int, Sequence[Ack]]
    standings: Mapping[str, SwitchStanding]
    loads: Mapping[str, LoadReport]
    shields: Mapping[str, ShieldView]


def look(operator: SwitchOperator, now_ns: int) -> Overview:
    """Everything, in a bounded number of questions."""
    declared = operator.declared()
    records = {record.key: record for record in operator.control.records(TOPIC)}
    processes, newest = operator.control.processes(), operator.newest()
    told = _told(operator, followers(processes), records.values())
    cards = [
        _card(name, declared.get(name), records.get(name), told, now_ns) for name in sorted(declared.keys() | records)
    ]
    cards.sort(key=lambda card: (not card.view.set, not card.missed, card.shield is None))
    return Overview(
        at_ns=now_ns,
        newest=newest,
        behind=sum(presence.epoch < newest for presence in told.presences),
        processes=len(told.presences),
        cards=tuple(cards[:CARDS_MAX]),
        left_out=max(0, len(cards) - CARDS_MAX),
        apart=apart_sentence(apart(processes)),
    )


def _told(operator: SwitchOperator, presences: Sequence[Presence], records: Iterable[Change]) -> _Told:
    control = operator.control
    asked = sorted((record.epoch for record in records), reverse=True)[:ASKED_MAX]
    return _Told(
        presences,
        acks={epoch: control.acks(epoch) for epoch in asked},
        standings=standings_of(control.reports(STANDING)),
        loads=operator.loads(),
        shields=operator.shields(),
    )


def _card(name: str, declaration: Declaration | None, record: Change | None, told: _Told, now_ns: int) -> Card:
    otherwise = differing(name, told.presences, told.standings)
    view = view_of(name, declaration, record, now_ms=now_ns // 1_000_000, otherwise=otherwise)
    asked = record is not None and record.epoch in told.acks
    return Card(
        view=view,
        owner=declaration.owner if declaration is not None else "",
        follows=following(view.epoch, told.presences, told.acks[view.epoch], told.standings) if asked else None,
        processes=len(told.presences),
        shield=_shield(view, declaration, told, now_ns),
    )


def _shield(view: SwitchView, declaration: Declaration | None, told: _Told, now_ns: int) -> Shield | None:
    """Of a declaration that says what its absence costs. What is spared is what would change if all was taken back."""
    if declaration is None or COST not in declaration.labels:
        return None
    set_now = SwitchRecord(view.rules)
    draft = Draft(name=view.name, if_epoch=0, before=SwitchRecord(), after=set_now, declaration=declaration)
    effect = effect_of(draft, [one.process for one in told.presences], told.loads, now_ms=now_ns // 1_000_000)
    return Shield(
        feature=str(declaration.labels.get(FEATURE, view.name)),
        cost=str(declaration.labels[COST]),
        calls_per_s=effect.reads_per_s_all,
        spared_per_s=effect.reads_per_s,
        told=told.shields.get(view.name),
    )
