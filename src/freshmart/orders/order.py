"""What a customer asks for, and what is decided: the pure part of placing an order."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from freshmart.cashier import DEFERRED
from tenfold.kernel import TenfoldError

KEY_PATTERN = "^[A-Za-z0-9_-]{8,64}$"
LINES_MAX = 100
QUANTITY_MAX = 999

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class AskedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces of one product."""

    sku: Number
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]


class AskedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /orders`. A SKU stands in one line only."""

    store: Number
    lines: Annotated[list[AskedLine], Meta(min_length=1, max_length=LINES_MAX)]


class OrderMalformed(TenfoldError):
    """The order cannot be read; nothing was done about it."""


class Order(NamedTuple):
    """An order on its way to the database. `fingerprint` tells another body under the same key.

    `authorisation`: the number under which its money is ours to take; empty: it is to be collected later.
    """

    key: str
    fingerprint: bytes
    store: int
    shadow: bool
    lines: Sequence[AskedLine]
    authorisation: str = DEFERRED

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)


class OrderDecision(NamedTuple):
    """What became of an order: accepted, declined, unknown (SKU or store), answered (before), key-reused, again.

    `answer` is JSON; `again` means that nothing was decided and the order must be asked again.
    """

    outcome: str
    status: int = 0
    answer: bytes = b""


def read_order(asked: AskedOrder, key: str, *, shadow: bool) -> Order:
    """Raises OrderMalformed for what the types cannot say."""
    skus = {line.sku for line in asked.lines}
    if len(skus) < len(asked.lines):
        raise OrderMalformed("A SKU stands in two lines of the order; write one line with all its pieces.")
    return Order(key, fingerprint(asked, shadow=shadow), asked.store, shadow, asked.lines)


def fingerprint(asked: AskedOrder, *, shadow: bool) -> bytes:
    """16 bytes that differ when store, lane, or any line differs, in content or order."""
    return hashlib.blake2b(msgspec.json.encode((asked, shadow)), digest_size=16).digest()
