"""The API as it runs: its own process, real requests, real servers behind it."""

import asyncio
import json
import os
import re
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]
import pytest
from tests.freshmart_api import TAG, Api, Got
from tests.freshmart_shop import TOKEN, Shop, until
from tests.manners import check_address, check_refusal
from tests.wire import Told, Wire

from freshmart.catalog import read_products
from freshmart.media import PictureStore, product_key
from freshmart.web import answers
from tenfold.fleet import FAULTS

pytestmark = pytest.mark.engines
SECURITY = (Path(__file__).parents[3] / "docs/explanation/security.md").read_text()


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    """With the worker, which tells it of what changes."""
    worker, service = (
        shop.run(shop.estate.start_service(name, ["python", "-m", f"freshmart.{name}"], shop.environment, "/ready"))
        for name in ("worker", "api")
    )
    yield Api(shop, service)
    for started in (service, worker):
        shop.run(started.close(grace_s=5.0))


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/stores/{store}/prices/{sku}", answers.Price),
        ("/stores/{store}/availability/{sku}", answers.Availability),
        ("/stores/{store}/categories/bananas-or-not", None),
        ("/stores/{store}/categories/tropical-fruit", answers.CategoryPage),
        ("/products/{sku}", answers.ProductAnswer),
        ("/stores/{store}/products/{sku}", answers.ProductPage),
        ("/stores/{store}/products/{sku}/recommendations", answers.Recommendations),
        ("/products/{sku}/reviews", answers.Reviews),
        ("/stores/{store}/banners", answers.Banners),
        ("/stores/{store}/slots", answers.DeliverySlots),
        ("/stores/{store}/orders", answers.History),
        ("/features", list[answers.FeatureAnswer]),
    ],
)
def test_every_read_answers_what_is_documented(api: Api, path: str, model: Any) -> None:
    """The JSON that the database writes is the type that /openapi.json describes; what there is not is a 404."""
    got = api.ask(path.format(store=api.shop.store, sku=1082185))
    if model is None:
        assert (got.status, json.loads(got.body)["error"]) == (404, "not-found")
    else:
        assert got.status == 200
        msgspec.json.decode(got.body, type=model)


def test_all_routes_are_documented(api: Api) -> None:
    """The plain ASGI ones too."""
    document = json.loads(api.ask("/openapi.json").body)
    assert {
        "/stores/{store}/prices/{sku}",
        "/stores/{store}/availability/{sku}",
        "/stores/{store}/categories/{slug}",
        "/products/{sku}",
        "/products/{sku}/image",
        "/stores/{store}/products/{sku}",
        "/stores/{store}/products/{sku}/recommendations",
        "/products/{sku}/reviews",
        "/stores/{store}/banners",
        "/stores/{store}/slots",
        "/stores/{store}/orders",
        "/features",
        "/orders",
        "/orders/{order_id}",
        "/health",
        "/ready",
        "/metrics",
    } == set(document["paths"])
    assert {"201", "400", "403", "409", "422", "429", "503"} <= set(document["paths"]["/orders"]["post"]["responses"])


def filled(path: str, shop: Shop, sku: int) -> str:
    """With names in it that there are, of a documented path; with SKU 0 one that cannot be."""
    return path.format(store=shop.store, sku=sku, slug="tropical-fruit" if sku else "!", order_id=uuid.UUID(int=sku))


def test_every_address_answers_every_method_as_it_should(api: Api) -> None:
    """HEAD like GET, 405 with Allow, refusals as problems; no page of the framework, which names a CDN."""
    wire, document = Wire(api.service.port), json.loads(api.ask("/openapi.json").body)

    async def scene() -> None:
        for path, operations in document["paths"].items():
            methods = {name.upper() for name in operations} | ({"HEAD"} if "get" in operations else set())
            known = {"GET", "HEAD"} if path == "/stores/{store}/orders" else methods
            await check_address(wire, filled(path, api.shop, 1082185), known)
        for path in ("/", "/openapi", "/schema", "/schema/swagger", "/nowhere"):
            told = await wire.ask("GET", path, "Accept: text/html")
            check_refusal(told)
            assert told.status == 404
        told = await wire.ask("GET", "//health", "Accept: text/html")
        assert (told.one("content-type"), told.body) == ("application/json", b'{"status":"running"}')

    api.shop.run(scene())


