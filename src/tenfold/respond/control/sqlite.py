"""The control store on SQLite: durable before anybody is told (WAL, synchronous FULL), one file, one node."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from uuid import uuid4

import msgspec

from tenfold.channel.messages import Change, Snapshot, encode
from tenfold.kernel import TenfoldError
from tenfold.respond.control.log import WINDOW_MAX
from tenfold.respond.control.pruning import BOUNDS, Bounds, base_of, prune
from tenfold.respond.control.pruning import SCHEMA as BASE_SCHEMA
from tenfold.respond.control.replay import SEALS, Replay, differences
from tenfold.respond.control.store import (
    ROOT,
    Chain,
    Head,
    HeldRecord,
    Link,
    RecordDifference,
    RecordsHeld,
    link,
    locked,
)

RESERVE = 1000
"""So many epochs are reserved at once for ephemeral changes, which are not written but must not come twice."""

WAL_BYTES_KEPT = 4 << 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, fact TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
    epoch INTEGER PRIMARY KEY, topic TEXT NOT NULL, key TEXT NOT NULL, change BLOB NOT NULL, digest TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS changes_of_key ON changes (topic, key, epoch);
CREATE TABLE IF NOT EXISTS records (
    topic TEXT, key TEXT, change BLOB NOT NULL, PRIMARY KEY (topic, key)
) STRICT, WITHOUT ROWID;
"""

_DECODER = msgspec.json.Decoder(Change)


class StoreUnusable(TenfoldError):
    """The store's file cannot be opened, read or written."""


