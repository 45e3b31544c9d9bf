"""What was bought.

order      what a customer asks for, and what is decided: pure
rates      how many a second one store may place, as switches
queue      who waits at the desk, of each key one at a time: pure
desk       gathers orders into batches, waits while the primary is away
postgres   places a batch in one round trip (place.sql); reads placed orders
outbox     accepted orders whose effects are still to come: read for the relay, applied once
relay      which of them to send to the stream, and when to send one again: pure
courier    the two loops between: outbox to stream, stream to effects
"""

from freshmart.orders.courier import Courier
from freshmart.orders.desk import Connection, DeskBusy, DeskLate, OrderDesk
from freshmart.orders.order import (
    KEY_PATTERN,
    AskedLine,
    AskedOrder,
    Decision,
    Order,
    OrderMalformed,
    read_order,
)
from freshmart.orders.outbox import apply_effects, bury, read_waiting
from freshmart.orders.postgres import PLACE, READ_ORDERS, UNREACHABLE, PrimaryConnection, PrimaryUnreachable
from freshmart.orders.rates import OrderRates
from freshmart.orders.relay import Relay

__all__ = [
    "KEY_PATTERN",
    "PLACE",
    "READ_ORDERS",
    "UNREACHABLE",
    "AskedLine",
    "AskedOrder",
    "Connection",
    "Courier",
    "Decision",
    "DeskBusy",
    "DeskLate",
    "Order",
    "OrderDesk",
    "OrderMalformed",
    "OrderRates",
    "PrimaryConnection",
    "PrimaryUnreachable",
    "Relay",
    "apply_effects",
    "bury",
    "read_order",
    "read_waiting",
]
