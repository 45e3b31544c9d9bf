"""The control node: records that every process follows, over an HTTP stream that depends on nothing it controls.

    python -m tenfold.respond.control --port 7600 --store control.db

log            the records and their order: pure
callers        who speaks: an operator, or one service by a token of its own
hearing        what is believed of what a process says
replay         what a history leads to
pruning        old history folded into a base
sealer         what is left vouches for what is gone
store          what the node needs of the place where changes are kept: its chain of digests, one node at a time
sqlite         where changes are durable
change_writer  accepts changes, one batch at a time
fanout         one change told to many
ledger         who has which epoch in force, and how long it took
inbox          what processes report
node           all of that in one event loop
stream         one process's stream
app            every address of the node
server         serves it
client         what an operator's tool says to it, and nothing but the standard library

A program that serves a node imports `tenfold.respond.control.server` itself, so that a tool that only asks needs no web
framework.
"""

from tenfold.respond.control.callers import service_token
from tenfold.respond.control.client import (
    ControlClient,
    ControlOutcomeUnknownError,
    ControlRefusedError,
    ControlUnreachableError,
    TopicRecords,
)
from tenfold.respond.control.log import Conflict, Put, Unacceptable
from tenfold.respond.control.node import ControlNode
from tenfold.respond.control.sqlite import SqliteStore, StoreUnusable
from tenfold.respond.control.store import StoreBusy

__all__ = [
    "Conflict",
    "ControlClient",
    "ControlNode",
    "ControlOutcomeUnknownError",
    "ControlRefusedError",
    "ControlUnreachableError",
    "Put",
    "SqliteStore",
    "StoreBusy",
    "StoreUnusable",
    "TopicRecords",
    "Unacceptable",
    "service_token",
]
