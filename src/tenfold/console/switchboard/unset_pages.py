"""The pages that take back: one rule of a switch, or the newest change of it."""

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenfold.console.switchboard import change as changes
from tenfold.console.switchboard.change import Faster, Proposal, looked_at
from tenfold.console.switchboard.layout import Layout, made
from tenfold.console.switchboard.switch_form import REASON_LENGTH_MAX
from tenfold.serving.body import number_in
from tenfold.serving.door import SEE_OTHER, sign_in_path


class UnsetPages:
    """A rule is named by its seal, a change by its epoch: what another person made meanwhile is not taken back."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._gateway = layout.gateway
        self._door = layout.door

    async def look(self, request: Request) -> Response:
        """What it would touch to take back that rule."""
        if self._door.session(request) is None:
            return RedirectResponse(sign_in_path(request), SEE_OTHER)
        name, rule = request.path_params["name"], request.query_params.get("rule", "")
        drafting = changes.unset_rule(name, rule)
        proposal = await self._gateway.ask(partial(changes.propose, drafting, looked_at(request.query_params)))
        return self._draw(request, rule, proposal)

    async def unset(self, request: Request) -> Response:
        """Take back that rule, for a reason."""
        admitted = await self._door.admit(request)
        name, rule = request.path_params["name"], admitted.fields.get("rule", "")
        reason = admitted.fields.get("reason", "").strip()[:REASON_LENGTH_MAX]
        drafting = changes.unset_rule(name, rule)
        if not reason:
            proposal = await self._gateway.ask(partial(changes.propose, drafting, looked_at(admitted.fields)))
            return self._draw(request, rule, proposal, problem="Say why.", status=422)
        making = partial(changes.make, drafting, reason, admitted.fields)
        outcome = await self._gateway.commit(making, by=admitted.session.name)
        if isinstance(outcome, Proposal):
            return self._draw(request, rule, outcome, status=409)
        return made(name, outcome.epoch)

    async def undo(self, request: Request) -> Response:
        """As it was before the change that the form names."""
        admitted = await self._door.admit(request)
        name, change = request.path_params["name"], number_in(admitted.fields, "change") or 0
        outcome = await self._gateway.commit(partial(changes.undo, name, change), by=admitted.session.name)
        if isinstance(outcome, Faster):
            return self._layout.draw(request, "faster.html", status=409, name=name, faster=outcome)
        return made(name, outcome.epoch)

    def _draw(
        self, request: Request, rule: str, proposal: Proposal, *, problem: str = "", status: int = 200
    ) -> Response:
        told = {"name": request.path_params["name"], "rule": rule, "proposal": proposal, "problem": problem}
        return self._layout.draw(request, "unset.html", status=status, **told)
