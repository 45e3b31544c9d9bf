"""`python -m freshmart.mutants`: the API with one behaviour broken on purpose, named by FRESHMART_MUTANT.

A rehearsal that has never said no proves nothing: each of these must turn its verdict, naming the broken invariant.
Nothing of the product imports this file, and it runs in a rehearsal only (TENFOLD_REHEARSAL=1).
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import msgspec

from freshmart.api import Through, open_api
from freshmart.orders import PLACE, Order, OrderConnection, OrderDecision
from freshmart.serve import run_program, serve
from freshmart.settings import MUTANT, SettingInvalid, read_settings

LOST_ONE_IN = 50


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is different from the product: the order statement, or the way to the primary."""

    place_sql: str = PLACE
    through: Through | None = None


class Forgetful:
    """Says yes to one order in fifty without telling the database."""

    def __init__(self, connection: OrderConnection) -> None:
        self._connection = connection
        self._orders = count(1)

    async def place(self, orders: Sequence[Order]) -> list[OrderDecision]:
        lost = {order.key for order in orders if next(self._orders) % LOST_ONE_IN == 0}
        kept = iter(await self._connection.place([order for order in orders if order.key not in lost]))
        return [_empty_promise(order) if order.key in lost else next(kept) for order in orders]

    async def close(self) -> None:
        await self._connection.close()


def _empty_promise(order: Order) -> OrderDecision:
    lines = [{"sku": line.sku, "quantity": line.quantity, "unit_price_fen": 100} for line in order.lines]
    total_fen = sum(line.quantity * 100 for line in order.lines)
    answer = {"id": str(uuid4()), "status": "accepted", "store": order.store, "shadow": order.shadow}
    return OrderDecision("accepted", 201, msgspec.json.encode({**answer, "total_fen": total_fen, "lines": lines}))


def _broken(*changes: tuple[str, str]) -> str:
    """The order statement with each first text replaced by its second; a text that is not there is a mistake here."""
    broken = PLACE
    for right, wrong in changes:
        if broken.count(right) != 1:
            raise ValueError(f"'{right}' does not stand once in place.sql")
        broken = broken.replace(right, wrong)
    return broken


def oversell() -> Mutant:
    """Counts ten pieces on every shelf that are not there, and hides it from the shelf's own check."""
    return Mutant(
        _broken(
            ("stock.shadow, stock.on_hand\n", "stock.shadow, stock.on_hand + 10 AS on_hand\n"),
            ("SET on_hand = stock.on_hand - sold.quantity", "SET on_hand = greatest(0, stock.on_hand - sold.quantity)"),
        )
    )


def lost_order() -> Mutant:
    return Mutant(through=Forgetful)


def wrong_price() -> Mutant:
    """Charges one fen too much for every thirteenth product."""
    charged = "SELECT unit_price_fen + (price.sku % 13 = 0)::integer AS unit_price_fen\n        FROM price"
    return Mutant(_broken(("SELECT unit_price_fen\n        FROM price", charged)))


MUTANTS = {"oversell": oversell, "lost-order": lost_order, "wrong-price": wrong_price}


def choose_mutant(environ: Mapping[str, str]) -> Mutant:
    """Raises SettingInvalid outside a rehearsal and for a name that nobody has."""
    name = environ.get(MUTANT, "")
    if environ.get("TENFOLD_REHEARSAL") != "1":
        raise SettingInvalid(f"Mutant '{name}' is wrong on purpose and runs in a rehearsal only; it did not start.")
    if name not in MUTANTS:
        raise SettingInvalid(f"{MUTANT} is '{name}'; {', '.join(MUTANTS)} may stand there.")
    return MUTANTS[name]()


def _serve() -> None:
    mutant, settings = choose_mutant(os.environ), read_settings()
    serve(lambda: open_api(settings, place_sql=mutant.place_sql, through=mutant.through, warmed=True), settings.port)


if __name__ == "__main__":
    sys.exit(run_program("mutants", _serve))
