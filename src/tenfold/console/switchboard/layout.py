"""What every page of the switchboard has around it: the person who is signed in, the time; or why there is no page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenfold.console.drawing import draw
from tenfold.console.filters import in_path
from tenfold.console.switchboard.change import RuleGone
from tenfold.console.switchboard.gateway import NodeGateway
from tenfold.console.switchboard.watch import Watch
from tenfold.kernel import TenfoldError
from tenfold.respond.control import ControlRefusedError, ControlUnreachableError
from tenfold.respond.control.client import ControlFailedError
from tenfold.respond.switchboard import SwitchUnknown
from tenfold.respond.switchboard.operator import UndoRefused
from tenfold.serving import Door, turned_away
from tenfold.serving.door import SEE_OTHER, Page, sign_in_path

HOME = "/switches"

STATUS = {SwitchUnknown: 404, RuleGone: 409, UndoRefused: 409, ControlFailedError: 503, ControlRefusedError: 422}
"""The first that an error is. Whatever else is in the way is the world's: 503."""


class Layout:
    """What all pages of one console share: the way to the node, what was seen last, the door, and the frame."""

    def __init__(self, gateway: NodeGateway, watch: Watch, door: Door) -> None:
        self.gateway = gateway
        self.watch = watch
        self.door = door

    def page(self, page: Page) -> Page:
        """A page, or in words why there is none."""
        inside = turned_away(page)

        async def answer(request: Request) -> Response:
            try:
                return await inside(request)
            except TenfoldError as error:
                status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 503)
                return self._trouble(request, status, error)

        return answer

    def draw(self, request: Request, template: str, *, status: int = 200, **told: Any) -> Response:
        """The template with what is told to it alone and what is told to each."""
        session = self.door.session(request)
        common: dict[str, Any] = {
            "session": session,
            "csrf": self.door.csrf(session),
            "now_ns": self.gateway.clock.wall_ns(),
            "sign_in_path": sign_in_path(request) if request.method == "GET" else "/sign-in",
        }
        return draw(template, status=status, **{**common, **told})

    def _trouble(self, request: Request, status: int, error: TenfoldError) -> Response:
        lost = isinstance(error, ControlUnreachableError)
        return self.draw(
            request,
            "trouble.html",
            status=status,
            error=str(error),
            lost=lost,
            unsure=isinstance(error, ControlFailedError),
            name=request.path_params.get("name"),
            url=self.gateway.url,
            since_ns=self.gateway.unreachable_since_ns if lost else None,
            changing=request.method == "POST",
            overview=self.watch.newest if request.url.path == HOME else None,
        )


def made(name: str, epoch: int) -> Response:
    """On to the switch that was changed; loading that page again makes no second change."""
    return RedirectResponse(f"{HOME}/of/{in_path(name)}?made={epoch}", SEE_OTHER)
