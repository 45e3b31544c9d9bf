"""The pages that set a switch: a form, what it would touch as it is filled in now, and the press that makes it so."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenfold.console.door import SEE_OTHER, Admitted, Door, sign_in_path
from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.change import Proposal
from tenfold.console.switchboard.desk import Desk
from tenfold.console.switchboard.epoch import looked_at
from tenfold.console.switchboard.frame import Frame, made
from tenfold.console.switchboard.hand import Hand
from tenfold.console.switchboard.watch import Watch
from tenfold.console.switchboard.wish import LENGTHS, Wish, WishUnclear, clocks_note, first_wish, rule_of, wish_of
from tenfold.protect.live.switches import Declaration, Rule


class _Sheet(NamedTuple):
    """One filled-in form, and the rule that it comes to."""

    request: Request
    name: str
    declaration: Declaration | None
    wish: Wish
    rule: Rule | WishUnclear


class Setting:
    """Nothing is set that was not looked at just as it is pressed."""

    def __init__(self, desk: Desk, watch: Watch, hand: Hand, door: Door, frame: Frame) -> None:
        self._desk = desk
        self._watch = watch
        self._hand = hand
        self._door = door
        self._frame = frame

    async def look(self, request: Request) -> Response:
        """The form, with what it would touch."""
        session = self._door.session(request)
        if session is None:
            return RedirectResponse(sign_in_path(request), SEE_OTHER)
        fields = request.query_params
        if "value" in fields:
            wish = wish_of(fields)
        else:
            card = await self._watch.card(request.path_params["name"])
            wish = first_wish(card.view.value, session.name)
        return await self._look(await self._sheet(request, wish), looked_at(fields))

    async def set(self, request: Request) -> Response:
        """What is pressed: `look` again at what it would touch, or set it."""
        admitted = await self._door.admit(request)
        sheet = await self._sheet(request, _owned(wish_of(admitted.fields), admitted))
        button = admitted.fields.get("look")
        if button is not None:
            return await self._look(sheet, None if button == "again" else looked_at(admitted.fields))
        return await self._set(sheet, admitted)

    async def _set(self, sheet: _Sheet, admitted: Admitted) -> Response:
        problems = _problems(sheet)
        if isinstance(sheet.rule, WishUnclear):
            return self._draw(sheet, None, problems, status=422)
        drafting = changes.set_rule(sheet.name, sheet.rule)
        if problems or admitted.fields.get("seen") != sheet.wish.seal:
            proposal = await self._desk.ask(partial(changes.propose, drafting, looked_at(admitted.fields)))
            return self._draw(sheet, proposal, problems, status=422, looked=not problems)
        outcome = await self._hand.make(drafting, sheet.wish.reason, admitted)
        if isinstance(outcome, Proposal):
            return self._draw(sheet, outcome, {}, status=409)
        return made(sheet.name, outcome.epoch)

    async def _look(self, sheet: _Sheet, if_epoch: int | None) -> Response:
        """`if_epoch` is what was looked at before, None for a first look."""
        if isinstance(sheet.rule, WishUnclear):
            return self._draw(sheet, None, sheet.rule.problems)
        drafting = changes.set_rule(sheet.name, sheet.rule)
        return self._draw(sheet, await self._desk.ask(partial(changes.propose, drafting, if_epoch)), {})

    async def _sheet(self, request: Request, wish: Wish) -> _Sheet:
        name = request.path_params["name"]
        declaration = await self._desk.ask(partial(changes.declaration_of, name))
        rule = rule_of(wish, declaration, self._now_ms())
        return _Sheet(request, name, declaration, wish, rule)

    def _draw(
        self,
        sheet: _Sheet,
        proposal: Proposal | None,
        problems: Mapping[str, str],
        *,
        status: int = 200,
        looked: bool = False,
    ) -> Response:
        return self._frame.draw(
            sheet.request,
            "set.html",
            status=status,
            name=sheet.name,
            declaration=sheet.declaration,
            wish=sheet.wish,
            proposal=proposal,
            problems=problems,
            looked=looked,
            until_ms=proposal.draft.after.rules[-1].until_ms if proposal and proposal.draft.after.rules else 0,
            clocks_note=clocks_note(sheet.wish, self._now_ms()),
            lengths=LENGTHS,
            choices=_choices(sheet.declaration),
        )

    def _now_ms(self) -> int:
        return self._desk.clock.wall_ns() // 1_000_000


def _problems(sheet: _Sheet) -> dict[str, str]:
    """What keeps it from being set; to be looked at it needs no reason."""
    problems = dict(sheet.rule.problems) if isinstance(sheet.rule, WishUnclear) else {}
    if not sheet.wish.reason:
        problems["reason"] = "Say why: it stands in the history, and whoever comes after you reads it."
    return problems


def _owned(wish: Wish, admitted: Admitted) -> Wish:
    return wish if wish.owner else msgspec.structs.replace(wish, owner=admitted.session.name)


def _choices(declaration: Declaration | None) -> list[str]:
    """Of what may be one of a few, each as it would be typed."""
    choices = declaration.schema.get("enum", ()) if declaration is not None else ()
    return [choice if isinstance(choice, str) else msgspec.json.encode(choice).decode() for choice in choices]
