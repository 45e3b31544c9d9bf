"""The pages that change nothing: the board, one switch, the history, and the stream that says when to look again."""

import asyncio
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.acks import ProcessAck, process_acks
from tenfold.console.switchboard.change import Proposal
from tenfold.console.switchboard.layout import Layout
from tenfold.protect.live.switches.reports import STANDING
from tenfold.respond.switchboard import SwitchOperator, Wholeness
from tenfold.respond.switchboard.following import Following, followers, following, standings_of
from tenfold.respond.switchboard.history import HistoryEntry, Links, ends_at, in_force, wholeness_of
from tenfold.serving import refusal
from tenfold.serving.body import number_in
from tenfold.serving.events import event_stream

HISTORY_PAGE = 30
NEWEST = 10
"""So many changes a switch's own page shows."""
LINK_PAGES_MAX = 20
"""So much of the history a page checks."""


class ChainCheck(NamedTuple):
    """Says of the history if it is what was written. `since_ns` is when its first entry was made; `all` is False when
    there are more than a page may look at.
    """

    wholeness: Wholeness
    since_ns: int
    all: bool


class _Seen(NamedTuple):
    """One switch, in as many questions as one visit to the node's threads allows."""

    history: list[HistoryEntry]
    follows: Following | None
    acks: tuple[ProcessAck, ...]
    undo: Proposal | None


class ReadPages:
    """Open to every person who reaches the console."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._gateway = layout.gateway
        self._watch = layout.watch

    async def board(self, request: Request) -> Response:
        overview = await self._watch.overview()
        return self._layout.draw(request, "switches.html", overview=overview)

    async def events(self, request: Request) -> Response:
        if self._watch.full(signed_in=self._layout.door.session(request) is not None):
            return refusal(request, 503, "Too many pages follow the switches already. Close one.")
        return event_stream(request, lambda: self._watch.stream(asyncio.current_task()))

    async def history(self, request: Request) -> Response:
        before = number_in(request.query_params, "before")
        name = request.query_params.get("name") or None

        def look(operator: SwitchOperator) -> tuple[list[HistoryEntry], ChainCheck]:
            return operator.history(name, before=before, limit=HISTORY_PAGE), _check_chain(operator)

        entries, chain = await self._gateway.ask(look)
        more = len(entries) == HISTORY_PAGE
        return self._layout.draw(request, "history.html", entries=entries, chain=chain, name=name, more=more)

    async def switch(self, request: Request) -> Response:
        name = request.path_params["name"]
        card = await self._watch.card(name)
        seen = await self._gateway.ask(partial(_seen, name))
        made = number_in(request.query_params, "made")
        return self._layout.draw(request, "switch.html", card=card, seen=seen, made=made)


def _seen(name: str, operator: SwitchOperator) -> _Seen:
    history = operator.history(name, limit=NEWEST)
    follows, acks = _in_force(history[0].epoch, operator) if history else (None, ())
    undo = changes.undo_proposal(name, operator) if history else None
    return _Seen(history, follows, acks, undo)


def _in_force(epoch: int, operator: SwitchOperator) -> tuple[Following, tuple[ProcessAck, ...]]:
    """Counted over all, and one by one as far as a page goes."""
    control = operator.control
    presences, acks = followers(control.processes()), control.acks(epoch)
    standings = standings_of(control.reports(STANDING))
    return following(epoch, presences, acks, standings), process_acks(epoch, presences, acks, standings)


def _check_chain(operator: SwitchOperator) -> ChainCheck:
    """Worked out here, entry by entry: the node's own word would not do."""
    there, links = in_force(operator.control), Links(operator.control, pages_max=LINK_PAGES_MAX)
    entries = list(links)
    wholeness = wholeness_of(entries, there if links.all else {}, base=links.base)
    return ChainCheck(ends_at(wholeness, links.head), links.since_ns, links.all)
