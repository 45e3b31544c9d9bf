"""Who is let in to freshmart: tiers, tenants, and what is answered to those who are not."""

import asyncio
from typing import Any

import pytest
from tests.asgi_client import Answer, AsgiClient

from freshmart.web import open_door
from freshmart.web.door import tenant_of, tier_of
from tenfold.kernel import VirtualClock
from tenfold.protect import Shedder, Shields, Switches
from tenfold.protect.calls.limit import FixedLimit
from tenfold.protect.doors.admission import Overload

MS = 1_000_000
SHIELDED, SERVED = b"shielded", b"served"


class House:
    """An application behind the door, with a feature that its shield hides under load."""

    def __init__(self) -> None:
        self.overload = Overload()
        self.shields = Shields(Switches())
        self.feature = self.shields.declare("reviews", tier="P3", says="reviews", cost="little")
        shedder = Shedder(
            "api", FixedLimit(100), overload=self.overload, on_pressure=self.shields.press, clock=VirtualClock()
        )
        self.door = open_door(self._app, shedder)

    def late(self, windows: int) -> None:
        for _ in range(windows):
            self.overload.look(50 * MS)

    def ask(self, path: str, **headers: str) -> Answer:
        return asyncio.run(AsgiClient(self.door).ask("GET", path, headers))

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        body = SERVED if not scope["path"].endswith("reviews") or self.feature.open() else SHIELDED
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


def test_under_load_a_feature_is_answered_by_its_shield_and_not_by_a_refusal() -> None:
    """The first who asks for it then finds it shielded already."""
    house = House()
    house.late(3)
    assert house.ask("/products/12/reviews").body == SHIELDED
    assert house.ask("/stores/7/categories/beef").body == SERVED


def test_under_more_load_what_is_no_feature_is_refused_and_what_sells_is_not() -> None:
    """P1 hears 503 and when to come back."""
    house = House()
    house.late(20)
    refused = house.ask("/stores/7/categories/beef")
    assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    assert house.ask("/stores/7/prices/12").body == SERVED
    assert house.ask("/ready").body == SERVED


def test_a_request_whose_caller_waits_no_longer_is_not_begun() -> None:
    """Of whatever tier: nobody would read the answer."""
    house = House()
    assert house.ask("/stores/7/prices/12", **{"Tenfold-Deadline-Ms": "0"}).status == 503
    assert house.ask("/products/12/reviews", **{"Tenfold-Deadline-Ms": "0"}).status == 503
    assert house.ask("/stores/7/prices/12", **{"Tenfold-Deadline-Ms": "250"}).body == SERVED


@pytest.mark.parametrize(
    ("path", "tenant"),
    [
        ("/stores/7/prices/12", "7"),
        ("/stores/7", "7"),
        ("/orders/01a2", "01a2"),
        ("/orders", ""),
        ("/", ""),
    ],
)
def test_a_request_is_its_stores_or_its_own(path: str, tenant: str) -> None:
    assert tenant_of({"path": path}) == tenant


@pytest.mark.parametrize(
    ("method", "path", "tier"),
    [
        ("GET", "/stores/7/prices/12", 0),
        ("GET", "/stores/7/availability/12", 0),
        ("POST", "/orders", 0),
        ("GET", "/ready", 0),
        ("GET", "/orders/01a2", 1),
        ("GET", "/stores/7/categories/beef", 1),
        ("GET", "/stores/7/products/12", 1),
        ("GET", "/products/12/image", 2),
        ("GET", "/stores/7/orders", 2),
        ("GET", "/stores/7/slots", 2),
        ("GET", "/stores/7/products/12/recommendations", 3),
        ("GET", "/products/12/reviews", 3),
        ("GET", "/stores/7/banners", 3),
        ("GET", "/", 1),
        ("GET", "/nowhere/at/all/whatever/it/is/called/here", 1),
    ],
)
def test_every_route_has_its_tier(method: str, path: str, tier: int) -> None:
    assert tier_of({"method": method, "path": path}) == tier
