"""What happened, to whom, when."""

import io
from pathlib import Path

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.telemetry import Event, EventFolder, EventLog, EventReader


def test_an_event_says_when_who_what_and_to_whom() -> None:
    """Both readings of the clock: one to order by, one for people."""
    clock = VirtualClock()
    clock.advance(Duration.from_ms(42))
    event = EventLog("api", clock=clock).emit("breaker-opened", "main", failures=5)
    assert event == Event(
        monotonic_ns=42_000_000,
        at="2026-01-01T00:00:00.042Z",
        source="api",
        kind="breaker-opened",
        subject="main",
        detail={"failures": 5},
    )


def test_a_log_keeps_the_newest_and_no_more_than_it_was_told() -> None:
    """A process that runs for a year does not remember all of it."""
    log = EventLog("api", clock=VirtualClock(), keep=3)
    for number in range(5):
        log.emit("tick", str(number))
    assert [event.subject for event in log] == ["2", "3", "4"]


def test_who_listens_hears_every_event_from_then_on() -> None:
    """Live views need no file."""
    log = EventLog("api", clock=VirtualClock())
    log.emit("before", "x")
    heard: list[str] = []
    log.listen(lambda event: heard.append(event.kind))
    log.emit("after", "x")
    assert heard == ["after"]


def test_what_one_process_appends_another_reads(tmp_path: Path) -> None:
    """One line of JSON an event; each read answers only what is new."""
    path = tmp_path / "api.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    log = EventLog("api", path=path, clock=VirtualClock())
    first = log.emit("started", "api", note='line\nbreak and "quotes"')
    assert reader.read() == [first]
    assert reader.read() == []
    second = log.emit("stopped", "api")
    assert reader.read() == [second]


def test_a_line_that_is_not_complete_yet_waits_for_its_end(tmp_path: Path) -> None:
    """A reader that looks in the middle of a write sees the event later, whole, and once."""
    path = tmp_path / "api.jsonl"
    EventLog("api", path=path, clock=VirtualClock()).emit("started", "api")
    line = path.read_bytes()
    reader = EventReader(path)
    for end in range(len(line)):
        path.write_bytes(line[:end])
        assert reader.read() == []
    path.write_bytes(line)
    assert [event.kind for event in reader.read()] == ["started"]


def test_a_broken_line_is_counted_and_hides_no_other(tmp_path: Path) -> None:
    """A writer that ran out of disk halfway costs one event, not all that follow."""
    path = tmp_path / "api.jsonl"
    log = EventLog("api", path=path, clock=VirtualClock())
    log.emit("first", "x")
    with path.open("ab") as file:
        file.write(b'{"monotonic_ns": 1, "at": "2026\n')
    log.emit("last", "x")
    reader = EventReader(path)
    assert [event.kind for event in reader.read()] == ["first", "last"]
    assert reader.broken_lines == 1


class FullDisk(io.RawIOBase):
    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_costs_the_file_its_lines_and_nobody_else_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events go on in memory; the service that emits them goes on serving."""
    monkeypatch.setattr(Path, "open", lambda *_, **__: FullDisk())
    log = EventLog("api", path=Path("full.jsonl"), clock=VirtualClock())
    log.emit("first", "x")
    log.emit("second", "x")
    assert [event.kind for event in log] == ["first", "second"]


def test_a_folder_is_read_as_one_story_in_order_of_time(tmp_path: Path) -> None:
    """The monotonic clock is one scale for all processes of a machine; a file may appear at any time."""
    clock = VirtualClock()
    folder = EventFolder(tmp_path)
    api = EventLog("api", path=tmp_path / "api.jsonl", clock=clock)
    api.emit("one", "x")
    assert [event.kind for event in folder.read()] == ["one"]
    worker = EventLog("worker", path=tmp_path / "worker.jsonl", clock=clock)
    for log, kind in ((worker, "two"), (api, "three"), (worker, "four")):
        clock.advance(Duration.from_ms(1))
        log.emit(kind, "x")
    assert [event.kind for event in folder.read()] == ["two", "three", "four"]
