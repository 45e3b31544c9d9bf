"""What each address of the switchboard answers. Looking needs no session; what changes something goes by the door."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tenfold.console.door import HOME, SEE_OTHER, Admitted, Door, let_in, sign_in_path
from tenfold.console.drawing import draw
from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.chain import ChainCheck, check_chain
from tenfold.console.switchboard.change import Drafting, Faster, Proposal, RuleGone
from tenfold.console.switchboard.desk import Answer, Desk, Work
from tenfold.console.switchboard.listing import groups, rules
from tenfold.console.switchboard.picture import Applied, Card, applied_by, following_presences
from tenfold.console.switchboard.watch import Watch
from tenfold.console.switchboard.wish import LENGTHS, Wish, WishUnclear, clocks_note, rule_of, wish_of
from tenfold.console.words import in_path
from tenfold.kernel import TenfoldError
from tenfold.protect.channel import Change
from tenfold.protect.switches import Declaration
from tenfold.respond.control import ControlRefusedError, ControlUnreachableError
from tenfold.respond.switchboard import SwitchOperator, SwitchUnknown
from tenfold.respond.switchboard.history import Entry
from tenfold.respond.switchboard.operator import UndoRefused

HISTORY_PAGE = 30
EPOCH_DIGITS_MAX = 18
STATUS = {SwitchUnknown: 404, RuleGone: 409, UndoRefused: 409, ControlRefusedError: 422}
"""Whatever else is in the way is the world's: 503."""

Page = Callable[[Request], Awaitable[Response]]


class _Seen(NamedTuple):
    """One switch, in as many questions as one visit to the node's threads allows."""

    declaration: Declaration | None
    history: list[Entry]
    applied: tuple[Applied, ...]
    undo: Proposal | None