def test_the_document_says_what_is_answered(api: Api) -> None:
    """Each status and media type that comes stands there: of what there is, is not, cannot be, is tagged wrongly."""
    document = json.loads(api.ask("/openapi.json").body)
    wire, tagged, sold_out = Wire(api.service.port), f"X-Tenfold-Test: {TOKEN}", api.shop.new_sku()
    seen: set[int] = set()

    def check(path: str, method: str, told: Told) -> None:
        seen.add(told.status)
        documented = document["paths"][path][method]["responses"]
        assert str(told.status) in documented, (path, told)
        assert told.one("content-type").partition(";")[0] in {
            kind.partition(";")[0] for kind in documented[str(told.status)]["content"]
        }, (path, told)

    async def scene() -> None:
        for path, operations in document["paths"].items():
            if "get" in operations:
                for sku in (1082185, 1, 0):
                    check(path, "get", await wire.ask("GET", filled(path, api.shop, sku)))
                for tags in (["X-Tenfold-Test: guessed"], [tagged, tagged]):
                    check(path, "get", await wire.ask("GET", filled(path, api.shop, 1082185), *tags))
        await api.shop.stock_up(sold_out, 0)
        for told in await asyncio.gather(*orders(wire, api.shop, sold_out, tagged)):
            check("/orders", "post", told)

    api.shop.run(scene())
    assert seen == {200, 201, 400, 403, 404, 408, 409, 413, 422}


def orders(wire: Wire, shop: Shop, sold_out: int, tagged: str) -> Iterator[Awaitable[Told]]:
    """Good, sold out, of an unknown product, malformed, tagged wrongly, too large, and one that stalls."""
    sku = shop.new_sku()

    def asked(name: str, body: str, tag: str = tagged, **more: Any) -> Awaitable[Told]:
        return wire.ask("POST", "/orders", f"Idempotency-Key: {name}-{sku}", tag, body=body.encode(), **more)

    def order(sku: int, quantity: int) -> str:
        return json.dumps({"store": shop.store, "lines": [{"sku": sku, "quantity": quantity}]})

    yield asked("good-order", order(sku, 1))
    yield asked("sold-out", order(sold_out, 1))
    yield asked("unknown-one", order(1, 1))
    yield asked("malformed", "{")
    yield asked("tagged-wrong", order(sku, 1), "X-Tenfold-Test: guessed")
    yield asked("too-large", " " * 70_000)
    yield asked("it-stalls", "{", length=100)


def test_every_listener_of_the_fleet_is_named_in_security_md(api: Api) -> None:
    """By the program that listens; and each keeps to loopback."""
    table = SECURITY.partition("## What listens where")[2].partition("##")[0]
    programs = set(re.findall(r"`([^`]+)`", table))
    seen = {}
    for process in psutil.Process().children(recursive=True):
        for one in process.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN:
                assert one.laddr.ip == "127.0.0.1", process.cmdline()
                seen[program_of(process.cmdline())] = one.laddr.port
    assert len(seen) >= 7
    assert set(seen) <= programs


def program_of(command: list[str]) -> str:
    """As the page names it."""
    if "-m" in command:
        return command[command.index("-m") + 1]
    name = Path(command[0].split()[0]).name.rstrip(":")
    return name if name != "weed" else f"weed {next(word for word in command[1:] if word in ('server', 's3'))}"


@pytest.mark.parametrize(
    "body",
    [
        '{"store":1,"store":2,"lines":[{"sku":1,"quantity":1}]}',
        '{"store":1,"lines":[{"sku":1,"quantity":1,"quantity":2}]}',
        '{"store":1,"lines":[{"sku":1,"\\u0073ku":2,"quantity":1}]}',
        '{"store":1,"lines":[{"sku":1,"quantity":1}],"lines":[{"sku":2,"quantity":1}]}',
    ],
)
def test_an_order_of_two_meanings_is_malformed(api: Api, body: str) -> None:
    """A name twice in one object: readers differ in which they believe."""
    got = api.ask("/orders", body.encode(), {**TAG, "Idempotency-Key": "two-meanings"})
    assert (got.status, "twice" in json.loads(got.body)["detail"]) == (400, True)


