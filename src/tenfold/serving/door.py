"""Lets a change in: of a person who is signed in, by a form of a page that was drawn for them.

Three things must hold, each alone enough against a page of another site: the session's cookie, which a browser sends
along with requests of our own pages only (SameSite=Strict); the origin that the browser states; and the session's own
token in the form.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tenfold.serving.body import BodyInvalid, BodyLate, Fields, read_form
from tenfold.serving.policy import is_own_page
from tenfold.serving.session import LASTS, Sessions, SignedIn, SignInRefused
from tenfold.telemetry import Registry

SEE_OTHER = 303
WAITING_MAX = 20
"""So many wrong codes are held back at once; more are told at once to come later (429)."""

Page = Callable[[Request], Awaitable[Response]]
Draw = Callable[..., Response]
"""Of a template's name, `status=` and what the template is told."""


class Admitted(NamedTuple):
    """A change that may be made: by whom, and what the form says."""

    session: SignedIn
    fields: Fields


class Turned(Exception):
    """The request is not let in; `response` says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Door:
    """Lets in or turns away."""

    def __init__(self, sessions: Sessions, draw: Draw, home: str, registry: Registry | None = None) -> None:
        """`home` is where the pages begin that the door leads to; `draw` makes them out of `sign_in.html` and
        `refused.html`.
        """
        self._sessions = sessions
        self._draw = draw
        self._home = home
        self._waiting = 0
        registry = registry or Registry()
        self._signed_in = registry.counter("tenfold_console_sign_ins_total", "People who signed in.").child()
        self._turned = registry.counter(
            "tenfold_console_refusals_total", "Requests to change something that were turned away.", ("why",)
        )

    def session(self, request: Request) -> SignedIn | None:
        return self._sessions.of(request.cookies.get(cookie_name(request), ""))

    def csrf(self, session: SignedIn | None) -> str:
        return self._sessions.csrf(session) if session is not None else ""

    async def admit(self, request: Request) -> Admitted:
        """Raises Turned."""
        fields = await self._form(request)
        session = self.session(request)
        if session is None:
            raise self._turn("session", 401, "You are not signed in, or no longer.", "Sign in, then press again.")
        if not self._sessions.is_csrf(session, fields.get("csrf", "")):
            raise self._turn("csrf", 403, "This form was not drawn for you.", "Open the switch again, press there.")
        return Admitted(session, fields)

    async def sign_in_page(self, request: Request) -> Response:
        if self.session(request) is not None:
            return RedirectResponse(self._next(request.query_params), SEE_OTHER)
        return self._sign_in_form(self._next(request.query_params))

    async def sign_in(self, request: Request) -> Response:
        fields = await self._form(request)
        peer = request.client.host if request.client is not None else ""
        cookie = self._sessions.sign_in(fields.get("code", ""), fields.get("name", ""), peer)
        if isinstance(cookie, SignInRefused):
            self._turned.child("code").inc()
            told = await self._hold_back(cookie)
            return self._sign_in_form(self._next(fields), problem=told, name=fields.get("name", ""))
        self._signed_in.inc()
        response = RedirectResponse(self._next(fields), SEE_OTHER)
        response.set_cookie(cookie_name(request), cookie, max_age=int(LASTS.s), httponly=True, samesite="strict")
        return response

    async def sign_out(self, request: Request) -> Response:
        admitted = await self.admit(request)
        self._sessions.sign_out(admitted.session)
        response = RedirectResponse(self._home, SEE_OTHER)
        response.delete_cookie(cookie_name(request), httponly=True, samesite="strict")
        return response

    async def _hold_back(self, refused: SignInRefused) -> SignInRefused:
        """What is answered in the end: who guesses waits for it, to a bound on how many do."""
        if not refused.wait.ns:
            return refused
        if self._waiting >= WAITING_MAX:
            return refused._replace(status=429, problem=f"{refused.problem} Too many others are wrong now; come later.")
        self._waiting += 1
        try:
            await asyncio.sleep(refused.wait.s)
        finally:
            self._waiting -= 1
        return refused

    async def _form(self, request: Request) -> Fields:
        """Raises Turned."""
        if not is_own_page(request.headers):
            raise self._turn("origin", 403, "This did not come from a page of this console.", "Open it, press there.")
        try:
            return await read_form(request)
        except BodyLate as error:
            raise self._turn("form", 408, str(error), "Open the page again.") from error
        except BodyInvalid as error:
            raise self._turn("form", 400, str(error), "Open the page again.") from error

    def _turn(self, why: str, status: int, problem: str, remedy: str) -> Turned:
        self._turned.child(why).inc()
        problem = f"{problem} Nothing was changed."
        page = self._draw("refused.html", status=status, problem=problem, remedy=remedy, sign_in=why == "session")
        return Turned(page)

    def _sign_in_form(self, next_path: str, problem: SignInRefused | None = None, name: str = "") -> Response:
        status = problem.status if problem is not None else 200
        text = problem.problem if problem is not None else ""
        return self._draw("sign_in.html", status=status, next=next_path, problem=text, name=name[:64])

    def _next(self, fields: Mapping[str, str]) -> str:
        """Where to go after signing in: a page that this door leads to, whatever an address asks for."""
        wished, home = fields.get("next", ""), self._home
        parts = urlsplit(wished)
        local = not parts.scheme and not parts.netloc and wished.isprintable() and "\\" not in wished
        return wished if local and (wished == home or wished.startswith((f"{home}/", f"{home}?"))) else home


def turned_away(page: Page) -> Page:
    """A page that answers what the door answered when it turned a visitor away."""

    async def answer(request: Request) -> Response:
        try:
            return await page(request)
        except Turned as turned:
            return turned.response

    return answer


def sign_in_path(request: Request) -> str:
    """Where to sign in, and to come back from."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/sign-in?next={quote(request.url.path + query, safe='')}"


def cookie_name(request: Request) -> str:
    """Cookies know no ports: two consoles of one machine would take each other's away."""
    return f"tenfold-session-{request.url.port or 80}"
