"""Every route with Litestar: documented at /openapi.json, and what is not in its form refused."""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter

from freshmart.backends import Backends
from freshmart.media import PNG
from freshmart.orders import KEY_PATTERN, AskedOrder
from freshmart.web import desk
from freshmart.web.answers import FeatureAnswer, OrderAnswer, OrderDeclined, StatusAnswer
from freshmart.web.hot import BODY_BYTES_MAX, allowed
from freshmart.web.reply import ProblemReply, Reply, problem
from freshmart.web.routes import READS, SLUG, ReadRoute
from freshmart.web.storefront import Storefront, TagWrong
from tenfold.telemetry import CONTENT_TYPE, render

Number = Annotated[int, PathParameter(ge=1, le=999_999_999)]
Tag = Annotated[str | None, HeaderParameter(name="X-Tenfold-Test", required=False)]
Key = Annotated[str, HeaderParameter(name="Idempotency-Key", pattern=KEY_PATTERN)]
_VALUES: dict[str, Any] = {
    "store": Number,
    "sku": Number,
    "slug": Annotated[str, PathParameter(pattern=SLUG)],
    "order_id": FromPath[str],
}


def _refused(description: str, model: Any = ProblemReply) -> ResponseSpec:
    return ResponseSpec(model, description=description, media_type="application/problem+json", generate_examples=False)


_NOT_READY = _refused("Reads cannot be answered now.")
_MALFORMED = _refused("malformed: a value or a header is not of its form.")
_NOT_FOUND = _refused("There is no such thing.")
_NO_PICTURE = _refused("There is no such product; or no-picture: what is stored is none.")
_NOBODY = _refused("Neither a cache nor a database could answer, or more is asked than can be served; try again.")
_TAG_WRONG = _refused("X-Tenfold-Test does not carry the rehearsal's token.")


def make_routes(storefront: Storefront, backends: Backends) -> Litestar:
    """The application of the framework; `HotRoutes` stands in front of it."""

    @get("/features", sync_to_thread=False, responses={200: ResponseSpec(list[FeatureAnswer])})
    def features() -> Response[bytes]:
        """What this process can do without: who misses it now, what it saved."""
        views = [view._asdict() for view in backends.shields.views()]
        return _response(Reply(200, msgspec.json.encode(views)))

    @post(
        "/orders",
        responses={
            201: ResponseSpec(OrderAnswer, description="Accepted: stored durably, stock taken."),
            400: _refused("malformed"),
            403: _TAG_WRONG,
            409: _refused("sold-out; or key-reused: the key belongs to another order.", OrderDeclined | ProblemReply),
            422: _refused("unknown-product: the store does not sell it.", OrderDeclined),
            413: _refused("too-large"),
            408: _refused("stalled: the body did not arrive in time."),
            429: _refused("too-many-orders: the store sends more than it may; ask again after Retry-After."),
            503: _refused("busy, late or overloaded: ask again with the same key."),
        },
    )
    async def place_order(data: JSONBody[AskedOrder], key: Key, tag: Tag = None) -> Response[bytes]:
        """Place an order, all of it or nothing. The same key and body have the same answer, however often."""
        return _response(await storefront.place(data, key, shadow=storefront.is_shadow(tag)))

    @get("/health")
    async def health() -> StatusAnswer:
        """The process runs."""
        return StatusAnswer("running")

    @get("/ready", responses={200: ResponseSpec(StatusAnswer), 503: _NOT_READY})
    async def ready() -> Response[bytes]:
        """200 when reads can be answered: primary or replica answers, and a cache does. 503 otherwise."""
        return _response(desk.ready(await backends.is_ready()))

    @get("/metrics", media_type=CONTENT_TYPE, sync_to_thread=False)
    def metrics() -> bytes:
        """Prometheus text."""
        return render(backends.registry)

    reads = [_documented(route, storefront) for route in READS.values()]
    handlers: list[HTTPRouteHandler] = [*reads, features, place_order, health, ready, metrics]
    document = cache(lambda: _document_of(handlers))

    @get("/openapi.json", include_in_schema=False, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return _response(Reply(200, document()))

    return Litestar(
        route_handlers=[*handlers, openapi],
        openapi_config=None,  # the framework's own pages load scripts from elsewhere
        exception_handlers={HTTPException: _http_problem, TagWrong: _tag_wrong, Exception: _failed},
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )


def _document_of(handlers: list[HTTPRouteHandler]) -> bytes:
    config = OpenAPIConfig(title="freshmart", version="1", use_handler_docstrings=True)
    documented = Litestar(route_handlers=[*handlers], openapi_config=config, logging_config=None)
    return msgspec.json.encode(documented.openapi_schema.to_schema())


def _documented(route: ReadRoute, storefront: Storefront) -> HTTPRouteHandler:
    """The read as the framework wants it: a function that names its values, and every answer that it may have."""

    async def read(tag: str | None = None, **values: Any) -> Response[bytes]:
        lane = {"shadow": storefront.is_shadow(tag)} if route.tagged else {}
        return _response(await route.answer(storefront, **values, **lane))

    _state_signature(read, route)
    read.__name__, read.__doc__ = route.answer.__name__, route.answer.__doc__
    return get(route.path, responses=_answers(route))(read)


def _state_signature(function: Callable[..., Any], route: ReadRoute) -> None:
    stated = {name: _VALUES[name] for name in route.parameters}
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=value) for name, value in stated.items()]
    if route.tagged:
        stated["tag"] = Tag
        parameters.append(Parameter("tag", Parameter.KEYWORD_ONLY, annotation=Tag, default=None))
    function.__annotations__ = {**stated, "return": Response[bytes]}
    vars(function)["__signature__"] = Signature(parameters, return_annotation=Response[bytes])


def _answers(route: ReadRoute) -> dict[int, ResponseSpec]:
    """A path that is not of its form is a 404: there is no such address."""
    is_picture = route.model is bytes
    found = ResponseSpec(bytes, media_type=PNG) if is_picture else ResponseSpec(route.model)
    missing = _NO_PICTURE if is_picture else _NOT_FOUND
    answers = {200: found, 400: _MALFORMED, 404: missing, 503: _NOBODY}
    return {**answers, 403: _TAG_WRONG} if route.tagged else answers


def _response(reply: Reply) -> Response[bytes]:
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=headers["content-type"])


def _http_problem(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses: a word, and its own sentence."""
    words = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    detail = "; ".join(str(item.get("message", item)) for item in error.extra) if isinstance(error.extra, list) else ""
    message = f"{error.detail} {detail}".strip()
    allow = (error.headers or {}).get("allow")
    allow = None if allow is None else allowed(allow.encode()).decode()
    return _response(problem(error.status_code, words.get(error.status_code, "refused"), message, allow=allow))


def _failed(_: Request[Any, Any, Any], _error: Exception) -> Response[bytes]:
    return _response(problem(500, "failed", "This failed, for a reason that nobody foresaw."))


def _tag_wrong(_: Request[Any, Any, Any], error: TagWrong) -> Response[bytes]:
    return _response(problem(403, "tag-wrong", str(error)))
