"""Admission for a whole application: plain ASGI 3, whatever framework is inside."""

import random
from collections.abc import Awaitable, Callable, Collection

from tenfold.protect.calls.limit import End, end_of
from tenfold.protect.doors.admission.admit import RETRY_AFTER_S_MAX, wait
from tenfold.protect.doors.admission.caller import Application, Caller, Message, Receive, Scope, Send
from tenfold.protect.doors.admission.shedder import Shedder
from tenfold.protect.doors.admission.ticket import NEVER_NS, Fate, Ticket
from tenfold.protect.doors.deadline import HEADER_BYTES, left_ns, reset_deadline, set_deadline_ns

FATE = "tenfold.fate"
"""Where the scope says to `refused` what became of the request."""
EXEMPT = frozenset({"/metrics", "/ready"})
_ADMITTED, _WAITING, _ANSWERED, _IGNORED = Fate.ADMITTED, Fate.WAITING, End.ANSWERED, End.IGNORED
_BODY: Message = {"type": "http.response.body", "body": b"More is asked than can be served. Try again.\n"}


def _refusal(retry_after_s: int) -> Message:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_BODY["body"])).encode()),
        (b"retry-after", str(retry_after_s).encode()),
    ]
    return {"type": "http.response.start", "status": 503, "headers": headers}


_REFUSALS = [_refusal(seconds) for seconds in range(1, RETRY_AFTER_S_MAX + 1)]


async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    """503, to be tried again after a few whole seconds, by lot."""
    await send(random.choice(_REFUSALS))
    await send(_BODY)


def one_tenant(_scope: Scope) -> str:
    """Every caller is the same tenant."""
    return ""


class AdmissionMiddleware:
    """Each HTTP request is served, waits or is refused as `shedder` says: 503 with Retry-After, without a look inside.

    `tier(scope)` says how much a request matters (0 most), `tenant(scope)` whose it is: both are called for each
    request, so they should be quick; what they raise is the application's error. `exempt` paths always go through.
    `Tenfold-Deadline-Ms` becomes the deadline of all that is done for the request. Whose caller leaves while it
    waits is not begun. Answers of 503 and 504 tell the limit that too much was asked further down; of any other
    answer of 500 and more it learns nothing.

    `refused` answers in the application's place those that are not begun: without I/O, since there are many. What
    became of the request stands in `scope[FATE]`.
    """

    def __init__(
        self,
        app: Application,
        shedder: Shedder,
        *,
        tier: Callable[[Scope], int],
        tenant: Callable[[Scope], str] = one_tenant,
        refused: Application = refuse,
        exempt: Collection[str] = EXEMPT,
    ) -> None:
        self._app = app
        self._shedder = shedder
        self._tier = tier
        self._tenant = tenant
        self._refused = refused
        self._exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        ticket = self._shedder.enter(self._tier(scope), self._tenant(scope), self._due_ns(scope))
        if ticket.fate is _ADMITTED:
            await self._serve(ticket, scope, receive, send)
        elif ticket.fate is _WAITING:
            await self._wait(ticket, scope, receive, send)
        else:
            await self._turn_away(ticket, scope, receive, send)

    async def _wait(self, ticket: Ticket, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(receive, lambda: self._shedder.give_up(ticket, Fate.GONE))
        try:
            await wait(self._shedder, ticket)
            if ticket.fate is Fate.ADMITTED:
                await self._serve(ticket, scope, caller.receive, send)
            elif ticket.fate is not Fate.GONE:
                await self._turn_away(ticket, scope, caller.receive, send)
        finally:
            caller.stop()

    async def _serve(self, ticket: Ticket, scope: Scope, receive: Receive, send: Send) -> None:
        end = _IGNORED

        def sent(message: Message) -> Awaitable[None]:
            nonlocal end
            if message["type"] == "http.response.start":
                status = message["status"]
                end = _ANSWERED if status < 500 else _end_of_failure(status)
            return send(message)

        token = set_deadline_ns(ticket.deadline_ns) if ticket.deadline_ns != NEVER_NS else None
        try:
            await self._app(scope, receive, sent)
        except BaseException as error:
            end = end_of(error)
            raise
        finally:
            self._shedder.leave(ticket, end)
            if token is not None:
                reset_deadline(token)

    async def _turn_away(self, ticket: Ticket, scope: Scope, receive: Receive, send: Send) -> None:
        scope[FATE] = ticket.fate
        await self._refused(scope, receive, send)

    def _due_ns(self, scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == HEADER_BYTES:
                left = left_ns(value)
                return NEVER_NS if left is None else self._shedder.now_ns() + left
        return NEVER_NS


def _end_of_failure(status: int) -> End:
    return End.DROPPED if status in (503, 504) else End.IGNORED
