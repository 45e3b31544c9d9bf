"""Takes old history out of a store on SQLite, so that it does not grow for ever and stays verifiable.

What goes is folded into the base: the records as they were at an epoch that a later entry, a seal, vouches for.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from tenfold.channel.messages import Change, encode
from tenfold.respond.control.replay import SEALS, Place, Seal, seal_of, take
from tenfold.respond.control.store import ROOT, Base

HISTORY_MAX = 20_000
HISTORY_BYTES_MAX = 16 << 20
SEAL_EVERY = 1000
SEAL_EVERY_BYTES = 4 << 20
"""Whichever comes first: as much may stand beyond the bounds until the next seal."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS base (
    topic TEXT, key TEXT, change BLOB NOT NULL, PRIMARY KEY (topic, key)
) STRICT, WITHOUT ROWID;
"""

_DECODER = msgspec.json.Decoder(Change)


class Bounds(NamedTuple):
    """Of a history that is kept."""

    changes: int = HISTORY_MAX
    size_bytes: int = HISTORY_BYTES_MAX


BOUNDS = Bounds()


class _Noted(msgspec.Struct):
    epoch: int
    digest: str
    entries: int
    at_ns: int


def base_of(database: sqlite3.Connection) -> Base | None:
    """What the history begins at; None when it is all there. Of what was edited, one that nothing builds on."""
    row = database.execute("SELECT fact FROM facts WHERE name = 'base'").fetchone()
    if row is None:
        return None
    try:
        noted = msgspec.json.decode(row[0], type=_Noted)
    except ValueError:
        return Base(0, "")
    rows = database.execute("SELECT change FROM base ORDER BY topic, key")
    texts = [bytes(text).decode("utf-8", "replace") for (text,) in rows]
    return Base(noted.epoch, noted.digest, texts, noted.entries, noted.at_ns)


def prune(database: sqlite3.Connection, bounds: Bounds) -> None:
    """Fold the oldest entries into the base, up to a seal at a time, until the rest is within the bounds.

    What no seal vouches for stays: somebody has edited it, and who verifies is to find that.
    """
    for seal in _seals(database):
        if not _is_over(database, bounds):
            return
        with database:
            if not _fold(database, seal):
                return


def _is_over(database: sqlite3.Connection, bounds: Bounds) -> bool:
    count, size_bytes = database.execute("SELECT count(*), coalesce(sum(length(change)), 0) FROM changes").fetchone()
    return bool(count > bounds.changes or size_bytes > bounds.size_bytes)


def _seals(database: sqlite3.Connection) -> Iterator[Seal]:
    """Oldest first."""
    rows = database.execute("SELECT change FROM changes WHERE topic = ? ORDER BY epoch", (SEALS,)).fetchall()
    for (text,) in rows:
        try:
            yield msgspec.json.decode(_DECODER.decode(text).json or b"", type=Seal)
        except ValueError:
            return


def _fold(database: sqlite3.Connection, seal: Seal) -> bool:
    """In one transaction, which is the caller's; false when the seal does not fit what goes."""
    base = base_of(database) or Base(0, ROOT)
    rows = database.execute("SELECT change, digest FROM changes WHERE epoch <= ? ORDER BY epoch", (seal.epoch,))
    records: dict[Place, Change] = {}
    try:
        for text in base.records:
            take(records, _DECODER.decode(text))
        digest, entries, last = base.digest, 0, None
        for text, sealed in rows:
            digest, last, entries = sealed, _DECODER.decode(text), entries + 1
            take(records, last)
    except ValueError:
        return False
    if last is None or seal_of(seal.epoch, digest, records.values()) != seal:
        return last is None
    noted = _Noted(seal.epoch, digest, base.entries + entries, last.at_ns)
    _write(database, noted, records)
    return True


def _write(database: sqlite3.Connection, noted: _Noted, records: dict[Place, Change]) -> None:
    database.execute("DELETE FROM changes WHERE epoch <= ?", (noted.epoch,))
    database.execute("DELETE FROM base")
    rows = ((topic, key, encode(record)) for (topic, key), record in records.items())
    database.executemany("INSERT INTO base VALUES (?, ?, ?)", rows)
    fact = msgspec.json.encode(noted).decode()
    database.execute("INSERT OR REPLACE INTO facts VALUES ('base', ?)", (fact,))
