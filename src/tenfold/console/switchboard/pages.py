"""The addresses of the switchboard. Looking needs no session; what changes something goes by the door."""

from starlette.routing import Route

from tenfold.console.door import HOME, Door, let_in
from tenfold.console.switchboard.desk import Desk
from tenfold.console.switchboard.frame import Frame
from tenfold.console.switchboard.hand import Hand
from tenfold.console.switchboard.looks import Looks
from tenfold.console.switchboard.setting import Setting
from tenfold.console.switchboard.taking_back import TakingBack
from tenfold.console.switchboard.watch import Watch

_ONE = "{name:path}"
"""A name stands last, since a record may be called `a/b`."""


class SwitchPages:
    """The pages; `routes` names their addresses."""

    def __init__(self, desk: Desk, watch: Watch, door: Door) -> None:
        self._door = door
        self._frame = Frame(desk, watch, door)
        hand = Hand(desk, watch)
        self._looks = Looks(desk, watch, self._frame)
        self._setting = Setting(desk, watch, hand, door, self._frame)
        self._taking_back = TakingBack(desk, hand, door, self._frame)

    def routes(self) -> list[Route]:
        """Each address with what answers it."""
        return [*self._routes_to_look(), *self._routes_to_change(), *self._routes_to_sign_in()]

    def _routes_to_look(self) -> list[Route]:
        page, looks = self._frame.page, self._looks
        return [
            Route(HOME, page(looks.board)),
            Route(f"{HOME}/events", looks.events),
            Route(f"{HOME}/history", page(looks.history)),
            Route(f"{HOME}/of/{_ONE}", page(looks.switch)),
        ]

    def _routes_to_change(self) -> list[Route]:
        page, setting, back = self._frame.page, self._setting, self._taking_back
        return [
            Route(f"{HOME}/set/{_ONE}", page(setting.look), methods=["GET"]),
            Route(f"{HOME}/set/{_ONE}", page(setting.set), methods=["POST"]),
            Route(f"{HOME}/unset/{_ONE}", page(back.look), methods=["GET"]),
            Route(f"{HOME}/unset/{_ONE}", page(back.unset), methods=["POST"]),
            Route(f"{HOME}/undo/{_ONE}", page(back.undo), methods=["POST"]),
        ]

    def _routes_to_sign_in(self) -> list[Route]:
        return [
            Route("/sign-in", self._door.sign_in_page, methods=["GET"]),
            Route("/sign-in", let_in(self._door.sign_in), methods=["POST"]),
            Route("/sign-out", let_in(self._door.sign_out), methods=["POST"]),
        ]
