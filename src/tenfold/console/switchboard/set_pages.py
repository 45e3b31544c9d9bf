"""The pages that set a switch: a form, what it would touch as it is filled in now, and the press that makes it so."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenfold.channel import Change
from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.change import Proposal, looked_at
from tenfold.console.switchboard.layout import Layout, made
from tenfold.console.switchboard.switch_form import (
    LENGTHS,
    FormProblems,
    SwitchForm,
    clocks_note,
    first_form,
    form_of,
    rule_of,
)
from tenfold.protect.live.switches import Declaration
from tenfold.respond.switchboard import SwitchOperator
from tenfold.serving import Admitted
from tenfold.serving.body import Fields
from tenfold.serving.door import SEE_OTHER, sign_in_path


class Sheet(NamedTuple):
    """One form as it was filled in: what is wrong with it, by field, and what it would touch, once that can be said.

    `looked` says that it was changed after the last look.
    """

    form: SwitchForm
    declaration: Declaration | None
    problems: Mapping[str, str]
    proposal: Proposal | None = None
    status: int = 200
    looked: bool = False


class SetPages:
    """Nothing is set that was not looked at just as it is pressed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._gateway = layout.gateway
        self._watch = layout.watch
        self._door = layout.door

    async def look(self, request: Request) -> Response:
        """The form, with what it would touch."""
        session = self._door.session(request)
        if session is None:
            return RedirectResponse(sign_in_path(request), SEE_OTHER)
        fields = request.query_params
        if "value" in fields:
            form = form_of(fields)
        else:
            card = await self._watch.card(request.path_params["name"])
            form = first_form(card.view.value, session.name)
        return await self._look(request, form, looked_at(fields))

    async def set(self, request: Request) -> Response:
        """What is pressed: `look` again at what it would touch, or set it."""
        admitted = await self._door.admit(request)
        form, button = _owned(form_of(admitted.fields), admitted), admitted.fields.get("look")
        if button is not None:
            return await self._look(request, form, None if button == "again" else looked_at(admitted.fields))
        name = request.path_params["name"]
        outcome = await self._gateway.commit(partial(_press, name, form, admitted.fields), by=admitted.session.name)
        return self._draw(request, outcome) if isinstance(outcome, Sheet) else made(name, outcome.epoch)

    async def _look(self, request: Request, form: SwitchForm, if_epoch: int | None) -> Response:
        """`if_epoch` is what was looked at before, None for a first look."""
        work = partial(_look_at, request.path_params["name"], form, if_epoch)
        return self._draw(request, await self._gateway.ask(work))

    def _draw(self, request: Request, sheet: Sheet) -> Response:
        proposal = sheet.proposal
        return self._layout.draw(
            request,
            "set.html",
            status=sheet.status,
            name=request.path_params["name"],
            declaration=sheet.declaration,
            form=sheet.form,
            proposal=proposal,
            problems=sheet.problems,
            looked=sheet.looked,
            until_ms=proposal.draft.after.rules[-1].until_ms if proposal and proposal.draft.after.rules else 0,
            clocks_note=clocks_note(sheet.form, self._gateway.clock.wall_ns() // 1_000_000),
            lengths=LENGTHS,
            choices=_choices(sheet.declaration),
        )


def _look_at(name: str, form: SwitchForm, if_epoch: int | None, operator: SwitchOperator) -> Sheet:
    """To be looked at a form needs no reason."""
    switch = operator.current(name)
    rule = rule_of(form, switch.declaration, switch.now_ms)
    if isinstance(rule, FormProblems):
        return Sheet(form, switch.declaration, rule.problems)
    proposal = changes.propose(lambda _: switch.draft_set(rule), if_epoch, operator)
    return Sheet(form, switch.declaration, {}, proposal)


def _press(name: str, form: SwitchForm, fields: Fields, operator: SwitchOperator) -> Change | Sheet:
    """Two requests when nothing stands in the way: what is there, and the change."""
    switch = operator.current(name)
    rule = rule_of(form, switch.declaration, switch.now_ms)
    problems = dict(rule.problems) if isinstance(rule, FormProblems) else {}
    if not form.reason:
        problems["reason"] = "Say why: it stands in the history, and whoever comes after you reads it."
    if isinstance(rule, FormProblems):
        return Sheet(form, switch.declaration, problems, status=422)
    draft = switch.draft_set(rule)
    if problems or fields.get("seen") != form.seal:
        proposal = changes.propose(lambda _: draft, looked_at(fields), operator)
        return Sheet(form, switch.declaration, problems, proposal, status=422, looked=not problems)
    outcome = changes.make(lambda _: draft, form.reason, fields, operator)
    return Sheet(form, switch.declaration, {}, outcome, status=409) if isinstance(outcome, Proposal) else outcome


def _owned(form: SwitchForm, admitted: Admitted) -> SwitchForm:
    return form if form.owner else msgspec.structs.replace(form, owner=admitted.session.name)


def _choices(declaration: Declaration | None) -> list[str]:
    """Of what may be one of a few, each as it would be typed."""
    choices = declaration.schema.get("enum", ()) if declaration is not None else ()
    return [choice if isinstance(choice, str) else msgspec.json.encode(choice).decode() for choice in choices]