class SqliteStore:
    """The durable changes and the records they come to. One thread commits, one may look back."""

    def __init__(self, path: Path, *, now_ns: int, bounds: Bounds = BOUNDS) -> None:
        self.path = path
        self._bounds = bounds
        self.unreadable = set[int]()
        """Epochs of the history that hold no change: found so far, and left out."""
        with _usable(path):
            self._lock = locked(path)
        try:
            with _usable(path):
                self._database = _opened(path)
                self._reader = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
                self._incarnation = self._fact("incarnation") or self._name(incarnation(now_ns))
                self._digest = self._newest_digest()
        except StoreUnusable:
            os.close(self._lock)
            raise

    @property
    def incarnation(self) -> str:
        """Names this store's life. Sorts by when it began: processes never follow an earlier one."""
        return self._incarnation

    @property
    def replaces(self) -> bool:
        """True once an operator has said that it takes the place of what processes hold of an earlier store."""
        return self._fact("replaces") == self._incarnation

    def epoch(self) -> int:
        """No epoch up to this one may be given again. Raises StoreUnusable."""
        with _usable(self.path):
            newest = self._database.execute("SELECT coalesce(max(epoch), 0) FROM changes").fetchone()[0]
            return max(int(newest), int(self._fact("reserved") or 0), self.head().epoch)

    def head(self) -> Head:
        """The newest durable change, as the store noted it."""
        return _head(dict(self._database.execute("SELECT name, fact FROM facts")))

    def unsealed(self) -> int:
        """So many durable changes came after the newest seal."""
        row = self._database.execute(
            "SELECT count(*) FROM changes WHERE epoch > (SELECT coalesce(max(epoch), 0) FROM changes WHERE topic = ?)",
            (SEALS,),
        ).fetchone()
        return int(row[0])

    def recover(self) -> Sequence[RecordDifference]:
        """Have in force what the history leads to, whatever the records in the file say; answers what they said
        otherwise. Raises StoreUnusable when the history itself is not what was written: nobody knows what it led to.
        """
        with _usable(self.path):
            replay = self._replayed()
            rows = self._database.execute("SELECT topic, key, change FROM records")
            stands = {(topic, key): _change_or_nothing(text) for topic, key, text in rows}
            found = differences(replay.records, stands, "in the file")
            if found:
                self._rewrite(replay.records.values())
            return found

    def _replayed(self) -> Replay:
        """Raises ValueError."""
        replay = Replay(base_of(self._database))
        rows = self._database.execute("SELECT epoch, topic, key, change, digest FROM changes ORDER BY epoch")
        for row in rows:
            if replay.follow(_linked(*row)) is None:
                break
        if problem := replay.ends_at(self.head()):
            raise ValueError(problem.rstrip("."))
        return replay

    def _rewrite(self, records: Iterable[Change]) -> None:
        with self._database:
            self._database.execute("DELETE FROM records")
            rows = ((record.topic, record.key, encode(record)) for record in records)
            self._database.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)

    def held(self) -> RecordsHeld:
        """The records as they stand in the file now, to be held against the history."""
        self._reader.execute("BEGIN")
        try:
            rows = self._reader.execute("SELECT topic, key, change FROM records ORDER BY topic, key").fetchall()
            newest = self._reader.execute("SELECT coalesce(max(epoch), 0) FROM changes").fetchone()[0]
        finally:
            self._reader.execute("COMMIT")
        return RecordsHeld(newest, [HeldRecord(topic, key, _text(record)) for topic, key, record in rows])

    def records(self) -> list[Change]:
        """What is in force. Raises StoreUnusable: nobody may be told all of it while one of them is unknown."""
        with _usable(self.path):
            rows = self._database.execute("SELECT topic || '/' || key, change FROM records")
            return [_read(f"the record '{place}'", text) for place, text in rows]

    def window(self, count: int = WINDOW_MAX) -> list[Change]:
        """The newest changes, oldest first. Raises StoreUnusable: one that was left out would never be told."""
        with _usable(self.path):
            rows = self._database.execute("SELECT epoch, change FROM changes ORDER BY epoch DESC LIMIT ?", (count,))
            return [_read(f"the change of epoch {epoch}", text) for epoch, text in rows][::-1]

    def history(
        self, topic: str | None = None, key: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[Change]:
        """Durable changes, newest first. One that cannot be read is left out; `chain` has it."""
        rows = self._reader.execute(
            "SELECT epoch, change FROM changes WHERE (?1 IS NULL OR topic = ?1) AND (?2 IS NULL OR key = ?2) "
            "AND (?3 IS NULL OR epoch < ?3) ORDER BY epoch DESC",
            (topic, key, before),
        )
        with closing(rows):
            return list(islice(self._readable(rows), limit))

    def _readable(self, rows: Iterable[tuple[int, bytes]]) -> Iterator[Change]:
        for epoch, text in rows:
            try:
                yield _DECODER.decode(text)
            except ValueError:
                self.unreadable.add(epoch)

    def commit(self, changes: Sequence[Change]) -> Mapping[int, str]:
        """Make the changes durable, all or none; of ephemeral ones only that their epochs were given.

        Answers the digests of those that last, by epoch.
        """
        try:
            return self._commit(changes)
        except sqlite3.Error as error:
            self._digest = self._newest_digest()
            raise StoreUnusable(
                f"The control store {self.path} cannot be written: {error}. The change was not made.",
                remedy="Make room on its disk, then try again.",
            ) from error

    def chain(self, after: int, limit: int) -> Chain:
        """The durable changes after the epoch `after` with their digests as they were written, oldest first.

        The head is looked at in the same moment, so that a history whose end was cut off is found.
        """
        self._reader.execute("BEGIN")
        try:
            rows = self._reader.execute(
                "SELECT epoch, topic, key, change, digest FROM changes WHERE epoch > ? ORDER BY epoch LIMIT ?",
                (after, limit),
            ).fetchall()
            facts = dict(self._reader.execute("SELECT name, fact FROM facts"))
            base = base_of(self._reader) if after == 0 else None
        finally:
            self._reader.execute("COMMIT")
        return Chain([_linked(*row) for row in rows], _head(facts), base)

    def renew(self, now_ns: int) -> None:
        """Have every process follow this store as it is, instead of what it holds: under a new, later name."""
        self._replace(now_ns, self._incarnation)

    def adopt(self, snapshot: Snapshot, now_ns: int) -> None:
        """Take in what a process knew last of a store that was lost, and have every process follow.

        What has been changed here since then stays as it is; so it does no harm twice.
        """
        touched = set(self._database.execute("SELECT topic, key FROM changes UNION SELECT topic, key FROM records"))
        previous, changes = self.epoch(), []
        for record in sorted(snapshot.records, key=lambda record: record.epoch):
            if (record.topic, record.key) not in touched and record.topic != SEALS:
                epoch = max(record.epoch, previous + 1)
                changes.append(msgspec.structs.replace(record, epoch=epoch, previous=previous))
                previous = epoch
        self.commit(changes)
        self._replace(now_ns, max(snapshot.incarnation, self._incarnation))

    def _replace(self, now_ns: int, latest: str) -> None:
        """A name that is later than `latest`, which processes may know, and the word that it is meant."""
        born_ns = max(now_ns, int(latest.partition("-")[0], 16) + 1)
        self._incarnation = self._name(incarnation(born_ns), replaces=True)

    def close(self) -> None:
        self._reader.close()
        self._database.close()
        os.close(self._lock)

    def _commit(self, changes: Sequence[Change]) -> Mapping[int, str]:
        digest, digests = self._digest, dict[int, str]()
        with self._database:
            for change in changes:
                if not change.ephemeral:
                    digest = digests[change.epoch] = link(digest, change)
                    self._write(change, digest)
            self._reserve(changes)
            if digests:
                self._state("digest", digest)
                self._state("head", str(max(digests)))
        self._digest = digest
        if any(change.topic == SEALS for change in changes):
            prune(self._database, self._bounds)
        return digests

    def _write(self, change: Change, digest: str) -> None:
        text = encode(change)
        self._database.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (change.epoch, change.topic, change.key, text, digest)
        )
        if change.json is None:
            self._database.execute("DELETE FROM records WHERE topic = ? AND key = ?", (change.topic, change.key))
        else:
            self._database.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (change.topic, change.key, text))

    def _reserve(self, changes: Iterable[Change]) -> None:
        newest = max((change.epoch for change in changes if change.ephemeral), default=0)
        if newest > int(self._fact("reserved") or 0):
            self._state("reserved", str(newest + RESERVE))

    def _newest_digest(self) -> str:
        return self._fact("digest") or ROOT

    def _name(self, name: str, *, replaces: bool = False) -> str:
        with self._database:
            self._state("incarnation", name)
            if replaces:
                self._state("replaces", name)
        return name

    def _fact(self, name: str) -> str | None:
        row = self._database.execute("SELECT fact FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def _state(self, name: str, fact: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, fact))


def incarnation(born_ns: int) -> str:
    """A name that sorts by when it was given and that no two stores share."""
    return f"{born_ns:016x}-{uuid4().hex[:8]}"


def _opened(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
    database.executescript(_SCHEMA + BASE_SCHEMA)
    return database


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Raises StoreUnusable for what the file system, SQLite or an edited row is at fault of."""
    try:
        yield
    except OSError as error:
        raise StoreUnusable(
            f"The control store {path} cannot be opened: {error.strerror or error}. No control node can run on it.",
            remedy="Name a file in a directory that this user may write.",
        ) from error
    except (sqlite3.Error, ValueError) as error:
        raise StoreUnusable(
            f"The control store {path} cannot be used: {error}. No control node can run on it.",
            remedy="Put a backup in its place and start with --renew, or begin a new store with --adopt and the last "
            "state of a process.",
        ) from error


def _read(name: str, text: bytes) -> Change:
    """Raises ValueError."""
    try:
        return _DECODER.decode(text)
    except ValueError as error:
        raise ValueError(f"{name} is not what was written ({error})") from error


def _change_or_nothing(text: bytes) -> Change | None:
    try:
        return _DECODER.decode(text)
    except ValueError:
        return None


def _linked(epoch: int, topic: str, key: str, change: bytes, digest: str) -> Link:
    """The history is looked for by the columns `topic` and `key`, and the digest is of the change alone: one that is
    filed where it does not belong is answered without a digest, as no change that was written is.
    """
    text = change.decode("utf-8", "replace")
    return Link(epoch, text, digest if _is_filed(change, topic, key) else "")


def _text(blob: bytes) -> str:
    return bytes(blob).decode("utf-8", "replace")


def _is_filed(change: bytes, topic: str, key: str) -> bool:
    """True when the change is of the topic and key that it is filed under."""
    try:
        filed = _DECODER.decode(change)
    except ValueError:
        return False
    return (filed.topic, filed.key) == (topic, key)


def _head(facts: Mapping[str, str]) -> Head:
    """As the store noted it; an epoch that is none is 0, which no history ends at."""
    epoch = facts.get("head", "0")
    return Head(int(epoch) if epoch.isdecimal() else 0, facts.get("digest", ROOT))
