"""`python -m benchmarks.plain`: the shop as many would write it. Correct, and plain: what freshmart is measured beside.

The same server, framework, drivers, tables, session settings and answers. What is plain about it: every read asks the
cache and then the database, one key at a time; every order is a transaction of its own that locks its shelves line by
line, then updates and inserts line by line. Its money is authorised before, by an exchange of its own; late or failed
means deferred, as in freshmart.
"""

import asyncio
import hmac
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Litestar, Response, get, post
from litestar.params import HeaderParameter, JSONBody
from redis.asyncio import Redis

from freshmart.cashier import DEFERRED, Acquirer, AcquirerUnreachable, PaymentDemand
from freshmart.catalog import read_baskets
from freshmart.orders import AskedOrder, Order, OrderMalformed, read_order
from freshmart.postgres import session_settings
from freshmart.serve import serve
from freshmart.settings import Settings, read_settings
from freshmart.web.answers import OrderDeclined, OrderLine, Price
from freshmart.web.reply import ProblemReply
from tenfold.kernel import TenfoldError

PRICE_TTL_S = 120
CONNECTIONS = 10
PAYMENT_S = 0.08
HELD_FEN_PER_PIECE = 10_000
WARM_AT_ONCE = 64

_ANSWERED = "SELECT fingerprint, status, answer FROM idempotency WHERE key = $1"
_PRICE = """
    SELECT unit_price_fen, valid_from FROM price
    WHERE store = $1 AND sku = $2 AND valid_from <= now() ORDER BY valid_from DESC LIMIT 1
"""
_LOCK = "SELECT on_hand FROM stock WHERE store = $1 AND sku = $2 AND shadow = $3 FOR UPDATE"
_TAKE = "UPDATE stock SET on_hand = on_hand - $4 WHERE store = $1 AND sku = $2 AND shadow = $3"
_HEAD = """
    INSERT INTO orders (id, key, store, shadow, status, total_fen, placed_at, payment, authorisation)
    VALUES (uuidv7(), $1, $2, $3, 'accepted', $4, now(), $5, nullif($6, '')) RETURNING id
"""
_LINE = "INSERT INTO order_line (order_id, sku, quantity, unit_price_fen) VALUES ($1, $2, $3, $4)"
_MOVE = """
    INSERT INTO stock_movement (store, sku, shadow, delta, order_id, moved_at) VALUES ($1, $2, $3, $4, $5, now())
"""
_POST = "INSERT INTO outbox (order_id, placed_at) VALUES ($1, now())"
_KEEP = "INSERT INTO idempotency (key, fingerprint, status, answer, answered_at) VALUES ($1, $2, $3, $4, now())"

Answer = tuple[int, bytes]
"""HTTP status, JSON."""


class PlainShop:
    """The shop on one connection pool, one cache and one acquirer."""

    def __init__(self, pool: Any, cache: Any, acquirer: Acquirer, token: str) -> None:
        self._pool = pool
        self._acquirer = acquirer
        self._cache = cache
        self._token = token

    async def price(self, store: int, sku: int) -> Answer:
        """Cache aside: ask the cache, then the database, then tell the cache."""
        key = f"price:{store}:{sku}"
        cached = await self._cache.get(key)
        if cached is not None:
            return 200, cached
        row = await self._pool.fetchrow(_PRICE, store, sku)
        if row is None:
            return _problem(404, "not-found", f"Store {store} has no price for SKU {sku}.")
        value = msgspec.json.encode(Price(store, sku, row["unit_price_fen"], row["valid_from"]))
        await self._cache.set(key, value, ex=PRICE_TTL_S)
        return 200, value

    async def place(self, asked: AskedOrder, key: str, tag: str | None) -> Answer:
        """Once for each key, also when two ask at the same time."""
        if tag is not None and not hmac.compare_digest(tag, self._token):
            return _problem(403, "tag-wrong", "The X-Tenfold-Test header does not carry the token of a rehearsal.")
        try:
            order = read_order(asked, key, shadow=tag is not None)
        except OrderMalformed as error:
            return _problem(400, "malformed", str(error))
        order = order._replace(authorisation=await self._authorise(order))
        try:
            return await self._decide(order)
        except asyncpg.UniqueViolationError:  # the other one was first; its answer is there now
            return await self._decide(order)

    async def _authorise(self, order: Order) -> str:
        held = PaymentDemand(order.key, order.pieces * HELD_FEN_PER_PIECE)
        try:
            async with asyncio.timeout(PAYMENT_S):
                return (await self._acquirer.authorise([held]))[0].authorisation
        except (TimeoutError, AcquirerUnreachable):
            return DEFERRED

    async def _decide(self, order: Order) -> Answer:
        async with self._pool.acquire() as connection, connection.transaction():
            answered = await connection.fetchrow(_ANSWERED, order.key)
            if answered is None:
                return await _transact(connection, order)
            if answered["fingerprint"] != order.fingerprint:
                return _problem(409, "key-reused", "This Idempotency-Key was used for another order.")
            return answered["status"], answered["answer"].encode()


