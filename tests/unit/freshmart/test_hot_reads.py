"""The hottest reads answer the same in front of the framework and inside it."""

import asyncio
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.asgi_client import Answer, AsgiClient

from freshmart.backends import Backends
from freshmart.features import declare_features
from freshmart.media import placeholder
from freshmart.web import HotRoutes, Storefront, make_routes
from tenfold.kernel import Duration
from tenfold.protect import NearCache, ReadLadder, Step
from tenfold.protect.doors.shields import Shields
from tenfold.protect.live.switches import Switches
from tenfold.protect.testing import MemoryRung
from tenfold.telemetry import Registry, render

ORDER = "01a20494-e241-7d14-872f-d44a837af2a2"
KNOWN = {
    "price": {"1:7": b'{"unit_price_fen":299}'},
    "availability": {"r:1:7": b'{"available":true}'},
    "page": {"1:bread": b'{"products":[]}'},
    "product": {"7": b'{"sku":7}'},
    "order": {ORDER: b'{"status":"accepted"}'},
    "image": {"products/7.png": placeholder(), "products/9.png": b"<svg onload='alert(1)'/>"},
}
HARMLESS = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox; default-src 'none'"}
FEATURES = {
    "recommendations": {"1:7": b'{"products":[]}'},
    "reviews": {"7": b'{"count":0}'},
    "banners": {"1": b'{"banners":[]}'},
    "delivery-slots": {"1": b'{"slots":[]}'},
    "order-history": {"r:1": b'{"orders":[]}'},
}
PATHS = [
    "/stores/1/prices/7",
    "/stores/1/prices/8",
    "/stores/1/availability/7",
    "/stores/1/categories/bread",
    "/stores/1/categories/none",
    "/products/7/image",
    "/products/8/image",
    "/products/9/image",
    f"/orders/{ORDER}",
    "/orders/no-order",
    "/stores/1/products/7",
    "/stores/1/products/8",
    "/stores/1/products/7/recommendations",
    "/products/7/reviews",
    "/stores/1/banners",
    "/stores/2/banners",
    "/stores/1/slots",
    "/stores/1/orders",
]


class Memory:
    """What `Backends` offers the storefront, in memory."""

    def __init__(self) -> None:
        self.steps = None
        self.reads = self  # the ladders are its own attributes
        self.settings = SimpleNamespace(rehearsal_token="token")
        self.registry = Registry()
        self.pictures = {7: "products/7.png", 9: "products/9.png"}
        self.rungs = {kind: MemoryRung("memory", values) for kind, values in KNOWN.items()}
        for kind, rung in self.rungs.items():
            near = NearCache(kind, bytes_max=1 << 20, ttl=Duration.from_s(60), stale=Duration.from_s(60))
            setattr(self, kind, ReadLadder(kind, near=near, steps=[Step(rung)]))
        self.feature_rungs = {name: MemoryRung("memory", values) for name, values in FEATURES.items()}
        self.features = {name: ReadLadder(name, steps=[Step(rung)]) for name, rung in self.feature_rungs.items()}
        self.shields = Shields(Switches())
        declare_features(self.shields)


def ask(
    path: str, *, hot: bool, broken: bool = False, broken_features: Collection[str] = (), level: float = 0.0
) -> Answer:
    async def answer() -> Answer:
        memory = Memory()
        for rung in memory.rungs.values():
            rung.broken = broken
        for name, rung in memory.feature_rungs.items():
            rung.broken = broken or name in broken_features
        memory.shields.press(level)
        backends = cast("Backends", memory)
        storefront = Storefront(backends)
        routes: Any = make_routes(storefront, backends)
        return await AsgiClient(HotRoutes(storefront, routes) if hot else routes).ask("GET", path)

    return asyncio.run(answer())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("broken", [False, True])
def test_both_ways_answer_the_same(path: str, broken: bool) -> None:
    """Status, body and the headers that mean something, when all is well and when nobody can answer."""
    one, other = ask(path, hot=True, broken=broken), ask(path, hot=False, broken=broken)
    assert (one.status, one.body) == (other.status, other.body)
    meaning = ("content-type", "cache-control", "retry-after", "x-degraded", *HARMLESS)
    assert [one.headers.get(name) for name in meaning] == [other.headers.get(name) for name in meaning]


