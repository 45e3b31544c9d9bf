"""What was bought.

order      what a customer asks for, and what is decided: pure
rates      how many a second one store may place, as switches
queue      who waits at the desk, of each key one at a time: pure
desk       gathers orders into batches, waits while the primary is away
postgres   places a batch in one round trip (place.sql); reads placed orders
relay      accepted orders from the outbox to the stream, and again what was lost there
effects    what follows an accepted order, applied once as the stream brings it
"""

from freshmart.orders.desk import OrderConnection, OrderDesk, OrdersBusy, OrdersLate
from freshmart.orders.effects import EffectsConsumer, apply_effects
from freshmart.orders.order import (
    KEY_PATTERN,
    AskedLine,
    AskedOrder,
    Order,
    OrderDecision,
    OrderMalformed,
    read_order,
)
from freshmart.orders.postgres import PLACE, READ_ORDERS, PrimaryConnection, PrimaryUnreachable
from freshmart.orders.rates import OrderRates
from freshmart.orders.relay import OutboxRelay, SentOrders, read_waiting

__all__ = [
    "KEY_PATTERN",
    "PLACE",
    "READ_ORDERS",
    "AskedLine",
    "AskedOrder",
    "EffectsConsumer",
    "Order",
    "OrderConnection",
    "OrderDecision",
    "OrderDesk",
    "OrderMalformed",
    "OrderRates",
    "OrdersBusy",
    "OrdersLate",
    "OutboxRelay",
    "PrimaryConnection",
    "PrimaryUnreachable",
    "SentOrders",
    "apply_effects",
    "read_order",
    "read_waiting",
]