async def _transact(connection: Any, order: Order) -> Answer:
    """Lock in SKU order, so that two orders cannot wait for each other; then write."""
    prices: dict[int, int | None] = {}
    on_hand: dict[int, int | None] = {}
    for line in sorted(order.lines, key=lambda line: line.sku):
        prices[line.sku] = await connection.fetchval(_PRICE, order.store, line.sku)
        on_hand[line.sku] = await connection.fetchval(_LOCK, order.store, line.sku, order.shadow)
    unknown = [line.sku for line in order.lines if prices[line.sku] is None or on_hand[line.sku] is None]
    if unknown:
        return 422, msgspec.json.encode({"error": "unknown-product", "store": order.store, "skus": unknown})
    sold_out = [line.sku for line in order.lines if line.quantity > (on_hand[line.sku] or 0)]
    if sold_out:
        status, answer = 409, msgspec.json.encode(OrderDeclined("sold-out", order.store, sold_out, "declined"))
    else:
        status, answer = 201, await _write(connection, order, {sku: price or 0 for sku, price in prices.items()})
    await connection.execute(_KEEP, order.key, order.fingerprint, status, answer.decode())
    return status, answer


async def _write(connection: Any, order: Order, prices: dict[int, int]) -> bytes:
    total_fen = sum(line.quantity * prices[line.sku] for line in order.lines)
    payment = "authorised" if order.authorisation else "deferred"
    head = (order.key, order.store, order.shadow, total_fen, payment, order.authorisation)
    order_id = await connection.fetchval(_HEAD, *head)
    for line in order.lines:
        await connection.execute(_TAKE, order.store, line.sku, order.shadow, line.quantity)
        await connection.execute(_LINE, order_id, line.sku, line.quantity, prices[line.sku])
        await connection.execute(_MOVE, order.store, line.sku, order.shadow, -line.quantity, order_id)
    await connection.execute(_POST, order_id)
    bought = [OrderLine(line.sku, line.quantity, prices[line.sku]) for line in order.lines]
    accepted = {"id": str(order_id), "status": "accepted", "store": order.store, "shadow": order.shadow}
    return msgspec.json.encode({**accepted, "payment": payment, "total_fen": total_fen, "lines": bought})


def _problem(status: int, error: str, message: str) -> Answer:
    return status, msgspec.json.encode(ProblemReply(HTTPStatus(status).phrase, status, message, error))


def make_routes(shop: PlainShop) -> Litestar:
    @get("/stores/{store:int}/prices/{sku:int}")
    async def price(store: int, sku: int) -> Response[bytes]:
        return _response(await shop.price(store, sku))

    @post("/orders")
    async def place_order(
        data: JSONBody[AskedOrder],
        key: Annotated[str, HeaderParameter(name="Idempotency-Key")],
        tag: Annotated[str | None, HeaderParameter(name="X-Tenfold-Test", required=False)] = None,
    ) -> Response[bytes]:
        return _response(await shop.place(data, key, tag))

    @get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return Litestar(route_handlers=[price, place_order, ready], openapi_config=None, logging_config=None)


def _response(answer: Answer) -> Response[bytes]:
    return Response(answer[1], status_code=answer[0], media_type="application/json")


@asynccontextmanager
async def open_shop(settings: Settings) -> AsyncIterator[Any]:
    pool = asyncpg.create_pool(
        settings.primary_url,
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        command_timeout=10,
        server_settings=session_settings("plain"),
    )
    cache = Redis.from_url(settings.stream_url, protocol=2)
    acquirer = Acquirer(settings.payment_url)
    async with pool, cache:
        shop = PlainShop(pool, cache, acquirer, settings.rehearsal_token)
        await _warm(shop)
        yield make_routes(shop)
        await acquirer.close()


async def _warm(shop: PlainShop) -> None:
    """Fill the cache with the prices of past baskets, as freshmart does before it opens."""
    wanted = iter({(basket.store, line.sku) for basket in read_baskets() for line in basket.lines})

    async def fill() -> None:
        for store, sku in wanted:
            await shop.price(store, sku)

    await asyncio.gather(*(fill() for _ in range(WARM_AT_ONCE)))


def main() -> int:
    try:
        settings = read_settings()
        serve(lambda: open_shop(settings), settings.port)
    except (TenfoldError, OSError, asyncpg.PostgresError) as error:
        print(f"benchmarks.plain: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
