"""Whom a process follows, and what of it stays on disk."""

import os
import random
import time
from pathlib import Path

import pytest
from msgspec import Raw

from tenfold.channel import Change, ChangeRefused, Channel, ControlAddressInvalid, Process, State
from tenfold.channel.known_records import Followed, KnownRecords, LineRefusal
from tenfold.channel.messages import Beat, Line, Missed, Snapshot
from tenfold.channel.snapshot import KEEP_EVERY, SnapshotFile, SnapshotRefused, SnapshotWriter
from tenfold.channel.subscribers import Delivery, Subscribers
from tenfold.channel.wire import ControlAddress
from tenfold.kernel import Backoff, Duration
from tenfold.telemetry import Counter, Event, EventLog

EARLY, LATE = "0001-early", "0002-late"


def change(epoch: int, value: bytes = b"1", key: str = "a", *, ephemeral: bool = False) -> Change:
    return Change(epoch=epoch, previous=epoch - 1, topic="switches", key=key, value=Raw(value), ephemeral=ephemeral)


def snapshot(epoch: int, *records: Change, incarnation: str = LATE) -> Snapshot:
    return Snapshot(incarnation=incarnation, boot="boot", epoch=epoch, records=records)


def followed(known: KnownRecords, *lines: Line) -> tuple[Change, ...]:
    changes: tuple[Change, ...] = ()
    for line in lines:
        step = known.weigh(line)
        assert isinstance(step, Followed), step
        known.follow(step)
        changes += step.changes
    return changes


def test_a_lost_change_is_noticed_by_the_next_line() -> None:
    """The next change, or the next beat, names an epoch that does not fit."""
    known = KnownRecords()
    followed(known, snapshot(3, change(3)))
    assert known.weigh(change(5)) is LineRefusal.GAP
    assert known.weigh(Beat(epoch=4)) is LineRefusal.GAP
    assert known.state.epoch == 3


def test_a_stream_has_to_introduce_itself() -> None:
    """A change on a new connection counts for nothing before the node has said whose it is."""
    known = KnownRecords()
    followed(known, snapshot(3, change(3)))
    known.begin()
    assert known.weigh(change(4)) is LineRefusal.UNINTRODUCED


def test_an_older_store_is_not_followed() -> None:
    """Neither one that was put back from a backup, nor a node that was replaced and has come back."""
    known = KnownRecords()
    followed(known, snapshot(3, change(3)))
    assert known.weigh(snapshot(2, change(2))) is LineRefusal.OLDER
    assert known.weigh(snapshot(9, change(9), incarnation=EARLY)) is LineRefusal.OLDER
    assert known.weigh(Missed(incarnation=EARLY, boot="b", after=3, epoch=4)) is LineRefusal.OLDER


def test_a_later_store_is_followed_once_somebody_said_that_it_replaces_the_one_before() -> None:
    """Its epochs may be smaller; what only the old store had is gone, and subscribers hear of it."""
    known = KnownRecords()
    followed(known, snapshot(8, change(7), change(8, key="b"), incarnation=EARLY))
    meant = Snapshot(incarnation=LATE, boot="boot", epoch=2, records=(change(2, b"5"),), replaces=True)
    changes = followed(known, meant)
    assert [(told.key, told.json) for told in changes] == [("b", None), ("a", b"5")]
    assert known.state.epoch == 2


def test_a_new_store_that_nobody_vouched_for_resets_nothing_whatever_it_holds() -> None:
    """Empty, with what other processes declared or found hot, or with what a person set since."""
    known = KnownRecords()
    followed(known, snapshot(8, change(7), change(8, key="b"), incarnation=EARLY))
    for strange in (snapshot(0), snapshot(1, change(1, key="hot", ephemeral=True)), snapshot(2, change(2, b"5"))):
        assert known.weigh(strange) is LineRefusal.STRANGE
    assert known.state.epoch == 8


def test_a_process_that_holds_nothing_lasting_has_nothing_to_lose_by_a_new_store() -> None:
    """Ephemeral records say what holds just now."""
    known = KnownRecords()
    followed(known, snapshot(8, change(8, ephemeral=True), incarnation=EARLY))
    followed(known, snapshot(2, change(2, b"5")))
    assert known.state.topics["switches"]["a"].json == b"5"


