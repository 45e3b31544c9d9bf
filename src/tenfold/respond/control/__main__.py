"""`python -m tenfold.respond.control`: the control node as a process of its own."""

import argparse
import asyncio
import os
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tenfold.channel.messages import Snapshot
from tenfold.channel.snapshot import SnapshotFile, SnapshotRefused
from tenfold.kernel import Interrupted, TenfoldError, run_until_signal
from tenfold.protect.calls.breaker import TOPIC as BREAKERS
from tenfold.protect.reads.hot import TOPIC as HOT_KEYS
from tenfold.respond.control.log import Put
from tenfold.respond.control.node import REBUILT_TOLD_MAX, ControlNode
from tenfold.respond.control.server import ControlServer
from tenfold.respond.control.sqlite import SqliteStore
from tenfold.respond.merges import merge_breakers, merge_hot_keys
from tenfold.respond.merges.merge_loop import MergeLoop
from tenfold.respond.switchboard.board import Switchboard
from tenfold.serving import LOOPBACK
from tenfold.telemetry import EventLog

TOKEN = "TENFOLD_CONTROL_TOKEN"  # noqa: S105  # the name of the variable
EVENTS = "TENFOLD_EVENTS"


class TokenMissing(TenfoldError):
    """Nothing says who may change what every process follows."""


class AdoptRefused(TenfoldError):
    """What the node was told to adopt is no last good state of a process."""


class EventsUnwritable(TenfoldError):
    """The file that the node's events would be appended to cannot be opened."""


def main() -> int:
    options = _parser().parse_args()
    try:
        token = os.environ.get(TOKEN, "")
        if not token:
            raise TokenMissing(
                f"{TOKEN} is not set; the control node does not open, since anybody could then change everything.",
                remedy="Set it to a long random word, here and in every process that follows.",
            )
        _allow_many_connections()
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        run_until_signal(_serve(options, token))
    except Interrupted:
        return 0
    except TenfoldError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 1


def _allow_many_connections() -> None:
    """The usual soft limit of 1,024 files would be reached by 500 processes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(options: argparse.Namespace, token: str) -> None:
    store = _store(options)
    try:
        node = ControlNode(store, events=_events())
        _say_rebuilt(node)
        server = ControlServer(node, token, host=options.host, port=options.port)
        merges: list[MergeLoop[Any]] = [
            merge_hot_keys(partial(_put, node, HOT_KEYS)),
            merge_breakers(partial(_put, node, BREAKERS)),
        ]
        for merge in merges:
            node.inbox.on_report(merge.topic, merge.took)
        board = Switchboard(node)
        try:
            url = await server.open()
            for merge in merges:
                merge.open()
            board.open()
            opened = {"url": url, "incarnation": node.log.incarnation, "epoch": node.log.epoch, "pid": os.getpid()}
            sys.stdout.buffer.write(msgspec.json.encode(opened) + b"\n")
            sys.stdout.flush()
            await server.ended()
        finally:
            await board.close()
            await asyncio.gather(*(merge.close() for merge in merges))
            await server.close()
    finally:
        store.close()


def _say_rebuilt(node: ControlNode) -> None:
    """Into the log: somebody has edited the file."""
    for one in node.rebuilt[:REBUILT_TOLD_MAX]:
        sys.stderr.write(f"{one} What the history says is in force.\n")
    if len(node.rebuilt) > REBUILT_TOLD_MAX:
        sys.stderr.write(f"{len(node.rebuilt)} records in all were put right.\n")


async def _put(node: ControlNode, topic: str, key: str, value: bytes | None) -> None:
    """What the processes of a fleet have found, put together, for all of them."""
    await node.put(Put(topic=topic, key=key, value=value, by=topic))


def _store(options: argparse.Namespace) -> SqliteStore:
    adopted = _adopted(options.adopt) if options.adopt is not None else None
    store = SqliteStore(options.store, now_ns=time.time_ns())
    if adopted is not None:
        store.adopt(adopted, time.time_ns())
    elif options.renew:
        store.renew(time.time_ns())
    return store


def _adopted(path: Path) -> Snapshot:
    """Raises AdoptRefused, since the keepsake's own remedy is for the process that wrote it."""
    try:
        return SnapshotFile(path).read()
    except SnapshotRefused as error:
        raise AdoptRefused(
            f"{path} is no last good state of a process ({error.__cause__}); nothing was taken in.",
            remedy="Give --adopt the file that a process's Channel has as its keepsake.",
        ) from error


def _events() -> EventLog | None:
    """Raises EventsUnwritable."""
    path = os.environ.get(EVENTS)
    try:
        return EventLog("control", path=Path(path)) if path else None
    except OSError as error:
        raise EventsUnwritable(
            f"The control node's events cannot be written to {path} ({error.strerror}); it does not open.",
            remedy=f"Set {EVENTS} to a file in a directory that this user may write.",
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tenfold.respond.control", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "0", help="default $PORT, or a free one")
    parser.add_argument("--host", default=LOOPBACK, help=f"default {LOOPBACK}; anything else needs a trusted network")
    parser.add_argument("--store", type=Path, required=True, metavar="FILE", help="the control store (SQLite)")
    parser.add_argument(
        "--renew",
        action="store_true",
        help="have every process follow this store as it is: put back from a backup, or new",
    )
    parser.add_argument(
        "--adopt", type=Path, metavar="FILE", help="the store was lost: take in a process's last good state"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
