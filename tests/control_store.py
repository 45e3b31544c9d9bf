"""A control store in a file, somebody who edits it by hand, and whether that is seen."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from tenfold.channel import Change
from tenfold.respond.control.log import ChangeBatch, Put
from tenfold.respond.control.node import ControlNode
from tenfold.respond.control.sqlite import SqliteStore
from tenfold.respond.switchboard.history import Wholeness, ends_at, wholeness_of


def put(value: bytes | None = b"1", *, topic: str = "switches", key: str = "a", if_epoch: int | None = None) -> Put:
    return Put(topic=topic, key=key, value=value, if_epoch=if_epoch)


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "control.db", now_ns=1_000)


def accepted(store: SqliteStore, *wishes: Put) -> list[Change]:
    node = ControlNode(store)
    draft = ChangeBatch(node.log)
    for wish in wishes:
        assert isinstance(draft.weigh(wish, 5), Change)
    store.commit(draft.changes)
    return draft.changes


def edited(store: SqliteStore, statement: str) -> None:
    """By somebody who has the file."""
    with closing(sqlite3.connect(store.path)) as stranger, stranger:
        stranger.execute(statement)


def wholeness(store: SqliteStore) -> Wholeness:
    """As who verifies works it out."""
    chain = store.chain(0, 100)
    return ends_at(wholeness_of(chain.links, {"in the file": store.held()}, base=chain.base), chain.head)


def one(epoch: int, value: bytes, *, topic: str = "switches", key: str = "a") -> Change:
    return Change(epoch=epoch, topic=topic, key=key, value=msgspec.Raw(value), previous=epoch - 1)
