"""What is refused, as programs read it (RFC 9457, `application/problem+json`) or as a person does.

`type` is left out, so it is `about:blank`: the status says the kind, `detail` the case.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PROBLEM = "application/problem+json"
_PAGE_METHODS = frozenset({"GET", "HEAD"})


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """For programs; `more` stands beside the sentence, by name."""
    said = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(said) + b"\n", status, headers, PROBLEM)


def refusal(request: Request, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """A sentence for a person at a browser, a problem for anything else."""
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{detail}\n", status, headers)
    return problem(status, detail, headers=headers)


async def refused_by_routes(request: Request, error: Exception) -> Response:
    """For a Starlette application: no such address (404), or not to be asked so (405, with `Allow`)."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return refusal(request, error.status_code, "There is nothing at this address.")
    allowed = ", ".join(sorted(_allowed(request)))
    return refusal(request, 405, f"This address takes {allowed}.", headers={"Allow": allowed})


async def failed(request: Request, _: Exception) -> Response:
    """For what nobody foresaw; Starlette raises it again, for the log."""
    return refusal(request, 500, "This failed, for a reason that nobody foresaw.")


def _allowed(request: Request) -> frozenset[str]:
    """The methods of all routes that share the address."""
    found = [
        getattr(route, "methods", None) or _PAGE_METHODS
        for route in request.app.routes
        if route.matches(request.scope)[0].value
    ]
    return frozenset[str]().union(*found) or _PAGE_METHODS
