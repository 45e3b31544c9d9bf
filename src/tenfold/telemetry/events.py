"""What happened, to whom, when: kept in memory to a bound, appended to a file when there is one.

One line of JSON an event, so that a process of another language can read it and a person can grep it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tenfold.kernel import Clock, SystemClock, tell_forks
from tenfold.kernel.clock import utc


class Event(msgspec.Struct, frozen=True):
    """One thing that happened.

    `monotonic_ns` orders events of all processes of one machine; `at` is for people (RFC 3339, UTC).
    `source` is the process that says so, `kind` what happened (`breaker-opened`), `subject` to whom
    (`price/main`), `detail` the evidence.
    """

    monotonic_ns: int
    at: str
    source: str
    kind: str
    subject: str
    detail: dict[str, Any] = {}


class EventLog:
    """The events of one process: the newest `keep` in memory, all of them in `path` when one is given."""

    def __init__(self, source: str, *, path: Path | None = None, clock: Clock | None = None, keep: int = 1000) -> None:
        self.source = source
        self._clock = clock or SystemClock()
        self._recent: deque[Event] = deque(maxlen=keep)
        self._listeners: list[Callable[[Event], None]] = []
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0) if path else None
        tell_forks(self)

    def after_fork(self) -> None:
        """In the child nobody holds the lock, whoever held it in the parent."""
        self._lock = threading.Lock()

    def emit(self, kind: str, subject: str, **detail: Any) -> Event:
        """Record that `kind` happened to `subject` now; a full disk costs the file its line, never the caller."""
        event = Event(
            monotonic_ns=self._clock.monotonic_ns(),
            at=utc(self._clock.wall_ns()),
            source=self.source,
            kind=kind,
            subject=subject,
            detail=detail,
        )
        with self._lock:
            self._recent.append(event)
            if self._file is not None:
                try:
                    self._file.write(msgspec.json.encode(event) + b"\n")
                except OSError:
                    self._file = None
        for listener in self._listeners:
            listener(event)
        return event

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, in the thread that emits it."""
        self._listeners.append(listener)

    def __iter__(self) -> Iterator[Event]:
        with self._lock:
            return iter(list(self._recent))


class EventReader:
    """Reads a file that another process appends to; each `read` answers the events that are new since the last.

    A line that is no event (its writer ran out of disk halfway) is left out and counted in `broken_lines`.
    """

    def __init__(self, path: Path) -> None:
        self.broken_lines = 0
        self._path = path
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Event)

    def read(self) -> list[Event]:
        """The complete lines that were appended since the last call; none while the file is not there."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                appended = file.read()
        except FileNotFoundError:
            return []
        complete = appended[: appended.rfind(b"\n") + 1]
        self._offset += len(complete)
        events = map(self._decode, complete.splitlines())
        return [event for event in events if event is not None]

    def _decode(self, line: bytes) -> Event | None:
        try:
            return self._decoder.decode(line)
        except msgspec.DecodeError:
            self.broken_lines += 1
            return None


class EventFolder:
    """Reads every `*.jsonl` of a folder, one for each process: what is new since the last look, in order of time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[Path, EventReader] = {}

    def read(self) -> list[Event]:
        for path in self._folder.glob("*.jsonl"):
            self._readers.setdefault(path, EventReader(path))
        events = [event for reader in self._readers.values() for event in reader.read()]
        return sorted(events, key=lambda event: event.monotonic_ns)
