"""Every route, documented at /openapi.json."""

from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter

from freshmart.backends import Backends
from freshmart.orders import KEY_PATTERN, AskedOrder
from freshmart.web.answers import (
    Availability,
    Banners,
    CategoryPage,
    FeatureAnswer,
    History,
    OrderAnswer,
    OrderDeclined,
    Price,
    ProductAnswer,
    ProductPage,
    Recommendations,
    Reviews,
    Shielded,
    Slots,
)
from freshmart.web.reply import Problem, Reply, problem
from freshmart.web.storefront import Storefront, TagWrong
from tenfold.telemetry import CONTENT_TYPE, render

Store = Annotated[int, PathParameter(ge=1, le=999_999_999)]
Sku = Annotated[int, PathParameter(ge=1, le=999_999_999)]
Tag = Annotated[str | None, HeaderParameter(name="X-Tenfold-Test", required=False)]
Key = Annotated[str, HeaderParameter(name="Idempotency-Key", pattern=KEY_PATTERN)]

_NOT_FOUND = ResponseSpec(Problem, description="There is no such thing.")
_NOBODY = ResponseSpec(Problem, description="Neither a cache nor a database could answer; try again.")
_TAG_WRONG = ResponseSpec(Problem, description="X-Tenfold-Test does not carry the rehearsal's token.")


def _answers(model: Any, **others: ResponseSpec) -> dict[int, ResponseSpec]:
    described = {int(status.removeprefix("_")): spec for status, spec in others.items()}
    return {200: ResponseSpec(model), 404: _NOT_FOUND, 503: _NOBODY, **described}


def make_routes(storefront: Storefront, backends: Backends) -> Litestar:
    """The application of the framework; `HotRoutes` stands in front of it."""

    @get("/stores/{store:int}/prices/{sku:int}", responses=_answers(Price))
    async def price(store: Store, sku: Sku) -> Response[bytes]:
        """The price in force now."""
        return _response(await storefront.price(store, sku))

    @get("/stores/{store:int}/availability/{sku:int}", responses=_answers(Availability, _403=_TAG_WRONG))
    async def availability(store: Store, sku: Sku, tag: Tag = None) -> Response[bytes]:
        """What is left on the shelf, in steps; at most 90 s old while everything works. The order knows better."""
        return _response(await storefront.availability(store, sku, shadow=storefront.is_shadow(tag)))

    @get("/stores/{store:int}/categories/{slug:str}", responses=_answers(CategoryPage))
    async def category(
        store: Store, slug: Annotated[str, PathParameter(pattern="^[a-z0-9-]{1,80}$")]
    ) -> Response[bytes]:
        """A category's most bought products, with their prices."""
        return _response(await storefront.page(store, slug))

    @get("/products/{sku:int}", responses=_answers(ProductAnswer))
    async def product(sku: Sku) -> Response[bytes]:
        """A product. Its picture is a link: nothing here needs the object store."""
        return _response(await storefront.product(sku))

    @get("/products/{sku:int}/image", responses={200: ResponseSpec(bytes, media_type="image/svg+xml"), 404: _NOT_FOUND})
    async def image(sku: Sku) -> Response[bytes]:
        """The product's picture; while the object store fails, a placeholder with `X-Degraded: image`."""
        return _response(await storefront.image(sku))

    @get("/stores/{store:int}/products/{sku:int}", responses=_answers(ProductPage, _403=_TAG_WRONG))
    async def product_page(store: Store, sku: Sku, tag: Tag = None) -> Response[bytes]:
        """A product as a customer sees it: price, availability, and whatever of the rest can be had now."""
        return _response(await storefront.product_page(store, sku, shadow=storefront.is_shadow(tag)))

    @get("/stores/{store:int}/products/{sku:int}/recommendations", responses=_answers(Recommendations | Shielded))
    async def recommendations(store: Store, sku: Sku) -> Response[bytes]:
        """What others bought with it."""
        return _response(await storefront.recommendations(store, sku))

    @get("/products/{sku:int}/reviews", responses=_answers(Reviews | Shielded))
    async def reviews(sku: Sku) -> Response[bytes]:
        """What others think of it."""
        return _response(await storefront.reviews(sku))

    @get("/stores/{store:int}/banners", responses=_answers(Banners | Shielded))
    async def banners(store: Store) -> Response[bytes]:
        """What is on promotion."""
        return _response(await storefront.banners(store))

    @get("/stores/{store:int}/slots", responses=_answers(Slots | Shielded))
    async def slots(store: Store) -> Response[bytes]:
        """When it can be delivered."""
        return _response(await storefront.slots(store))

    @get("/stores/{store:int}/orders", responses=_answers(History | Shielded, _403=_TAG_WRONG))
    async def history(store: Store, tag: Tag = None) -> Response[bytes]:
        """A store's newest orders; at most 10 s old while everything works."""
        return _response(await storefront.history(store, shadow=storefront.is_shadow(tag)))

    @get("/features", sync_to_thread=False, responses={200: ResponseSpec(list[FeatureAnswer])})
    def features() -> Response[bytes]:
        """What this process can do without: who misses it now, what it saved."""
        views = [view._asdict() for view in backends.shields.views()]
        return _response(Reply(200, msgspec.json.encode(views)))

    @get("/orders/{order_id:str}", responses=_answers(OrderAnswer))
    async def order(order_id: FromPath[str]) -> Response[bytes]:
        """A placed order and how far it is."""
        return _response(await storefront.order(order_id))

    @post(
        "/orders",
        responses={
            201: ResponseSpec(OrderAnswer, description="Accepted: stored durably, stock taken."),
            400: ResponseSpec(Problem, description="malformed"),
            403: _TAG_WRONG,
            409: ResponseSpec(OrderDeclined, description="sold-out; or key-reused: the key belongs to another order."),
            422: ResponseSpec(OrderDeclined, description="unknown-product: the store does not sell it."),
            429: ResponseSpec(
                Problem, description="too-many-orders: the store sends more than it may; ask again after Retry-After."
            ),
            503: ResponseSpec(Problem, description="busy or late: ask again with the same key."),
        },
    )
    async def place_order(data: JSONBody[AskedOrder], key: Key, tag: Tag = None) -> Response[bytes]:
        """Place an order, all of it or nothing. The same key and body have the same answer, however often."""
        return _response(await storefront.place(data, key, shadow=storefront.is_shadow(tag)))

    @get("/health", responses={200: ResponseSpec(Problem)})
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

    return Litestar(
        route_handlers=[
            price,
            availability,
            category,
            product,
            image,
            product_page,
            recommendations,
            reviews,
            banners,
            slots,
            history,
            features,
            order,
            place_order,
            health,
            ready,
            metrics,
        ],
        openapi_config=OpenAPIConfig(
            title="freshmart", version="1", path="/", render_plugins=[], use_handler_docstrings=True
        ),
        exception_handlers={HTTPException: _http_problem, TagWrong: _tag_wrong},
        request_max_body_size=64 * 1024,
        logging_config=None,
    )


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
