"""The same questions asked of every contestant: a faster answer counts only when it is the same answer."""

import asyncio
import http.client
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from freshmart.catalog import Basket, read_baskets
from tenfold.kernel import TenfoldError

PRICES = 200
ORDERS = 40
SCARCE_ASKED = 999
_TIMEOUT_S = 5.0
_OWN = ("id", "placed_at", "detail")
"""Each order has its own id, and sentences are for people."""

Told = tuple[int, Any]


class AnswersDiffer(TenfoldError):
    """Two contestants do not do the same, so their speeds cannot be compared."""


class Questions:
    """The first who is asked sets the answers; whoever differs raises AnswersDiffer."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}
        self._first = ""

    async def ask(self, contestant: str, base_url: str, token: str) -> None:
        """Prices, orders, the same orders again, one key for two orders, more than there is, what nobody sells."""
        told = await asyncio.to_thread(_ask_all, base_url.removeprefix("http://"), token)
        if not self._told:
            self._told, self._first = told, contestant
        for question, answer in told.items():
            if answer != self._told[question]:
                raise AnswersDiffer(
                    f"'{contestant}' answers {question} with {answer}, '{self._first}' with {self._told[question]};"
                    " nothing was measured."
                )


def _ask_all(address: str, token: str) -> dict[str, Told]:
    connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)
    baskets = read_baskets()
    try:
        told = {}
        for basket in baskets[:PRICES]:
            told.update(_ask(connection, "GET", f"/stores/{basket.store}/prices/{basket.lines[0].sku}"))
        told.update(_ask(connection, "GET", f"/stores/{baskets[0].store}/prices/999999999"))
        headers = {"X-Tenfold-Test": token, "Content-Type": "application/json"}
        for key, body in _orders(baskets):
            told.update(_ask(connection, "POST", "/orders", body, {**headers, "Idempotency-Key": key}))
        return told
    finally:
        connection.close()


def _orders(baskets: list[Basket]) -> list[tuple[str, bytes]]:
    """Key and body of each order to ask for."""
    real = [_body(basket.store, {line.sku: line.quantity for line in basket.lines}) for basket in baskets[-ORDERS:]]
    store, sku = baskets[0].store, baskets[0].lines[0].sku
    greedy = [(f"greedy-order-{n}", _body(store, {sku: SCARCE_ASKED})) for n in range(7)]
    placed = [(f"bench-order-{n}", body) for n, body in enumerate(real)]
    unknown = ("unknown-sku", _body(store, {999_999_999: 1, sku: 1}))
    return [*placed, *placed[:5], ("bench-order-0", real[1]), *greedy, unknown]


def _body(store: int, lines: Mapping[int, int]) -> bytes:
    asked = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
    return msgspec.json.encode({"store": store, "lines": asked})


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Told]:
    """What is asked, and what is answered but for what is each contestant's own."""
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    answer = msgspec.json.decode(response.read())
    compared = {name: _moment(name, value) for name, value in answer.items() if name not in _OWN}
    key = (headers or {}).get("Idempotency-Key", "")
    question = f"{method} {path} {key} {(body or b'').decode()}".strip()
    return {question: (response.status, compared)}


def _moment(name: str, value: Any) -> Any:
    """`Z` and `+00:00` are one zone."""
    return datetime.fromisoformat(value) if name == "valid_from" else value
