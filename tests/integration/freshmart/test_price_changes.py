"""A new price reaches every process that remembers the old one, whoever is asked, whoever was away."""

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest
from tests.freshmart_shop import Shop

from freshmart.pricing import PriceRefused
from freshmart.reprice import reprice
from tenfold.fleet import Service

pytestmark = pytest.mark.engines

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def services(shop: Shop) -> Iterator[dict[str, Service]]:
    """Two processes of the API and one worker."""
    commands = {"api-1": "freshmart.api", "api-2": "freshmart.api", "worker": "freshmart.worker"}
    started = {
        name: shop.run(shop.estate.start_service(name, ["python", "-m", module], shop.environment, "/ready"))
        for name, module in commands.items()
    }
    yield started
    for service in started.values():
        shop.run(service.close(grace_s=5.0))


def price(service: Service, shop: Shop, sku: int) -> int:
    with urllib.request.urlopen(f"{service.url}/stores/{shop.store}/prices/{sku}", timeout=5) as answer:
        return int(json.load(answer)["unit_price_fen"])


def reached(services: dict[str, Service], shop: Shop, sku: int, fen: int) -> bool:
    """Whether both processes say so within five seconds, and go on saying so."""
    apis = [services["api-1"], services["api-2"]]
    deadline_ns = time.monotonic_ns() + 5 * SECOND_NS
    while time.monotonic_ns() < deadline_ns:
        if all(price(api, shop, sku) == fen for api in apis):
            return all(price(api, shop, sku) == fen for api in apis for _ in range(50))
    return False


def test_a_new_price_reaches_every_process_that_remembers_the_old_one(shop: Shop, services: dict[str, Service]) -> None:
    """Lifetimes are ten minutes each: only being told can be the reason."""
    sku = shop.new_sku()
    old = [price(services[name], shop, sku) for name in ("api-1", "api-2") for _ in range(3)]
    for fen in (old[0] + 7, old[0] + 11):
        shop.run(reprice(shop.settings.primary_url, shop.store, sku, fen))
        assert reached(services, shop, sku, fen)


def test_a_price_that_changed_while_nobody_could_tell_is_told_afterwards(
    shop: Shop, services: dict[str, Service]
) -> None:
    """The worker is dead when it changes: the note waits for the next one."""
    sku = shop.new_sku()
    old = price(services["api-1"], shop, sku)
    price(services["api-2"], shop, sku)
    shop.run(services["worker"].kill())
    shop.run(reprice(shop.settings.primary_url, shop.store, sku, old + 5))
    assert price(services["api-1"], shop, sku) == old
    shop.run(services["worker"].start())
    assert reached(services, shop, sku, old + 5)


def test_a_price_that_cannot_be_is_refused(shop: Shop) -> None:
    """And so is one of what the store does not sell; nothing is written."""
    for sku, fen in ((shop.new_sku(), 0), (shop.new_sku(), 10_000_001), (1, 100)):
        with pytest.raises(PriceRefused):
            shop.run(reprice(shop.settings.primary_url, shop.store, sku, fen))
    assert not shop.run(shop.holds("SELECT EXISTS (SELECT FROM price_change)"))


def steps(service: Service, shop: Shop, sku: int) -> int:
    with urllib.request.urlopen(f"{service.url}/stores/{shop.store}/availability/{sku}", timeout=5) as answer:
        return int(json.load(answer)["quantity_at_least"])


def test_a_shelf_that_runs_out_is_known_in_every_process_at_once(shop: Shop, services: dict[str, Service]) -> None:
    """Whoever moves the stock: every process holds every shelf, and would read it anew in ten minutes only."""
    sku, apis = shop.new_sku(), [services["api-1"], services["api-2"]]
    assert [steps(api, shop, sku) for api in apis] == [1000, 1000]
    for pieces, step in ((7, 5), (0, 0), (300, 200)):
        shop.run(shop.stock_up(sku, pieces, shadow=False))
        deadline_ns = time.monotonic_ns() + 5 * SECOND_NS
        while any(steps(api, shop, sku) != step for api in apis):
            assert time.monotonic_ns() < deadline_ns, f"{step} was not seen"
        assert all(steps(api, shop, sku) == step for api in apis for _ in range(50))
