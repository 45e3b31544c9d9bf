"""Every route with Litestar: documented at /openapi.json, and what is not in its form refused."""

from collections.abc import Callable
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
from freshmart.web.answers import FeatureAnswer, OrderAnswer, OrderDeclined
from freshmart.web.hot import BODY_BYTES_MAX
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

_NOT_FOUND = ResponseSpec(ProblemReply, description="There is no such thing.")
_NO_PICTURE = ResponseSpec(ProblemReply, description="There is no such product; or no-picture: what is stored is none.")
_NOBODY = ResponseSpec(ProblemReply, description="Neither a cache nor a database could answer; try again.")
_TAG_WRONG = ResponseSpec(ProblemReply, description="X-Tenfold-Test does not carry the rehearsal's token.")


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
            400: ResponseSpec(ProblemReply, description="malformed"),
            403: _TAG_WRONG,
            409: ResponseSpec(OrderDeclined, description="sold-out; or key-reused: the key belongs to another order."),
            422: ResponseSpec(OrderDeclined, description="unknown-product: the store does not sell it."),
            429: ResponseSpec(
                ProblemReply,
                description="too-many-orders: the store sends more than it may; ask again after Retry-After.",
            ),
            503: ResponseSpec(ProblemReply, description="busy or late: ask again with the same key."),
        },
    )
    async def place_order(data: JSONBody[AskedOrder], key: Key, tag: Tag = None) -> Response[bytes]:
        """Place an order, all of it or nothing. The same key and body have the same answer, however often."""
        return _response(await storefront.place(data, key, shadow=storefront.is_shadow(tag)))

    @get("/health", responses={200: ResponseSpec(ProblemReply)})
    async def health() -> dict[str, str]:
        """The process runs."""
        return {"status": "running"}

    @get("/ready")
    async def ready() -> Response[dict[str, str]]:
        """200 when reads can be answered: primary or replica answers, and a cache does. 503 otherwise."""
        is_ready = await backends.is_ready()
        return Response({"status": "ready" if is_ready else "not ready"}, status_code=200 if is_ready else 503)

    @get("/metrics", media_type=CONTENT_TYPE, sync_to_thread=False)
    def metrics() -> bytes:
        """Prometheus text."""
        return render(backends.registry)

    reads = [_documented(route, storefront) for route in READS.values()]
    return Litestar(
        route_handlers=[*reads, features, place_order, health, ready, metrics],
        openapi_config=OpenAPIConfig(
            title="freshmart", version="1", path="/", render_plugins=[], use_handler_docstrings=True
        ),
        exception_handlers={HTTPException: _http_problem, TagWrong: _tag_wrong},
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )


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
    """A picture has a placeholder, so it is never a 503."""
    if route.model is bytes:
        return {200: ResponseSpec(bytes, media_type=PNG), 404: _NO_PICTURE}
    answers = {200: ResponseSpec(route.model), 404: _NOT_FOUND, 503: _NOBODY}
    return {**answers, 403: _TAG_WRONG} if route.tagged else answers


def _response(reply: Reply) -> Response[bytes]:
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=headers["content-type"])


def _http_problem(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses: a word, and its own sentence."""
    words = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    detail = "; ".join(str(item.get("message", item)) for item in error.extra) if isinstance(error.extra, list) else ""
    message = f"{error.detail} {detail}".strip()
    return _response(problem(error.status_code, words.get(error.status_code, "refused"), message))


def _tag_wrong(_: Request[Any, Any, Any], error: TagWrong) -> Response[bytes]:
    return _response(problem(403, "tag-wrong", str(error)))