class SwitchPages:
    """The pages; `routes` names their addresses."""

    def __init__(self, desk: Desk, watch: Watch, door: Door) -> None:
        self._desk = desk
        self._watch = watch
        self._door = door

    def routes(self) -> list[Route]:
        """A name stands last, since a record may be called `a/b`."""
        one = "{name:path}"
        return [
            Route(HOME, self._page(self.board)),
            Route(f"{HOME}/events", self.events),
            Route(f"{HOME}/history", self._page(self.history)),
            Route(f"{HOME}/of/{one}", self._page(self.switch)),
            Route(f"{HOME}/set/{one}", self._page(self.look_before_set), methods=["GET"]),
            Route(f"{HOME}/set/{one}", self._page(self.set), methods=["POST"]),
            Route(f"{HOME}/unset/{one}", self._page(self.look_before_unset), methods=["GET"]),
            Route(f"{HOME}/unset/{one}", self._page(self.unset), methods=["POST"]),
            Route(f"{HOME}/undo/{one}", self._page(self.undo), methods=["POST"]),
            Route("/sign-in", self._door.sign_in_page, methods=["GET"]),
            Route("/sign-in", let_in(self._door.sign_in), methods=["POST"]),
            Route("/sign-out", let_in(self._door.sign_out), methods=["POST"]),
        ]

    async def board(self, request: Request) -> Response:
        picture = await self._watch.picture()
        return self._draw(request, "switches.html", picture=picture)

    async def events(self, _: Request) -> Response:
        if self._watch.full:
            return PlainTextResponse("Too many pages follow the switches already. Close one.\n", status_code=503)
        return StreamingResponse(self._watch.stream(asyncio.current_task()), media_type="text/event-stream")

    async def history(self, request: Request) -> Response:
        before = _number(request.query_params.get("before", ""))
        name = request.query_params.get("name") or None

        def look(operator: SwitchOperator) -> tuple[list[Entry], ChainCheck]:
            return operator.history(name, before=before, limit=HISTORY_PAGE), check_chain(operator)

        entries, chain = await self._desk.ask(look)
        more = len(entries) == HISTORY_PAGE
        return self._draw(request, "history.html", entries=entries, chain=chain, name=name, more=more)

    async def switch(self, request: Request) -> Response:
        name = request.path_params["name"]
        card = await self._card(name)

        def look(operator: SwitchOperator) -> _Seen:
            history = operator.history(name, limit=10)
            epoch = history[0].epoch if history else 0
            presences, acks = operator.control.processes(), operator.control.acks(epoch) if epoch else []
            applied = applied_by(epoch, following_presences(presences), acks) if epoch else ()
            declaration = changes.declaration_of(name, operator)
            return _Seen(declaration, history, applied, changes.undo_proposal(name, operator) if history else None)

        seen = await self._desk.ask(look)
        made = _number(request.query_params.get("made", ""))
        return self._draw(request, "switch.html", card=card, seen=seen, made=made)

    async def look_before_set(self, request: Request) -> Response:
        """The form that sets, with what it would touch as it is filled in now."""
        if self._door.session(request) is None:
            return RedirectResponse(sign_in_path(request), SEE_OTHER)
        name, fields = request.path_params["name"], request.query_params
        wish = wish_of(fields) if "value" in fields else self._first_wish(request, await self._card(name))
        return await self._look(request, name, wish, _number(fields.get("if_epoch", "")))

    async def _look(self, request: Request, name: str, wish: Wish, if_epoch: int | None) -> Response:
        """`if_epoch` is what was looked at before, None for a first look."""
        declaration = await self._desk.ask(partial(changes.declaration_of, name))
        rule = rule_of(wish, declaration, self._now_ms())
        if isinstance(rule, WishUnclear):
            return self._draw_wish(request, name, declaration, wish, None, rule.problems)
        proposal = await self._desk.ask(partial(changes.propose, changes.set_rule(name, rule), if_epoch))
        return self._draw_wish(request, name, declaration, wish, proposal, {})

    async def set(self, request: Request) -> Response:
        admitted = await self._door.admit(request)
        name, fields = request.path_params["name"], admitted.fields
        wish = _owned(wish_of(fields), admitted)
        if "look" in fields:
            seen = None if fields["look"] == "again" else _number(fields.get("if_epoch", ""))
            return await self._look(request, name, wish, seen)
        declaration = await self._desk.ask(partial(changes.declaration_of, name))
        rule = rule_of(wish, declaration, self._now_ms())
        problems = dict(rule.problems) if isinstance(rule, WishUnclear) else {}
        if not wish.reason:
            problems["reason"] = "Say why: it stands in the history, and whoever comes after you reads it."
        if isinstance(rule, WishUnclear):
            return self._draw_wish(request, name, declaration, wish, None, problems, status=422)
        drafting = changes.set_rule(name, rule)
        if problems or fields.get("seen") != wish.seal:
            proposal = await self._desk.ask(partial(changes.propose, drafting, _number(fields.get("if_epoch", ""))))
            return self._draw_wish(
                request, name, declaration, wish, proposal, problems, status=422, looked=not problems
            )
        outcome = await self._make(drafting, wish.reason, admitted)
        if isinstance(outcome, Proposal):
            return self._draw_wish(request, name, declaration, wish, outcome, problems, status=409)
        return _made(name, outcome.epoch)

    async def look_before_unset(self, request: Request) -> Response:
        if self._door.session(request) is None:
            return RedirectResponse(sign_in_path(request), SEE_OTHER)
        name, rule = request.path_params["name"], request.query_params.get("rule", "")
        if_epoch = _number(request.query_params.get("if_epoch", ""))
        proposal = await self._desk.ask(partial(changes.propose, changes.unset_rule(name, rule), if_epoch))
        return self._draw_unset(request, name, rule, proposal)

    async def unset(self, request: Request) -> Response:
        admitted = await self._door.admit(request)
        name, rule = request.path_params["name"], admitted.fields.get("rule", "")
        reason = admitted.fields.get("reason", "").strip()[:500]
        drafting = changes.unset_rule(name, rule)
        if not reason:
            proposal = await self._desk.ask(
                partial(changes.propose, drafting, _number(admitted.fields.get("if_epoch", "")))
            )
            return self._draw_unset(request, name, rule, proposal, problem="Say why.", status=422)
        outcome = await self._make(drafting, reason, admitted)
        if isinstance(outcome, Proposal):
            return self._draw_unset(request, name, rule, outcome, status=409)
        return _made(name, outcome.epoch)

    async def undo(self, request: Request) -> Response:
        admitted = await self._door.admit(request)
        name, change = request.path_params["name"], _number(admitted.fields.get("change", "")) or 0
        outcome = await self._change(partial(changes.undo, name, change), admitted)
        if isinstance(outcome, Faster):
            return self._draw(request, "faster.html", status=409, name=name, faster=outcome)
        return _made(name, outcome.epoch)

    async def _make(self, drafting: Drafting, reason: str, admitted: Admitted) -> Change | Proposal:
        confirmed = admitted.fields.get("confirmed") == "1"
        making = partial(changes.make, drafting, reason, confirmed, _epoch(admitted.fields))
        return await self._change(making, admitted)

    async def _change(self, work: Work[Answer], admitted: Admitted) -> Answer:
        """In the name of the person who is signed in; whatever came of it, what was seen before is old."""
        try:
            return await self._desk.ask(work, by=admitted.session.name)
        finally:
            self._watch.expire()

    async def _card(self, name: str) -> Card:
        """Raises SwitchUnknown."""
        picture = await self._watch.picture()
        card = next((card for card in picture.cards if card.view.name == name), None)
        if card is None:
            raise SwitchUnknown(f"There is no switch '{name}': nobody has declared or set it.")
        return card

    def _first_wish(self, request: Request, card: Card) -> Wish:
        """What is most likely meant: a switch that is on, turned off; anything else as it is."""
        value = card.view.value
        if isinstance(value, bool):
            text = "off" if value else "on"
        elif isinstance(value, str):
            text = value
        else:
            text = "" if value is None else msgspec.json.encode(value).decode()
        session = self._door.session(request)
        return Wish(value=text, owner=session.name if session is not None else "")

    def _draw_wish(
        self,
        request: Request,
        name: str,
        declaration: Declaration | None,
        wish: Wish,
        proposal: Proposal | None,
        problems: Mapping[str, str],
        *,
        status: int = 200,
        looked: bool = False,
    ) -> Response:
        return self._draw(
            request,
            "set.html",
            status=status,
            name=name,
            declaration=declaration,
            wish=wish,
            proposal=proposal,
            problems=problems,
            looked=looked,
            until_ms=proposal.draft.after.rules[-1].until_ms if proposal and proposal.draft.after.rules else 0,
            clocks_note=clocks_note(wish, self._now_ms()),
            lengths=LENGTHS,
            choices=_choices(declaration),
        )

    def _draw_unset(
        self, request: Request, name: str, rule: str, proposal: Proposal, *, problem: str = "", status: int = 200
    ) -> Response:
        told = {"name": name, "rule": rule, "proposal": proposal, "problem": problem}
        return self._draw(request, "unset.html", status=status, **told)

    def _draw(self, request: Request, template: str, *, status: int = 200, **told: Any) -> Response:
        session = self._door.session(request)
        common: dict[str, Any] = {
            "session": session,
            "csrf": self._door.csrf(session),
            "now_ns": self._desk.clock.wall_ns(),
            "groups": groups,
            "rules": rules,
            "sign_in_path": sign_in_path(request) if request.method == "GET" else "/sign-in",
        }
        return draw(template, status=status, **{**common, **told})

    def _page(self, page: Page) -> Page:
        """A page, or in words why there is none."""
        inside = let_in(page)

        async def answer(request: Request) -> Response:
            try:
                return await inside(request)
            except TenfoldError as error:
                status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 503)
                return self._trouble(request, status, error)

        return answer

    def _trouble(self, request: Request, status: int, error: TenfoldError) -> Response:
        lost = isinstance(error, ControlUnreachableError)
        return self._draw(
            request,
            "trouble.html",
            status=status,
            error=str(error),
            lost=lost,
            url=self._desk.url,
            since_ns=self._desk.unreachable_since_ns if lost else None,
            changing=request.method == "POST",
            picture=self._watch.newest if request.url.path == HOME else None,
        )

    def _now_ms(self) -> int:
        return self._desk.clock.wall_ns() // 1_000_000


def _made(name: str, epoch: int) -> Response:
    return RedirectResponse(f"{HOME}/of/{in_path(name)}?made={epoch}", SEE_OTHER)


def _owned(wish: Wish, admitted: Admitted) -> Wish:
    return wish if wish.owner else msgspec.structs.replace(wish, owner=admitted.session.name)


def _choices(declaration: Declaration | None) -> list[str]:
    """The values of a text that may be one of a few."""
    return [str(choice) for choice in declaration.schema.get("enum", ())] if declaration is not None else []


def _epoch(fields: Mapping[str, str]) -> int:
    """What was looked at; -1, which nothing is, when the form does not say."""
    number = _number(fields.get("if_epoch", ""))
    return number if number is not None else -1


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= EPOCH_DIGITS_MAX else None
