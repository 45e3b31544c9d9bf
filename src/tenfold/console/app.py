"""The console's pages as an ASGI application. Those of a run only read; those of switches change by the door alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tenfold.console.drawing import TEMPLATES
from tenfold.console.publisher import Publisher, progress_events
from tenfold.console.runs import REPORT_POLICY, run_routes
from tenfold.rehearse.past import RunArchive
from tenfold.serving import LoopbackPolicy
from tenfold.telemetry import CONTENT_TYPE, render

_HERE = Path(__file__).parent


def console_app(publisher: Publisher, switches: Sequence[Route] = (), archive: RunArchive | None = None) -> Starlette:
    """The live page, its event stream, the metrics of this process, the report once there is one, the switches, and
    past runs where there is an archive of them."""
    pages = _Pages(publisher)
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
        middleware=[Middleware(LoopbackPolicy, name="The console")],
    )


class _Pages:
    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def live(self, _: Request) -> Response:
        page = TEMPLATES.get_template("live.html").render(progress=self._publisher.latest)
        return HTMLResponse(page)

    async def events(self, _: Request) -> Response:
        if self._publisher.full:
            return PlainTextResponse("Too many pages follow this run already. Close one.\n", status_code=503)
        stream = progress_events(self._publisher, asyncio.current_task())
        return StreamingResponse(stream, media_type="text/event-stream")

    async def report(self, _: Request) -> Response:
        return self._file("index.html", "text/html", {"Content-Security-Policy": REPORT_POLICY})

    async def verdict(self, _: Request) -> Response:
        return self._file("verdict.json", "application/json", {})

    async def metrics(self, _: Request) -> Response:
        return Response(render(self._publisher.registry), media_type=CONTENT_TYPE)

    async def health(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    def _file(self, name: str, media_type: str, headers: dict[str, str]) -> Response:
        """A file of the finished report; the path is the conductor's own, nothing of it comes from the request."""
        latest = self._publisher.latest
        path = Path(latest.report).with_name(name) if latest and latest.report else None
        if path is None or not path.is_file():
            return PlainTextResponse("There is no report yet. It is written when the run is over.\n", status_code=404)
        return FileResponse(path, media_type=media_type, headers=headers)
