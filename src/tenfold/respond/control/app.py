"""The control node as an ASGI application.

GET    /control/v1/stream                 NDJSON: what was missed or everything, then every change, then beats
POST   /control/v1/acks                   what a process has in force
POST   /control/v1/reports                what a process says about a topic
GET    /control/v1/reports/{topic}        the newest of it from each process
GET    /control/v1/processes              who follows, and how far each is
GET    /control/v1/topics                 how many records each topic has
GET    /control/v1/topics/{topic}         its records, and the epoch up to which they are all there is
GET    /control/v1/topics/{topic}/{key}   one record; its epoch is the ETag
PUT    /control/v1/topics/{topic}/{key}   a new value, JSON; `If-Match: "EPOCH"`, 0 for "there must be none"
DELETE /control/v1/topics/{topic}/{key}   the same, without a value
GET    /control/v1/keys/{key}             its records in topics, its newest changes; ?topic=&topic=&changes=
GET    /control/v1/history                durable changes, newest first; ?topic=&key=&before=&limit=
GET    /control/v1/chain                  durable changes with their digests, oldest first, and the head; ?after=&limit=
GET    /control/v1/held                   every lasting record, as it is in force and as the store's file has it now
GET    /control/v1/changes/{epoch}/acks   who has a durable change in force, and how long it took
GET    /health, /metrics                  without a token
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tenfold.channel.messages import Acks, Change, Reports, encode
from tenfold.kernel import TenfoldError
from tenfold.respond.control.callers import CALLER, CallerGate
from tenfold.respond.control.change_writer import ChangeFailed
from tenfold.respond.control.hearing import Heard
from tenfold.respond.control.log import NO_RECORD, Conflict, Put
from tenfold.respond.control.node import ControlNode
from tenfold.respond.control.store import HeldRecord, RecordsHeld
from tenfold.respond.control.stream import StreamEndpoint
from tenfold.serving import (
    BodyInvalid,
    BodyLate,
    BodyTooLarge,
    OnceOnly,
    failed,
    problem,
    read_body,
    read_json,
    refuse_names_twice,
    refused_by_routes,
)
from tenfold.serving.body import number_in
from tenfold.telemetry import CONTENT_TYPE, render

BYTES_MAX = 2 << 20
"""Of a body."""
HISTORY_MAX = 1000
REASONS_MAX = 10
_ROOT = "/control/v1"
SERVICE_PATHS = frozenset({("GET", f"{_ROOT}/stream"), ("POST", f"{_ROOT}/acks"), ("POST", f"{_ROOT}/reports")})
"""What a service's token is for."""


def control_app(node: ControlNode, token: str) -> ASGIApp:
    """Every address of the node, behind its token."""
    desk = _Addresses(node)
    return Starlette(
        routes=[
            Route(f"{_ROOT}/stream", StreamEndpoint(node), methods=["GET"]),
            Route(f"{_ROOT}/acks", desk.acks, methods=["POST"]),
            Route(f"{_ROOT}/reports", desk.reports, methods=["POST"]),
            Route(f"{_ROOT}/reports/{{topic}}", desk.reports_of),
            Route(f"{_ROOT}/processes", desk.processes),
            Route(f"{_ROOT}/topics", desk.topics),
            Route(f"{_ROOT}/topics/{{topic}}", desk.records),
            Route(f"{_ROOT}/topics/{{topic}}/{{key:path}}", desk.record, methods=["GET"]),
            Route(f"{_ROOT}/topics/{{topic}}/{{key:path}}", desk.change, methods=["PUT", "DELETE"]),
            Route(f"{_ROOT}/keys/{{key:path}}", desk.key),
            Route(f"{_ROOT}/history", desk.history),
            Route(f"{_ROOT}/chain", desk.chain),
            Route(f"{_ROOT}/held", desk.held),
            Route(f"{_ROOT}/changes/{{epoch}}/acks", desk.change_acks),
            Route("/health", desk.health),
            Route("/metrics", desk.metrics),
        ],
        middleware=[Middleware(OnceOnly), Middleware(CallerGate, secret=token, service_paths=SERVICE_PATHS)],
        exception_handlers={
            HTTPException: refused_by_routes,
            Exception: failed,
            BodyTooLarge: _as(413),
            BodyLate: _as(408),
            BodyInvalid: _as(400),
            ChangeFailed: _as(500, named=True),
            TenfoldError: _as(503, named=True),
        },
    )


