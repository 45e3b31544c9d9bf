"""Which requests are let in, and what a page may do: the headers of every answer, the check against DNS rebinding.

A page of another site can make a browser ask 127.0.0.1 under that site's own name; so a request whose Host is not
loopback is refused. The pages load nothing but what this server serves and run no inline script.
"""

from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenfold.serving.problem import problem, refusal

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
OPEN_PATHS = frozenset({"/health", "/metrics"})
"""For all who reach the port, loopback by default."""
ONCE = frozenset(
    {
        *(b"authorization", b"content-length", b"content-type", b"cookie", b"host", b"idempotency-key", b"if-match"),
        *(b"origin", b"sec-fetch-site", b"transfer-encoding"),
    }
)
"""Headers by which something is decided; and all of our own, `tenfold-…`."""
REMEDY = "Open the address that tenfold printed."

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FORM_POLICY = PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")
"""For pages that change something, by forms that go home and nowhere else."""
FORM_HEADERS = {"Content-Security-Policy": FORM_POLICY, "Referrer-Policy": "same-origin"}
"""A page with forms may send them home, and only home. With `no-referrer` browsers would send `Origin: null`."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class LoopbackPolicy:
    """ASGI middleware: refuses what does not come by a loopback name and puts the headers on what does."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._refusal = f"{name} answers to 127.0.0.1 and localhost only. {REMEDY}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        answer = self._app if _is_loopback(scope) else refusal(Request(scope), 421, self._refusal)
        return await answer(scope, receive, send_with_headers)


class OnceOnly:
    """ASGI middleware: answers 400 when a header that decides something is stated twice.

    Two readers of one request may each believe another of the two (RFC 9112, section 11.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _stated_twice(scope["headers"]) if scope["type"] == "http" else None
        if name is None:
            return await self._app(scope, receive, send)
        return await problem(400, f"The header '{name}' is stated twice.")(scope, receive, send)


def _stated_twice(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and (name in ONCE or name.startswith(b"tenfold-")):
            return name.decode("latin-1")
        seen.add(name)
    return None


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)


def _is_loopback(scope: Scope) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and host_name(hosts[0]) in LOOPBACK_NAMES


def host_name(host: str) -> str:
    """The name in a Host header, without its port: `[::1]:8080` gives `[::1]`."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdecimal() else host.lower()


def is_own_page(headers: Mapping[str, str]) -> bool:
    """By what the browser states, which no page can. A visitor that states neither is no browser that we know."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, f"http://{headers.get('host', '')}")