@pytest.mark.parametrize("twice", ["Idempotency-Key: good-key-2", "Host: elsewhere", f"X-Tenfold-Test: {TOKEN}"])
def test_an_order_states_its_key_its_host_and_its_tag_once(api: Api, twice: str) -> None:
    """A proxy in between might believe the other."""
    stated = ("Idempotency-Key: good-key-1", f"X-Tenfold-Test: {TOKEN}", twice)
    told = api.shop.run(Wire(api.service.port).ask("POST", "/orders", *stated, body=b"{}"))
    assert told.status == 400
    assert b"twice" in told.body


def test_an_order_is_placed_answered_again_and_found(api: Api) -> None:
    """201, the same bytes for the same key, and its status at once though the replica may not have it yet."""
    sku = api.shop.new_sku()
    order = {"store": api.shop.store, "lines": [{"sku": sku, "quantity": 2}]}
    first = api.order(f"served-{sku}", order)
    again = api.order(f"served-{sku}", order)
    placed = msgspec.json.decode(first.body, type=answers.OrderAnswer)
    found = api.ask(f"/orders/{placed.id}")
    assert (first.status, again) == (201, first._replace(headers=again.headers))
    assert placed.shadow
    assert placed.total_fen == sum(line.quantity * line.unit_price_fen for line in placed.lines)
    assert msgspec.json.decode(found.body, type=answers.OrderAnswer).id == placed.id


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("short", {"store": 1, "lines": [{"sku": 1, "quantity": 1}]}),
        ("not url-safe!", {"store": 1, "lines": [{"sku": 1, "quantity": 1}]}),
        ("good-key-1", {"store": 1, "lines": []}),
        ("good-key-1", {"store": 1, "lines": [{"sku": 1, "quantity": 0}]}),
        ("good-key-1", {"store": 1, "lines": [{"sku": 1, "quantity": 1.5}]}),
        ("good-key-1", {"store": 1, "lines": [{"sku": 2**31, "quantity": 1}]}),
        ("good-key-1", {"store": 1, "lines": [{"sku": 1, "quantity": 1}] * 2}),
        ("good-key-1", {"store": 1, "lines": [{"sku": 1, "quantity": 1}], "discount": 5}),
        ("good-key-1", ["not an object"]),
    ],
)
def test_a_malformed_order_is_a_400_that_says_so(api: Api, key: str, order: Any) -> None:
    """Nothing of it reaches the database."""
    got = api.order(key, order)
    assert (got.status, json.loads(got.body)["error"]) == (400, "malformed")


def test_an_order_without_a_key_is_malformed(api: Api) -> None:
    """There would be no way to ask again safely."""
    got = api.ask("/orders", b'{"store": 1, "lines": [{"sku": 1, "quantity": 1}]}', TAG)
    assert (got.status, json.loads(got.body)["error"]) == (400, "malformed")


def test_a_wrong_tag_is_refused(api: Api) -> None:
    """403 for orders and for availability, and nothing is taken."""
    sku = api.shop.new_sku()
    wrong = {"X-Tenfold-Test": "guessed"}
    order = {"store": api.shop.store, "lines": [{"sku": sku, "quantity": 1}]}
    assert api.order(f"tagged-{sku}", order, wrong).status == 403
    assert api.ask(f"/stores/{api.shop.store}/availability/{sku}", headers=wrong).status == 403


def test_a_tagged_read_sees_the_shadow_shelf(api: Api) -> None:
    """The two lanes answer for themselves."""
    sku = api.shop.new_sku()
    api.shop.run(api.shop.stock_up(sku, 7, shadow=True))
    api.shop.run(api.shop.stock_up(sku, 0, shadow=False))
    path = f"/stores/{api.shop.store}/availability/{sku}"

    async def seen(headers: dict[str, str], pieces: int) -> bool:
        got = await asyncio.to_thread(api.ask, path, None, headers)
        return bool(json.loads(got.body)["quantity_at_least"] == pieces)

    assert api.shop.run(until(lambda: seen(TAG, 5)))
    assert api.shop.run(until(lambda: seen({}, 0)))