def test_a_process_that_knows_nothing_follows_an_empty_store() -> None:
    """A fresh start of everything."""
    assert followed(KnownRecords(), snapshot(0)) == ()


def test_a_view_does_not_change_under_its_reader() -> None:
    """The state is swapped, not edited."""
    known = KnownRecords()
    followed(known, snapshot(1, change(1)))
    before = known.state.topics["switches"]
    followed(known, change(2, b"2"))
    assert before["a"].json == b"1"
    assert known.state.topics["switches"]["a"].json == b"2"


def test_the_keepsake_holds_everything_but_what_a_boot_takes_along(tmp_path: Path) -> None:
    """And nobody else can read it."""
    known, keepsake = KnownRecords(), SnapshotFile(tmp_path / "keepsake")
    assert keepsake.load() == State()
    followed(known, snapshot(2, change(1), change(2, key="hot", ephemeral=True)))
    keepsake.save(known.state)
    loaded = keepsake.load()
    assert (loaded.incarnation, loaded.epoch, list(loaded.topics["switches"])) == (LATE, 2, ["a"])
    assert keepsake.path.stat().st_mode & 0o777 == 0o600


def test_an_older_state_does_not_replace_a_newer_keepsake(tmp_path: Path) -> None:
    """Processes that share a file may be at different epochs."""
    keepsake, ahead, behind = SnapshotFile(tmp_path / "keepsake"), KnownRecords(), KnownRecords()
    followed(ahead, snapshot(5, change(5)))
    followed(behind, snapshot(4, change(4)))
    keepsake.save(ahead.state)
    keepsake.save(behind.state)
    assert keepsake.load().epoch == 5


def test_a_slower_process_does_not_put_an_older_state_over_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quicker one comes while the other waits for its disk; it is not held up, and comes again soon."""
    slow, quick = SnapshotFile(tmp_path / "keepsake"), SnapshotWriter(SnapshotFile(tmp_path / "keepsake"))
    ahead, behind, told = KnownRecords(), KnownRecords(), list[float | None]()
    followed(ahead, snapshot(5, change(5)))
    followed(behind, snapshot(4, change(4)))

    def meanwhile(_: int) -> None:
        monkeypatch.undo()
        told.append(quick.keep(ahead.state, 0))

    monkeypatch.setattr(os, "fsync", meanwhile)
    slow.save(behind.state)
    [again_s] = told
    assert again_s is not None
    assert quick.keep(ahead.state, int(again_s * 1e9)) is None
    assert slow.load().epoch == 5
    slow.save(behind.state)
    assert slow.load().epoch == 5


@pytest.mark.parametrize("damage", ["cut", "flipped", "garbage", "empty", "shared", "folder", "link"])
def test_a_keepsake_that_is_not_ours_counts_for_nothing(tmp_path: Path, damage: str) -> None:
    """Whatever happened to the file: refused, and written anew by the next save."""
    known, keepsake = KnownRecords(), SnapshotFile(tmp_path / "keepsake")
    followed(known, snapshot(1, change(1)))
    keepsake.save(known.state)
    path, text = keepsake.path, keepsake.path.read_bytes()
    if damage == "shared":
        path.chmod(0o666)
    elif damage in ("folder", "link"):
        path.rename(tmp_path / "elsewhere")
        path.mkdir() if damage == "folder" else path.symlink_to(tmp_path / "elsewhere")
    else:
        damaged = {"cut": text[:-9], "flipped": text.replace(b":1", b":2"), "garbage": b"\xff\n\x00", "empty": b""}
        path.write_bytes(damaged[damage])
    with pytest.raises(SnapshotRefused):
        keepsake.load()
    if damage != "folder":
        keepsake.save(known.state)
        assert keepsake.load().epoch == 1


def test_a_disk_that_is_full_leaves_the_last_keepsake_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft fails, not the file."""
    known, keepsake = KnownRecords(), SnapshotFile(tmp_path / "keepsake")
    followed(known, snapshot(1, change(1)))
    keepsake.save(known.state)
    followed(known, change(2))

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keepsake.save(known.state)
    assert keepsake.load().epoch == 1


