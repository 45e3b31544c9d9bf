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


def switch_routes(gateway: NodeGateway, watch: Watch, door: Door) -> list[Route]:
    """Each address with the page that answers it."""
    layout = Layout(gateway, watch, door)
    page, read, setting, unsetting = layout.page, ReadPages(layout), SetPages(layout), UnsetPages(layout)
    return [
        Route(HOME, page(read.board)),
        Route(f"{HOME}/events", read.events),
        Route(f"{HOME}/history", page(read.history)),
        Route(f"{HOME}/of/{_ONE}", page(read.switch)),
        Route(f"{HOME}/set/{_ONE}", page(setting.look), methods=["GET"]),
        Route(f"{HOME}/set/{_ONE}", page(setting.set), methods=["POST"]),
        Route(f"{HOME}/unset/{_ONE}", page(unsetting.look), methods=["GET"]),
        Route(f"{HOME}/unset/{_ONE}", page(unsetting.unset), methods=["POST"]),
        Route(f"{HOME}/undo/{_ONE}", page(unsetting.undo), methods=["POST"]),
        Route("/sign-in", door.sign_in_page, methods=["GET"]),
        Route("/sign-in", turned_away(door.sign_in), methods=["POST"]),
        Route("/sign-out", turned_away(door.sign_out), methods=["POST"]),
    ]
