"""The addresses of the switchboard. To look needs no session; what changes something goes by the door."""

from starlette.routing import Route

from tenfold.console.switchboard.gateway import NodeGateway
from tenfold.console.switchboard.layout import HOME, Layout
from tenfold.console.switchboard.read_pages import ReadPages
from tenfold.console.switchboard.set_pages import SetPages
from tenfold.console.switchboard.unset_pages import UnsetPages
from tenfold.console.switchboard.watch import Watch
from tenfold.serving import Door, turned_away

_ONE = "{name:path}"
"""A name stands last, since a record may be called `a/b`."""


class SwitchPages:
    """The pages; `routes` names their addresses."""

    def __init__(self, gateway: NodeGateway, watch: Watch, door: Door) -> None:
        self._door = door
        self._layout = Layout(gateway, watch, door)
        self._read = ReadPages(self._layout)
        self._set = SetPages(self._layout)
        self._unset = UnsetPages(self._layout)

    def routes(self) -> list[Route]:
        """Each address with what answers it."""
        return [*self._routes_to_look(), *self._routes_to_change(), *self._routes_to_sign_in()]

    def _routes_to_look(self) -> list[Route]:
        page, read = self._layout.page, self._read
        return [
            Route(HOME, page(read.board)),
            Route(f"{HOME}/events", read.events),
            Route(f"{HOME}/history", page(read.history)),
            Route(f"{HOME}/of/{_ONE}", page(read.switch)),
        ]

    def _routes_to_change(self) -> list[Route]:
        page, setting, unsetting = self._layout.page, self._set, self._unset
        return [
            Route(f"{HOME}/set/{_ONE}", page(setting.look), methods=["GET"]),
            Route(f"{HOME}/set/{_ONE}", page(setting.set), methods=["POST"]),
            Route(f"{HOME}/unset/{_ONE}", page(unsetting.look), methods=["GET"]),
            Route(f"{HOME}/unset/{_ONE}", page(unsetting.unset), methods=["POST"]),
            Route(f"{HOME}/undo/{_ONE}", page(unsetting.undo), methods=["POST"]),
        ]

    def _routes_to_sign_in(self) -> list[Route]:
        return [
            Route("/sign-in", self._door.sign_in_page, methods=["GET"]),
            Route("/sign-in", turned_away(self._door.sign_in), methods=["POST"]),
            Route("/sign-out", turned_away(self._door.sign_out), methods=["POST"]),
        ]
