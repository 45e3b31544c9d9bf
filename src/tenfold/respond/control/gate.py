"""Who may ask: whoever shows the token. Health and metrics are for all who reach the port, loopback by default."""

import hmac

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/health", "/metrics"})
REFUSAL = {"problem": "The control node asks for its token, in the header 'Authorization: Bearer …'."}


class Gate:
    """ASGI middleware: answers 401 to everybody else."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._may_ask(scope):
            return await self._app(scope, receive, send)
        return await JSONResponse(REFUSAL, status_code=401)(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._expected)
