"""`python -m freshmart.payment`: the sandbox of an acquirer, as payment providers offer one; freshmart's money is play.

It authorises and charges on PORT: POST /authorisations and POST /charges, arrays of demands in, arrays of receipts
out, after what a card network takes. It refuses nobody. What it knows of a key, it knows until it ends; a receipt's
number follows from the key, so that it is the same afterwards.
"""

import asyncio
import hashlib
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from freshmart.cashier import PaymentDemand, Receipt
from freshmart.serve import run_program, serve
from freshmart.settings import read_port
from freshmart.web.body import read_body
from freshmart.web.desk import Addresses, metrics, ready
from freshmart.web.reply import Reply, problem
from tenfold.kernel import name_twice
from tenfold.telemetry import Registry

NETWORK_S = (0.010, 0.020)
KEYS_MAX = 1_000_000
BODY_BYTES_MAX = 1 << 20
_DEMANDS = msgspec.json.Decoder(list[PaymentDemand])


class AcquirerLedger:
    """Whose money is held and whose was taken, by key; the oldest of more than `keys_max` is forgotten."""

    def __init__(self, registry: Registry, *, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._charged: dict[str, bool] = {}
        demands = registry.counter(
            "freshmart_acquirer_demands_total",
            "Demands by kind; again: the key was known.",
            ("kind",),
        )
        self._counts = {kind: demands.child(kind) for kind in ("held", "charged", "again")}

    def hold(self, demand: PaymentDemand) -> Receipt:
        """Hold the money of a key; one that is held or taken already stays as it is."""
        if demand.key in self._charged:
            return self._again(demand)
        return self._enter(demand, "held", charged=False)

    def charge(self, demand: PaymentDemand) -> Receipt:
        """Take the money of a key, once."""
        if self._charged.get(demand.key):
            return self._again(demand)
        return self._enter(demand, "charged", charged=True)

    def _enter(self, demand: PaymentDemand, kind: str, *, charged: bool) -> Receipt:
        self._charged[demand.key] = charged
        self._counts[kind].inc()
        if len(self._charged) > self._keys_max:
            del self._charged[next(iter(self._charged))]
        return receipt_of(demand)

    def _again(self, demand: PaymentDemand) -> Receipt:
        self._counts["again"].inc()
        return receipt_of(demand)


def receipt_of(demand: PaymentDemand) -> Receipt:
    return Receipt(demand.key, hashlib.blake2b(demand.key.encode(), digest_size=8).hexdigest())


@asynccontextmanager
async def open_sandbox() -> AsyncIterator[Any]:
    """The ASGI application."""
    registry = Registry()
    ledger = AcquirerLedger(registry)
    posts = {"/authorisations": partial(_answer, ledger.hold), "/charges": partial(_answer, ledger.charge)}

    yield Addresses({"/ready": lambda: ready(True), "/metrics": lambda: metrics(registry)}, posts)


async def _answer(verb: Callable[[PaymentDemand], Receipt], receive: Any) -> Reply:
    body = await read_body(receive, BODY_BYTES_MAX)
    if body is None:
        return problem(413, "too-large", f"A body holds at most {BODY_BYTES_MAX} bytes.")
    try:
        demands = _DEMANDS.decode(body)
    except msgspec.DecodeError as error:
        return problem(400, "malformed", str(error))
    twice = name_twice(body)
    if twice is not None:
        return problem(400, "malformed", f"'{twice[:64]}' stands twice in one object.")
    await asyncio.sleep(random.uniform(*NETWORK_S))
    return Reply(200, msgspec.json.encode([verb(demand) for demand in demands]))


def _serve() -> None:
    serve(open_sandbox, read_port())


if __name__ == "__main__":
    sys.exit(run_program("payment", _serve))