def test_a_keepsake_that_could_not_be_written_is_tried_again_without_another_change(tmp_path: Path) -> None:
    """Else a disk that was full for a moment costs what people set last."""
    known, writer = KnownRecords(), SnapshotWriter(SnapshotFile(tmp_path / "mounted" / "keepsake"))
    followed(known, snapshot(5, change(5)))
    with pytest.raises(FileNotFoundError):
        writer.keep(known.state, 0)
    (tmp_path / "mounted").mkdir()
    rest_s = writer.keep(known.state, 1)
    assert rest_s == pytest.approx(KEEP_EVERY.s)
    assert writer.keep(known.state, KEEP_EVERY.ns) is None
    assert writer.keepsake.load().epoch == 5


def test_the_channel_comes_again_to_a_keepsake_that_failed_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when somebody who hears of it raises: the thread that writes is needed."""
    heard: list[str] = []

    def broken(event: Event) -> None:
        heard.append(event.kind)
        raise RuntimeError("broken on purpose")

    events = EventLog("test")
    events.listen(broken)
    path = tmp_path / "nowhere" / "keepsake"
    channel = Channel("http://127.0.0.1:1", "token", service="shop", keepsake=path, events=events)
    followed(channel._known, snapshot(5, change(5)))
    rests_s = []
    for now_s in (10, 10.25, 11):
        monkeypatch.setattr(time, "monotonic_ns", lambda now_s=now_s: int(now_s * 1e9))
        rests_s.append(channel._keep())
    assert rests_s == [KEEP_EVERY.s, pytest.approx(0.75), KEEP_EVERY.s]
    assert heard == ["channel-keepsake-failed"]


def test_a_subscriber_that_raises_is_counted_and_harms_nobody() -> None:
    """The others are told; the acknowledgement can say how many failed."""
    failures, told = Counter(), list[int]()
    subscribers = Subscribers(failures)

    def broken(_: Change) -> None:
        raise RuntimeError("broken on purpose")

    leave = subscribers.join("switches", broken, ())
    subscribers.join("switches", lambda news: told.append(news.epoch), [change(2, key="b"), change(1)])
    assert subscribers.tell([change(3), change(4)]) == Delivery(failures=2)
    leave()
    assert subscribers.tell([change(5)]) == Delivery()
    assert told == [1, 2, 3, 4, 5]
    assert failures.value == 2


def test_a_refusal_is_told_apart_from_a_failure_and_of_the_newest_change_only() -> None:
    """An acknowledgement names one epoch, and a refusal of another would be taken for its own."""
    failures = Counter()
    subscribers = Subscribers(failures)

    def refuse(news: Change) -> None:
        if news.json == b"9":
            raise ChangeRefused("9 is more than 5.")

    subscribers.join("switches", refuse, ())
    assert subscribers.tell([change(3), change(4, b"9")]) == Delivery(refused="9 is more than 5.")
    assert subscribers.tell([change(5, b"9", "b"), change(6)]) == Delivery()
    assert failures.value == 0


def test_waits_grow_to_a_second_and_differ() -> None:
    """From 50 ms on, never less than half of what was meant."""
    backoff = Backoff(random.Random(7))
    waits_s = [backoff.next_s() for _ in range(8)]
    assert 0.025 <= waits_s[0] <= 0.05
    assert all(0.5 <= wait_s <= 1.0 for wait_s in waits_s[5:])
    backoff.reset()
    assert backoff.next_s() <= Duration.from_ms(50).s


def test_a_process_says_who_it_is_in_any_language() -> None:
    """HTTP headers carry Latin letters only."""
    process = Process.this("api", store="门店 7", instance="api-1")
    headers = {name.lower(): value for name, value in process.headers().items()}
    assert all(value.isascii() for value in headers.values())
    assert Process.from_headers(headers) == process
    assert process.forked().id != process.id


@pytest.mark.parametrize("url", ["7600", "ftp://host", "http://", "http://token@host", "http://host?token=x"])
def test_an_address_with_a_token_in_it_is_refused(url: str) -> None:
    """A URL ends in logs."""
    with pytest.raises(ControlAddressInvalid):
        ControlAddress(url, "token")