def test_a_read_that_nobody_can_answer_says_when_to_come_back() -> None:
    """503 with Retry-After, not a hang and not a 500."""
    answer = ask("/stores/1/prices/7", hot=True, broken=True)
    assert (answer.status, answer.headers["retry-after"], answer.json()["error"]) == (503, "1", "unavailable")


def test_a_picture_that_cannot_be_had_is_a_placeholder_that_nobody_keeps() -> None:
    """Status 200, so that the page stands; marked, so that a drill sees it."""
    answer = ask("/products/7/image", hot=True, broken=True)
    assert (answer.status, answer.headers["x-degraded"], answer.headers["cache-control"]) == (200, "image", "no-store")


@pytest.mark.parametrize(
    "path",
    [
        "/stores/one/prices/7",
        "/stores/1/prices/-7",
        "/stores/1/prices/99999999999",
        "/stores/1/categories/B%20!",
        "/nowhere",
    ],
)
def test_a_path_of_another_form_is_left_to_the_framework(path: str) -> None:
    """Which says 400 or 404; nothing of it reaches a rung."""
    assert ask(path, hot=True).status in (400, 404)


def test_a_product_page_holds_everything_while_all_is_well() -> None:
    page = ask("/stores/1/products/7", hot=True)
    assert set(page.json()) == {"product", "price", "availability", "recommendations", "reviews", "banners"}
    assert "x-degraded" not in page.headers


def test_a_product_page_leaves_out_what_fails_and_is_no_error() -> None:
    """It says what is missing; product, price and availability stand."""
    page = ask("/stores/1/products/7", hot=True, broken_features=["reviews", "banners"])
    assert (page.status, set(page.json())) == (200, {"product", "price", "availability", "recommendations"})
    assert page.headers["x-degraded"] == "reviews, banners"


def test_a_product_page_does_without_what_is_shielded_and_asks_nobody_for_it() -> None:
    page = ask("/stores/1/products/7", hot=True, level=0.25)
    assert (page.status, set(page.json())) == (200, {"product", "price", "availability"})
    assert page.headers["x-degraded"] == "recommendations, reviews, banners"


@pytest.mark.parametrize(
    ("path", "level", "shielded"),
    [
        ("/products/7/reviews", 0.25, True),
        ("/stores/1/slots", 0.25, False),
        ("/stores/1/slots", 0.5, True),
        ("/stores/1/prices/7", 1.0, False),
    ],
)
def test_a_shielded_feature_is_an_answer_and_is_marked(path: str, level: float, shielded: bool) -> None:
    """200, so that the page stands; P3 leaves first, then P2, and P0 never."""
    answer = ask(path, hot=True, level=level)
    assert answer.status == 200
    assert ("x-degraded" in answer.headers) is shielded


@pytest.mark.parametrize("hot", [True, False])
@pytest.mark.parametrize("broken", [True, False])
def test_a_picture_runs_nothing_in_a_browser(hot: bool, broken: bool) -> None:
    """Whether it is the product's own or the placeholder."""
    answer = ask("/products/7/image", hot=hot, broken=broken)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert {name: answer.headers[name] for name in HARMLESS} == HARMLESS


def test_what_is_no_picture_is_refused_and_counted() -> None:
    """A drawing with a script lies where a picture should: nothing of it is served."""

    async def look() -> tuple[int, bytes, str]:
        memory = Memory()
        reply = await Storefront(cast("Backends", memory)).image(9)
        return reply.status, reply.body, render(memory.registry).decode()

    status, body, metrics = asyncio.run(look())
    assert (status, b"svg" in body, b"no-picture" in body) == (404, False, True)
    assert "freshmart_pictures_refused_total 1" in metrics


def test_a_shielded_picture_is_the_placeholder() -> None:
    answer = ask("/products/7/image", hot=True, level=0.5)
    assert (answer.status, answer.headers["x-degraded"]) == (200, "image")


def test_what_every_feature_takes_is_measured_so_that_a_shield_can_say_what_it_saved() -> None:
    """Pictures too, near or far."""

    async def look() -> dict[str, int]:
        memory = Memory()
        storefront = Storefront(cast("Backends", memory))
        for _ in range(2):
            await storefront.image(7)
        await storefront.recommendations(1, 7)
        await storefront.reviews(7)
        await storefront.banners(1)
        await storefront.slots(1)
        await storefront.history(1, shadow=False)
        return {feature.name: feature.report.timed for feature in memory.shields}

    timed = asyncio.run(look())
    assert timed.pop("images") == 2
    assert set(timed.values()) == {1}
