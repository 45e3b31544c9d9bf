"""What is answered of past runs. A name in an address is looked for among the folders there are, never joined to one.

The disk is read on a thread: the loop that answers may be the one that conducts a run.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from tenfold.console.drawing import draw
from tenfold.kernel import TenfoldError
from tenfold.rehearse.past import PastRun, RunArchive, compared, steps_csv

SHOWN_MAX = 50
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For a report, which is one file and so carries its script inside; it states the hash itself, and the browser holds
it to both policies. It is no part of the console: in the sandbox its script belongs to no origin."""

Page = Callable[[Request], Awaitable[Response]]


def run_routes(archive: RunArchive) -> list[Route]:
    """The addresses below `/runs`."""
    pages = _RunPages(archive)
    return [
        Route("/runs", _known(pages.all)),
        Route("/runs/compare", _known(pages.comparison)),
        Route("/runs/{run}", _known(pages.report)),
        Route("/runs/{run}/steps.csv", _known(pages.steps)),
        Route("/runs/{run}/verdict.json", _known(pages.verdict)),
    ]


def _known(page: Page) -> Page:
    """A run that is not known is answered in words."""

    async def answered(request: Request) -> Response:
        try:
            return await page(request)
        except TenfoldError as error:
            return PlainTextResponse(f"{error}\n", status_code=404)

    return answered


class _RunPages:
    def __init__(self, archive: RunArchive) -> None:
        self._archive = archive

    async def all(self, _: Request) -> Response:
        runs = await asyncio.to_thread(self._archive.runs, SHOWN_MAX)
        return draw("runs.html", runs=runs, folder=str(self._archive.folder))

    async def comparison(self, request: Request) -> Response:
        first, second = [await self._find(request.query_params.get(name, "")) for name in ("a", "b")]
        return draw("compare.html", first=first, second=second, rows=compared(first, second))

    async def report(self, request: Request) -> Response:
        run = await self._find(request.path_params["run"])
        if not run.page.is_file():
            return PlainTextResponse(f"Run {run.id} left a verdict and no page.\n", status_code=404)
        return FileResponse(run.page, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    async def steps(self, request: Request) -> Response:
        run = await self._find(request.path_params["run"])
        told = {"Content-Disposition": f'attachment; filename="{run.id}.csv"'}
        return Response(steps_csv(run), media_type="text/csv", headers=told)

    async def verdict(self, request: Request) -> Response:
        run = await self._find(request.path_params["run"])
        return FileResponse(run.folder / "verdict.json", media_type="application/json")

    async def _find(self, name: str) -> PastRun:
        return await asyncio.to_thread(self._archive.find, name)
