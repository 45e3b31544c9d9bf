"""Who speaks to the control node, by the token that is shown: an operator, who may do everything, or one service, which
may follow, acknowledge and report in its own name and nothing else.

A service's token is derived from the operator's (HMAC-SHA256, RFC 2104), so that the node needs no list of them, and
nobody who has one can make another.
"""

import hmac
from hashlib import sha256
from urllib.parse import quote, unquote

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from tenfold.serving import problem
from tenfold.serving.policy import OPEN_PATHS

CALLER = "tenfold.caller"
"""Where the gate leaves the ControlCaller in an ASGI scope."""
REFUSAL = "The control node asks for its token, in the header 'Authorization: Bearer …'."
NOT_A_SERVICES = "A service's token is for following, acknowledging and reporting; this takes the operator's token."
_BEARER = b"Bearer "
_PURPOSE = "tenfold-control-service/"


class ControlCaller(msgspec.Struct, frozen=True):
    """`service` is None for an operator, who may speak for any."""

    service: str | None = None

    def may_speak_for(self, service: str) -> bool:
        return self.service in (None, service)


def service_token(secret: str, service: str) -> str:
    """What the service called so shows; `secret` is the operator's token. The name can be read in it."""
    mac = hmac.new(secret.encode(), (_PURPOSE + service).encode(), sha256).hexdigest()
    return f"{quote(service, safe='')}:{mac}"


def caller_of(secret: str, shown: bytes) -> ControlCaller | None:
    """Who shows this; None when it is nobody's. Compared in constant time."""
    if hmac.compare_digest(shown, secret.encode()):
        return ControlCaller()
    try:
        service = unquote(shown.decode("ascii").rpartition(":")[0], errors="strict")
    except ValueError:
        return None
    if service and hmac.compare_digest(shown, service_token(secret, service).encode()):
        return ControlCaller(service)
    return None


class CallerGate:
    """ASGI middleware: 401 for nobody, 403 for a service that asks for what is not a service's."""

    def __init__(self, app: ASGIApp, secret: str, service_paths: frozenset[tuple[str, str]]) -> None:
        self._app = app
        self._secret = secret
        self._service_paths = service_paths
        self._unknown = problem(401, REFUSAL, headers={"WWW-Authenticate": "Bearer"})
        self._forbidden = problem(403, NOT_A_SERVICES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        caller = self._caller(scope)
        if caller is None:
            return await self._unknown(scope, receive, send)
        asked = "GET" if scope["method"] == "HEAD" else scope["method"]
        if caller.service is not None and (asked, scope["path"]) not in self._service_paths:
            return await self._forbidden(scope, receive, send)
        return await self._app({**scope, CALLER: caller}, receive, send)

    def _caller(self, scope: Scope) -> ControlCaller | None:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(shown) != 1 or not shown[0].startswith(_BEARER):
            return None
        return caller_of(self._secret, shown[0].removeprefix(_BEARER))
