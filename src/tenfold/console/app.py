"""The console's pages as an ASGI application. Those of a run only read; those of switches change by the door alone."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tenfold.console.drawing import TEMPLATES
from tenfold.console.publisher import Publisher, progress_events
from tenfold.console.runs import REPORT_POLICY, run_routes
from tenfold.rehearse.past import RunArchive
from tenfold.serving import LoopbackPolicy, OnceOnly, failed, refusal, refused_by_routes
from tenfold.serving.events import event_stream
from tenfold.telemetry import CONTENT_TYPE, render

_HERE = Path(__file__).parent


IsSignedIn = Callable[[Request], bool]


def console_app(
    publisher: Publisher,
    switches: Sequence[Route] = (),
    is_signed_in: IsSignedIn = lambda _: False,
    archive: RunArchive | None = None,
) -> Starlette:
    """The live page, its event stream, the metrics of this process, the report once there is one, the switches, and
    past runs where there is an archive of them."""
    pages = _Pages(publisher, is_signed_in)
    return Starlette(
        routes=[
            Route("/", pages.live),
            Route("/events", pages.events),
            Route("/report", pages.report),
            Route("/verdict.json", pages.verdict),
            Route("/metrics", pages.metrics),
            Route("/health", pages.health),
            *switches,
            *(run_routes(archive) if archive else []),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(OnceOnly), Middleware(LoopbackPolicy, name="The console")],
        exception_handlers={HTTPException: refused_by_routes, Exception: failed},
    )


class _Pages:
    def __init__(self, publisher: Publisher, is_signed_in: IsSignedIn) -> None:
        self._publisher = publisher
        self._is_signed_in = is_signed_in

    async def live(self, _: Request) -> Response:
        page = TEMPLATES.get_template("live.html").render(progress=self._publisher.latest)
        return HTMLResponse(page)

    async def events(self, request: Request) -> Response:
        if self._publisher.full(signed_in=self._is_signed_in(request)):
            return refusal(request, 503, "Too many pages follow this run already. Close one.")
        return event_stream(request, lambda: progress_events(self._publisher, asyncio.current_task()))

    async def report(self, request: Request) -> Response:
        return self._file(request, "index.html", "text/html", {"Content-Security-Policy": REPORT_POLICY})

    async def verdict(self, request: Request) -> Response:
        return self._file(request, "verdict.json", "application/json", {})

    async def metrics(self, _: Request) -> Response:
        return Response(render(self._publisher.registry), media_type=CONTENT_TYPE)

    async def health(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    def _file(self, request: Request, name: str, media_type: str, headers: dict[str, str]) -> Response:
        """A file of the finished report; the path is the conductor's own, nothing of it comes from the request."""
        latest = self._publisher.latest
        path = Path(latest.report).with_name(name) if latest and latest.report else None
        if path is None or not path.is_file():
            return refusal(request, 404, "There is no report yet. It is written when the run is over.")
        return FileResponse(path, media_type=media_type, headers=headers)