def test_pages_are_served_with_placeholders_while_the_object_store_refuses(api: Api) -> None:
    """200, marked as degraded, not to be cached; the product's page does not notice; then pictures are back."""
    refusal = FAULTS["refuse"](api.shop.estate.node("objects.s3"))
    skus = [api.shop.new_sku() for _ in range(3)]
    fresh = api.ask("/products/1082185/image")
    api.shop.run(refusal.inject())
    try:
        degraded = [api.ask(f"/products/{sku}/image") for sku in skus]
        page = api.ask(f"/products/{skus[0]}")
    finally:
        api.shop.run(refusal.revert())
    missing = [got for got in degraded if got.headers.get("x-degraded") == "image"]
    assert (fresh.status, fresh.headers["content-type"]) == (200, "image/png")
    assert b"Bananas" in fresh.body
    assert fresh.headers["x-content-type-options"] == "nosniff"
    assert fresh.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert missing
    assert {(got.status, got.headers["cache-control"]) for got in missing} == {(200, "no-store")}
    assert page.status == 200
    assert api.shop.run(_until(lambda: "x-degraded" not in api.ask(f"/products/{skus[0]}/image").headers))


def test_a_drawing_with_a_script_is_not_served_as_a_picture(api: Api) -> None:
    """Put into the store with the shop's own keys: whoever gets that far still runs nothing on the shop's origin."""
    product, settings = read_products()[1_900], api.shop.settings
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    pictures = PictureStore(settings.objects_url, settings.bucket)
    api.shop.run(pictures.put_all({product_key(product.sku): drawing}))
    got = api.ask(f"/products/{product.sku}/image")
    assert (got.status, json.loads(got.body)["error"], b"svg" in got.body) == (404, "no-picture", False)
    assert "freshmart_pictures_refused_total 1" in api.ask("/metrics").body.decode()


def test_reads_do_not_notice_the_loss_of_the_main_cache(api: Api) -> None:
    """SIGKILL of main's primary: its replica answers every price, and the primary is confirmed when it is back."""
    main = api.shop.estate.node("main.primary")
    skus = [api.shop.new_sku() for _ in range(20)]
    api.shop.run(main.kill())
    try:
        statuses = {api.ask(f"/stores/{api.shop.store}/prices/{sku}").status for sku in skus}
        lost = b'tenfold_cluster_primary{cluster="main"} 0' in api.ask("/metrics").body
    finally:
        api.shop.run(main.start())
    assert (statuses, lost) == ({200}, True)

    assert api.shop.run(_until(lambda: b'tenfold_cluster_primary{cluster="main"} 1' in api.ask("/metrics").body))


def test_sigterm_lets_a_waiting_order_end_and_exits_with_zero(shop: Shop) -> None:
    """Told to stop while an order waits for a primary that is cut: the order is still answered, then it exits."""
    command = ["python", "-m", "freshmart.api"]
    service = shop.run(shop.estate.start_service("api-to-end", command, shop.environment, "/ready"))
    statuses: list[int] = []
    service.on_exit.append(lambda _, status: statuses.append(status))
    order = {"store": shop.store, "lines": [{"sku": shop.new_sku(), "quantity": 1}]}

    async def end_it() -> Got:
        cut = FAULTS["cut"](shop.estate.node("database.primary"))
        await cut.inject()
        waiting = asyncio.create_task(asyncio.to_thread(Api(shop, service).order, "told-to-stop", order))
        await until(lambda: asyncio.to_thread(_an_order_waits, Api(shop, service)))
        os.kill(service.pid, signal.SIGTERM)
        await cut.revert()
        return await waiting

    async def ended() -> bool:
        return bool(statuses)

    assert shop.run(end_it()).status == 201
    assert shop.run(until(ended))
    assert statuses == [0]


def _an_order_waits(api: Api) -> bool:
    return b"\nfreshmart_orders_waiting 1" in api.ask("/metrics").body


async def _until(holds: Callable[[], bool]) -> bool:
    return await until(lambda: asyncio.to_thread(holds))


async def _replicated(shop: Shop) -> bool:
    """Whether the replica has everything that the primary had when this was asked."""
    written = await shop.one("SELECT pg_current_wal_lsn()::text")
    query = "SELECT bool_and(replay_lsn >= $1::text::pg_lsn) FROM pg_stat_replication"
    return await until(lambda: shop.holds(query, written))
