"""The pages that change nothing: the board, one switch, the history, and the stream that says when to look again."""

import asyncio
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.applied import Applied, applied_by
from tenfold.console.switchboard.chain import ChainCheck, check_chain
from tenfold.console.switchboard.change import Proposal
from tenfold.console.switchboard.desk import Desk
from tenfold.console.switchboard.epoch import epoch_in
from tenfold.console.switchboard.frame import Frame
from tenfold.console.switchboard.watch import Watch
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.reports import STANDING
from tenfold.respond.switchboard import SwitchOperator
from tenfold.respond.switchboard.following import Following, followers, following, standings_of
from tenfold.respond.switchboard.history import HistoryEntry

HISTORY_PAGE = 30
NEWEST = 10
"""So many changes a switch's own page shows."""


class _Seen(NamedTuple):
    """One switch, in as many questions as one visit to the node's threads allows."""

    declaration: Declaration | None
    history: list[HistoryEntry]
    follows: Following | None
    applied: tuple[Applied, ...]
    undo: Proposal | None


class Looks:
    """Open to everybody who reaches the console."""

    def __init__(self, desk: Desk, watch: Watch, frame: Frame) -> None:
        self._desk = desk
        self._watch = watch
        self._frame = frame

    async def board(self, request: Request) -> Response:
        picture = await self._watch.picture()
        return self._frame.draw(request, "switches.html", picture=picture)

    async def events(self, _: Request) -> Response:
        if self._watch.full:
            return PlainTextResponse("Too many pages follow the switches already. Close one.\n", status_code=503)
        return StreamingResponse(self._watch.stream(asyncio.current_task()), media_type="text/event-stream")

    async def history(self, request: Request) -> Response:
        before = epoch_in(request.query_params, "before")
        name = request.query_params.get("name") or None

        def look(operator: SwitchOperator) -> tuple[list[HistoryEntry], ChainCheck]:
            return operator.history(name, before=before, limit=HISTORY_PAGE), check_chain(operator)

        entries, chain = await self._desk.ask(look)
        more = len(entries) == HISTORY_PAGE
        return self._frame.draw(request, "history.html", entries=entries, chain=chain, name=name, more=more)

    async def switch(self, request: Request) -> Response:
        name = request.path_params["name"]
        card = await self._watch.card(name)
        seen = await self._desk.ask(partial(_seen, name))
        made = epoch_in(request.query_params, "made")
        return self._frame.draw(request, "switch.html", card=card, seen=seen, made=made)


def _seen(name: str, operator: SwitchOperator) -> _Seen:
    history = operator.history(name, limit=NEWEST)
    follows, applied = _in_force(history[0].epoch, operator) if history else (None, ())
    undo = changes.undo_proposal(name, operator) if history else None
    return _Seen(changes.declaration_of(name, operator), history, follows, applied, undo)


def _in_force(epoch: int, operator: SwitchOperator) -> tuple[Following, tuple[Applied, ...]]:
    """Counted over all, and one by one as far as a page goes."""
    control = operator.control
    presences, acks = followers(control.processes()), control.acks(epoch)
    standings = standings_of(control.reports(STANDING))
    return following(epoch, presences, acks, standings), applied_by(epoch, presences, acks, standings)
