"""Programs ask with a token. Health and metrics are for all who reach the port, loopback by default."""

import hmac

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/health", "/metrics"})


class BearerGate:
    """ASGI middleware: answers 401 and `{"problem": refusal}` to whoever does not show the token."""

    def __init__(self, app: ASGIApp, token: str, refusal: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._refused = JSONResponse({"problem": refusal}, status_code=401)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._may_ask(scope):
            return await self._app(scope, receive, send)
        return await self._refused(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._expected)