class _Addresses:
    def __init__(self, node: ControlNode) -> None:
        self._node = node

    async def acks(self, request: Request) -> Response:
        said = await read_json(request, Acks, BYTES_MAX)
        return _heard(self._node.hear_acks(said, request.scope[CALLER]))

    async def reports(self, request: Request) -> Response:
        said = await read_json(request, Reports, BYTES_MAX)
        return _heard(self._node.hear_reports(said, request.scope[CALLER]))

    async def reports_of(self, request: Request) -> Response:
        reports = self._node.inbox.of(request.path_params["topic"])
        return _json({"reports": {process: msgspec.Raw(payload) for process, payload in reports.items()}})

    async def processes(self, _: Request) -> Response:
        now_ns = self._node.clock.monotonic_ns()
        presences = self._node.ledger.presences(now_ns)
        return _json({"epoch": self._node.log.epoch, "now_ns": now_ns, "processes": presences})

    async def topics(self, _: Request) -> Response:
        log = self._node.log
        return _json({"incarnation": log.incarnation, "epoch": log.epoch, "topics": log.topics()})

    async def records(self, request: Request) -> Response:
        records = self._node.log.records(request.path_params["topic"])
        return _json({"epoch": self._node.log.epoch, "records": records})

    async def record(self, request: Request) -> Response:
        record = self._node.log.get(request.path_params["topic"], request.path_params["key"])
        return problem(404, NO_RECORD) if record is None else _changed(record)

    async def key(self, request: Request) -> Response:
        """The key's records, and its newest changes in the first topic that is stated."""
        key, topics = request.path_params["key"], request.query_params.getlist("topic")
        limit = min(_number(request, "changes", 0), HISTORY_MAX)
        records = [record for topic in topics if (record := self._node.log.get(topic, key)) is not None]
        changes = self._node.store.history(topics[0], key, limit=limit) if topics and limit else []
        return _json({"records": records, "changes": changes})

    async def change(self, request: Request) -> Response:
        value = await read_body(request, BYTES_MAX) if request.method == "PUT" else None
        refuse_names_twice(value or b"")
        put = Put(
            topic=request.path_params["topic"],
            key=request.path_params["key"],
            value=value,
            if_epoch=_if_epoch(request),
            by=unquote(request.headers.get("tenfold-by", "")),
            reason=unquote(request.headers.get("tenfold-reason", "")),
            confirmed=request.headers.get("tenfold-confirmed", "") == "1",
        )
        outcome = await self._node.put(put)
        if isinstance(outcome, Change):
            return _changed(outcome)
        if isinstance(outcome, Conflict):
            return problem(412, "Somebody else was first.", current=outcome.current)
        return problem(400, outcome.problem)

    async def history(self, request: Request) -> Response:
        asked = request.query_params
        before = _number(request, "before", 0) if "before" in asked else None
        limit = min(_number(request, "limit", 100), HISTORY_MAX)
        changes = self._node.store.history(asked.get("topic"), asked.get("key"), before=before, limit=limit)
        return _json({"changes": changes})

    async def chain(self, request: Request) -> Response:
        after, limit = _number(request, "after", 0), _number(request, "limit", HISTORY_MAX)
        return _json(self._node.store.chain(after, min(limit, HISTORY_MAX)))

    async def held(self, _: Request) -> Response:
        lasting = [record for record in self._node.log.records() if not record.ephemeral]
        in_force = [HeldRecord(record.topic, record.key, encode(record).decode()) for record in lasting]
        return _json({"in force": RecordsHeld(self._node.log.epoch, in_force), "in the file": self._node.store.held()})

    async def change_acks(self, request: Request) -> Response:
        epoch = number_in(request.path_params, "epoch")
        if epoch is None:
            raise BodyInvalid("An epoch is a whole number.")
        return _json({"acks": self._node.ledger.acks(epoch)})

    async def health(self, _: Request) -> Response:
        if self._node.ended:
            return problem(503, "The control node accepts no change any longer. Start it again.")
        return PlainTextResponse("ok\n")

    async def metrics(self, _: Request) -> Response:
        return Response(render(self._node.registry), media_type=CONTENT_TYPE)


def _heard(heard: Heard) -> Response:
    if not heard.known:
        return problem(404, "This process has never followed this node.")
    if heard.foreign:
        return problem(403, heard.foreign)
    if heard.refused:
        why = f"{len(heard.refused)} were not taken, by their place: {'; '.join(heard.refused[:REASONS_MAX])}."
        return problem(422, why, refused=len(heard.refused))
    return Response(status_code=204)


def _if_epoch(request: Request) -> int | None:
    """Raises BodyInvalid."""
    stated = request.headers.get("if-match")
    if stated is None:
        return None
    epoch = number_in({"if-match": stated.strip('"')}, "if-match")
    if epoch is None:
        raise BodyInvalid("If-Match is no epoch; it is the ETag of the record as it was read.")
    return epoch


def _number(request: Request, name: str, default: int) -> int:
    """What the address states by that name. Raises BodyInvalid."""
    number = number_in(request.query_params, name) if name in request.query_params else default
    if number is None:
        raise BodyInvalid(f"'{name}' is a whole number.")
    return number


def _changed(change: Change) -> Response:
    return _json(change, headers={"ETag": f'"{change.epoch}"'})


def _json(answer: Any, *, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(answer) + b"\n", headers=headers, media_type="application/json")


def _as(status: int, *, named: bool = False) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers an error with its own sentence; `named` with its kind, which the client raises again."""

    async def answer(_: Request, error: Exception) -> Response:
        kind: dict[str, Any] = {"kind": type(error).__name__} if named else {}
        return problem(status, str(error), **kind)

    return answer
