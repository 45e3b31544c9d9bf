"""Past runs as a server of their own, for as long as somebody reads: `tenfold reports serve`."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tenfold.console.runs.pages import run_routes
from tenfold.rehearse.past import RunArchive
from tenfold.serving import AppServer, LoopbackPolicy, ServerName

_STATIC = Path(__file__).parent.parent / "static"
_NAME = ServerName("The reader of reports", "past runs cannot be read in a browser", "Choose another port.")


class ReportReader:
    """The address of past runs for as long as it is open. Port 0 takes a free one."""

    def __init__(self, reports: Path, *, port: int = 0) -> None:
        self._server = AppServer(reader_app(RunArchive(reports)), _NAME, port=port)

    async def open(self) -> str:
        """Serve, and answer the address of the list. Raises PortTakenError, ServerUnreachableError."""
        await self._server.open()
        return f"{self._server.url}/runs"

    async def close(self) -> None:
        await self._server.close()


def reader_app(archive: RunArchive) -> Starlette:
    """The pages of past runs and nothing else."""
    return Starlette(
        routes=[
            Route("/", _to_runs),
            Route("/health", _health),
            *run_routes(archive),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[Middleware(LoopbackPolicy, name="The reader of reports")],
    )


async def _to_runs(_: Request) -> Response:
    return RedirectResponse("/runs")


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok\n")
