"""The control node without a server: what is accepted, what is durable before what is told, who is too slow."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.asgi_client import AsgiClient
from tests.control_store import accepted, opened, put, wholeness

from tenfold.channel import Change, Process
from tenfold.channel.messages import Acks, AppliedEpoch, Report, Reports
from tenfold.kernel import TenfoldError, VirtualClock
from tenfold.respond.control.app import BYTES_MAX, control_app
from tenfold.respond.control.change_writer import ChangeFailed, ChangeWriter, WriterEnded
from tenfold.respond.control.fanout import BEHIND_BYTES_MAX, Fanout
from tenfold.respond.control.hearing import Heard
from tenfold.respond.control.inbox import Inbox
from tenfold.respond.control.ledger import APART_FOR, FORGOTTEN_AFTER, FollowerLedger
from tenfold.respond.control.log import (
    RECORDS_MAX,
    VALUE_BYTES_MAX,
    ChangeBatch,
    Check,
    Conflict,
    Log,
    Put,
    Unacceptable,
)
from tenfold.respond.control.node import ControlNode
from tenfold.telemetry import Counter

API = Process(id="p1", service="api")


def test_two_who_press_at_once_cannot_both_win() -> None:
    """Also when both are in the same batch."""
    draft = ChangeBatch(Log("i", "b"))
    first = draft.weigh(put(b"1", if_epoch=0), 0)
    second = draft.weigh(put(b"2", if_epoch=0), 0)
    assert isinstance(first, Change)
    assert second == Conflict(first)


def test_a_removed_record_is_as_if_it_had_never_been() -> None:
    """Its epoch for compare-and-set is 0 again."""
    draft = ChangeBatch(Log("i", "b"))
    draft.weigh(put(b"1"), 0)
    draft.weigh(put(None), 0)
    assert isinstance(draft.weigh(put(b"2", if_epoch=0), 0), Change)


def test_a_value_is_put_on_one_line() -> None:
    """A line feed in it would end the line of every stream."""
    change = ChangeBatch(Log("i", "b")).weigh(put(b'{\n  "on": true\n}'), 0)
    assert isinstance(change, Change)
    assert change.json == b'{"on":true}'


@pytest.mark.parametrize(
    "wish",
    [
        put(b"{"),
        put(b""),
        put(b"\xff"),
        put(b"[" * 5000 + b"]" * 5000),
        put(b'"' + b"x" * VALUE_BYTES_MAX + b'"'),
        put(topic="No Topic"),
        put(key=""),
        put(key="a\nb"),
        put(key="x" * 257),
        Put(topic="a", key="a", value=b"1", by="x" * 300),
        Put(topic="a", key="a", value=b"1", by="nina\x1b[2K"),
        Put(topic="a", key="a", value=b"1", reason="slow\n  8  payments  off  by boss"),
        Put(topic="a", key="a", value=None, reason="slow\u2028payments off"),
        Put(topic="a", key="a", value=b"1", reason="\u202eslow"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_reason(wish: Put) -> None:
    """And costs no epoch."""
    draft = ChangeBatch(Log("i", "b"))
    outcome = draft.weigh(wish, 0)
    assert isinstance(outcome, Unacceptable)
    assert outcome.problem
    assert not draft.changes


def test_who_and_why_may_be_written_in_any_language() -> None:
    """With the spaces that go with it."""
    change = ChangeBatch(Log("i", "b")).weigh(
        Put(topic="a", key="a", value=b"1", by="李娜", reason="页面\u3000很慢\u00a0!"), 0
    )
    assert isinstance(change, Change)


def test_the_number_of_records_is_bounded() -> None:
    """What is there can still be changed."""
    log = Log("i", "b")
    for number in range(RECORDS_MAX):
        log.append(Change(epoch=number + 1, topic="t", key=str(number), value=msgspec.Raw(b"1")))
    assert isinstance(ChangeBatch(log).weigh(put(topic="t", key="more"), 0), Unacceptable)
    assert isinstance(ChangeBatch(log).weigh(put(topic="t", key="5"), 0), Change)


class Torn(BaseException):
    """What ends everything, in the middle of writing."""


class Disk:
    """A store that waits until it is told to go on, or fails."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.broken = False
        self.torn = False
        self.durable: list[Change] = []

    def commit(self, changes: Sequence[Change]) -> Mapping[int, str]:
        self.go.wait(5)
        if self.torn:
            raise Torn
        if self.broken:
            raise TenfoldError("no room")
        if any(change.key == "poison" for change in changes):
            raise OverflowError("too large")
        self.durable += changes
        return {}


async def writer_of(disk: Disk, check: Check | None = None) -> tuple[Log, ChangeWriter, list[Change]]:
    log, told = Log("i", "b"), list[Change]()
    writer = ChangeWriter(
        log, disk, lambda change, _: told.append(change), VirtualClock(), {"switches": check} if check else {}
    )
    writer.open()
    return log, writer, told


async def turns(count: int = 20) -> None:
    """Everybody goes as far as they can without the disk."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_nobody_is_told_before_it_is_durable() -> None:
    """The disk is asked first, and whoever asked hears last."""

    async def main() -> None:
        disk = Disk()
        log, writer, told = await writer_of(disk)
        asking = asyncio.create_task(writer.put(put()))
        await turns()
        assert (told, log.epoch) == ([], 0)
        disk.go.set()
        change = await asking
        assert disk.durable == told == [change]
        await writer.close()

    asyncio.run(main())


def test_what_the_disk_refuses_never_was() -> None:
    """Nobody is told, no epoch is used, and the next one is accepted."""

    async def main() -> None:
        disk = Disk()
        log, writer, told = await writer_of(disk)
        disk.broken = True
        disk.go.set()
        with pytest.raises(TenfoldError, match="no room"):
            await writer.put(put())
        assert (told, log.epoch) == ([], 0)
        disk.broken = False
        change = await writer.put(put())
        assert isinstance(change, Change)
        assert change.epoch == 1
        await writer.close()

    asyncio.run(main())


def test_what_a_check_or_the_disk_raises_is_the_failure_of_one_change() -> None:
    """Those in the same batch are made, and so is the next."""

    def check(wish: Put, _: Change | None, __: int) -> str:
        return str(10**400 / 1.0) if wish.key == "large" else ""

    async def main() -> None:
        disk = Disk()
        disk.go.set()
        _, writer, told = await writer_of(disk, check)
        async with asyncio.timeout(5):
            wishes = [put(key=key) for key in ("a", "large", "poison", "b")]
            outcomes = await asyncio.gather(*map(writer.put, wishes), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [Change, ChangeFailed, ChangeFailed, Change]
            assert "OverflowError" in str(outcomes[1])
            assert isinstance(await writer.put(put(key="c")), Change)
        assert [change.key for change in told] == ["a", "b", "c"]
        assert [change.epoch for change in told] == [1, 2, 3]
        assert not writer.ended
        await writer.close()

    asyncio.run(main())


def test_a_change_that_cannot_be_told_is_made_all_the_same() -> None:
    """It is durable; whoever was not told of it asks at the next line."""

    async def main() -> None:
        disk, failures = Disk(), Counter()
        disk.go.set()

        def broken(_: Change, __: str) -> None:
            raise RuntimeError("broken on purpose")

        writer = ChangeWriter(Log("i", "b"), disk, broken, VirtualClock(), failures=failures)
        writer.open()
        async with asyncio.timeout(5):
            epochs = [outcome.epoch for outcome in [await writer.put(put()), await writer.put(put())]]  # type: ignore[union-attr]
        assert epochs == [1, 2]
        assert failures.value == 2
        await writer.close()

    asyncio.run(main())


def test_a_node_whose_desk_has_ended_says_so(tmp_path: Path) -> None:
    """To whoever asks for its health, to who waits for a change and to who comes later; nobody hangs."""

    async def main() -> None:
        store = opened(tmp_path)
        node = ControlNode(store)

        def ends(_: Put, __: Change | None, ___: int) -> str:
            raise asyncio.CancelledError

        node.checks["switches"] = ends
        await node.open()
        client = AsgiClient(control_app(node, "secret"))
        assert (await client.ask("GET", "/health")).status == 200
        async with asyncio.timeout(5):
            for _ in range(2):
                with pytest.raises(WriterEnded, match="accepts no change any longer"):
                    await node.put(put())
        health = await client.ask("GET", "/health")
        assert (health.status, "no change" in health.text) == (503, True)
        await node.close()
        store.close()

    asyncio.run(main())


def test_a_change_that_is_durable_when_the_node_is_stopped_is_told_and_answered() -> None:
    """Nobody hears that it was not made; who waited behind it was not made, and hears that."""

    async def main() -> None:
        disk = Disk()
        log, writer, told = await writer_of(disk)
        asking = asyncio.create_task(writer.put(put()))
        await turns()
        waiting = asyncio.create_task(writer.put(put(key="b")))
        closing = asyncio.create_task(writer.close())
        await turns()
        disk.go.set()
        async with asyncio.timeout(5):
            change = await asking
            with pytest.raises(WriterEnded, match="was not made"):
                await waiting
            await closing
        assert disk.durable == told == [change]
        assert log.epoch == 1

    asyncio.run(main())


def test_of_a_change_that_was_torn_off_nobody_says_that_it_was_not_made(tmp_path: Path) -> None:
    """It has a name of its own, also on the wire."""

    async def main() -> None:
        disk = Disk()
        disk.torn = True
        disk.go.set()
        store = opened(tmp_path)
        store.commit = disk.commit  # type: ignore[method-assign]
        node = ControlNode(store)
        await node.open()
        client = AsgiClient(control_app(node, "secret"))
        headers = {"Authorization": "Bearer secret"}
        async with asyncio.timeout(5):
            torn = await client.ask("PUT", "/control/v1/topics/demo/a", headers, parts=[b"1"])
            late = await client.ask("PUT", "/control/v1/topics/demo/a", headers, parts=[b"1"])
        assert (torn.status, torn.json()["kind"]) == (503, "OutcomeUnknown")
        assert "nobody knows" in torn.json()["detail"]
        assert (late.status, late.json()["kind"]) == (503, "WriterEnded")
        with suppress(Torn):
            await node.close()
        store.close()

    asyncio.run(main())


def test_whoever_leaves_does_not_stop_his_change() -> None:
    """Durable and told, or neither."""

    async def main() -> None:
        disk = Disk()
        _, writer, told = await writer_of(disk)
        asking = asyncio.create_task(writer.put(put()))
        for _ in range(5):
            await asyncio.sleep(0)
        asking.cancel()
        disk.go.set()
        await writer.put(put(key="b"))
        assert [change.key for change in told] == ["a", "b"]
        await writer.close()

    asyncio.run(main())


def test_a_slow_process_is_cut_off_and_the_others_go_on() -> None:
    """Its queue is bounded; it is counted."""

    async def main() -> None:
        fanout = Fanout()
        with fanout.follower(API, b"first", None) as slow, fanout.follower(API, b"first", None) as quick:
            line = b"x" * 1000
            for _ in range(BEHIND_BYTES_MAX // 1000 + 2):
                fanout.publish(line)
                assert await quick.next()
            assert slow.cut_off
            assert not quick.cut_off
            assert await slow.next() == b""

    asyncio.run(main())


def test_what_a_change_took_needs_no_common_clock() -> None:
    """From acceptance to the word, less the time for which the process says it held the word."""
    ledger = FollowerLedger()
    ledger.joined(API, 0, 0)
    ledger.accepted(1, 1_000)
    assert ledger.acked("p1", 1, 40_000, 0, 50_000) == 9_000
    assert ledger.acked("stranger", 1, 0, 0, 50_000) is None
    assert [ack.process for ack in ledger.acks(1)] == ["p1"]


def test_what_comes_and_goes_does_not_push_out_who_has_a_change() -> None:
    """Breakers and hot keys are measured and not kept; so is what is older than the newest durable changes."""
    ledger = FollowerLedger(changes_max=2)
    ledger.joined(API, 0, 0)
    ledger.acked("p1", 6, 0, 0, 0)
    ledger.accepted(7, 0)
    ledger.acked("p1", 7, 0, 0, 10)
    for epoch in range(8, 20):
        ledger.accepted(epoch, 0, ephemeral=True)
        assert ledger.acked("p1", epoch, 0, 0, 10) == 10
    assert ledger.acked("p1", 8, 0, 0, 10) is None
    assert [ack.took_ns for ack in ledger.acks(7)] == [10]
    assert [ack.took_ns for ack in ledger.acks(6)] == [None]
    assert ledger.acks(19) == ledger.acks(8) == []


def test_a_process_that_comes_back_before_its_old_stream_ends_is_there() -> None:
    """The node hears late of a connection that broke."""
    ledger = FollowerLedger()
    ledger.joined(API, 3, 0)
    ledger.joined(API, 4, 5)
    ledger.left(API, 10)
    assert [presence.left_ns for presence in ledger.presences(20)] == [None]
    ledger.left(API, 30)
    assert [presence.left_ns for presence in ledger.presences(40)] == [30]


def test_a_process_that_left_long_ago_is_forgotten() -> None:
    """One that only just left is still shown."""
    ledger = FollowerLedger()
    ledger.joined(API, 3, 0)
    ledger.left(API, 10)
    assert [presence.epoch for presence in ledger.presences(20)] == [3]
    assert ledger.presences(11 + FORGOTTEN_AFTER.ns) == []


def test_the_inbox_keeps_the_newest_of_each_process_to_a_bound() -> None:
    """A reader that raises is counted and harms nobody."""
    inbox, heard = Inbox(places_max=2), list[bytes]()

    def broken(_: str, __: bytes) -> None:
        raise RuntimeError("broken on purpose")

    inbox.on_report("hot-keys", broken)
    inbox.on_report("hot-keys", lambda _, payload: heard.append(payload))
    for process, payload in (("p1", b"1"), ("p2", b"2"), ("p1", b"3"), ("p3", b"4")):
        inbox.receive(process, "hot-keys", payload)
    assert inbox.of("hot-keys") == {"p1": b"3", "p3": b"4"}
    assert heard == [b"1", b"2", b"3", b"4"]
    inbox.forget("p1")
    assert inbox.of("hot-keys") == {"p3": b"4"}


def test_a_lost_store_takes_in_what_a_process_knew(tmp_path: Path) -> None:
    """Under a later name, with the word that it replaces the one before, so that every process follows."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2", key="b"))
    snapshot = ControlNode(store).log.snapshot()
    assert not snapshot.replaces
    (tmp_path / "new").mkdir()
    heir = opened(tmp_path / "new")
    heir.adopt(snapshot, 0)
    assert heir.incarnation > store.incarnation
    assert ControlNode(heir).log.snapshot().replaces
    assert [(record.key, record.json) for record in ControlNode(heir).log.records()] == [("a", b"1"), ("b", b"2")]
    before = store.incarnation
    store.renew(0)
    assert store.incarnation > before
    assert ControlNode(store).log.snapshot().replaces
    store.close()
    heir.close()


def test_what_was_changed_since_the_loss_stays_when_the_rest_is_taken_in(tmp_path: Path) -> None:
    """Set or taken away since; taking in the same twice does nothing; the history is whole."""
    store = opened(tmp_path)
    accepted(store, put(b"1"), put(b"2", key="b"), put(b"3", key="c"))
    snapshot = ControlNode(store).log.snapshot()
    store.close()
    (tmp_path / "new").mkdir()
    heir = opened(tmp_path / "new")
    accepted(heir, put(b"9", key="a"), put(b"9", key="c"), put(None, key="c"), put(b"1", topic="hot-keys"))
    for _ in range(2):
        heir.adopt(snapshot, 0)
        assert [(record.key, record.json) for record in ControlNode(heir).log.records()] == [("a", b"9"), ("b", b"2")]
    assert wholeness(heir).problem == ""
    heir.close()


def test_who_holds_what_another_store_had_has_nothing_of_this_one_in_force() -> None:
    """However large its epoch is; until it acknowledges, or has ended."""
    ledger = FollowerLedger()
    ledger.joined(API, 900, 0, holds="0001-lost")
    ledger.left(API, 10)
    [presence] = ledger.presences(20)
    assert (presence.epoch, presence.holds, presence.follows) == (0, "0001-lost", False)
    ledger.joined(API, 900, 30, holds="0001-lost")
    ledger.acked("p1", 2, 0, 0, 40)
    [presence] = ledger.presences(50)
    assert (presence.epoch, presence.holds, presence.follows) == (2, "", True)
    ledger.joined(API, 900, 60, holds="0001-lost")
    ledger.left(API, 70)
    ledger.left(API, 80)
    assert [one.holds for one in ledger.presences(81 + APART_FOR.ns)] == [""]


def with_node(folder: Path, test: Callable[[ControlNode, AsgiClient], None]) -> None:
    store = opened(folder)
    node = ControlNode(store)
    test(node, AsgiClient(control_app(node, "secret")))
    store.close()


def test_nobody_asks_without_the_token(tmp_path: Path) -> None:
    """Health and metrics say nothing that is worth hiding."""

    def test(_: ControlNode, client: AsgiClient) -> None:
        assert client.get("/control/v1/topics").status == 401
        assert client.get("/control/v1/stream").status == 401
        assert client.get("/health").status == 200
        assert "tenfold_control_epoch" in client.get("/metrics").text

    with_node(tmp_path, test)


@pytest.mark.parametrize(("method", "path"), [("PUT", "topics/switches/a"), ("POST", "acks"), ("POST", "reports")])
def test_a_body_is_read_to_its_bound_and_no_further(tmp_path: Path, method: str, path: str) -> None:
    """Whatever length its sender stated, or did not."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 65_536

    def test(_: ControlNode, client: AsgiClient) -> None:
        headers = {"Authorization": "Bearer secret"}
        answer = asyncio.run(client.ask(method, f"/control/v1/{path}", headers=headers, parts=endless()))
        assert answer.status == 413
        assert "at most" in answer.json()["detail"]
        assert taken == BYTES_MAX // 65_536 + 1

    with_node(tmp_path, test)


def test_one_key_is_told_in_several_topics_at_once(tmp_path: Path) -> None:
    """With as many of its newest changes in the first topic as are asked for."""

    async def main() -> None:
        store = opened(tmp_path)
        node = ControlNode(store)
        await node.open()
        for topic, value in (("switches", b"1"), ("other", b"2"), ("switches", b"3")):
            await node.put(put(value, topic=topic, key="a/b"))
        client, headers = AsgiClient(control_app(node, "secret")), {"Authorization": "Bearer secret"}

        async def ask(query: str) -> Any:
            return (await client.ask("GET", f"/control/v1/keys/a/b?{query}", headers)).json()

        told = await ask("topic=switches&topic=other&topic=none&changes=1")
        assert [record["value"] for record in told["records"]] == [3, 2]
        assert [change["epoch"] for change in told["changes"]] == [3]
        assert (await ask("topic=switches"))["changes"] == []
        assert await ask("changes=1") == {"records": [], "changes": []}
        assert (await ask("topic=switches&changes=many"))["detail"] == "'changes' is a whole number."
        await node.close()
        store.close()

    asyncio.run(main())


def test_a_stranger_cannot_acknowledge_or_report(tmp_path: Path) -> None:
    """Only who has followed the stream is somebody."""

    def test(node: ControlNode, _: AsgiClient) -> None:
        acks = Acks("p1", [AppliedEpoch(0, 0)], node.log.incarnation)
        reports = Reports("p1", [Report("hot-keys", msgspec.Raw(b"1"))])
        assert not node.hear_acks(acks).known
        assert not node.hear_reports(reports).known
        node.ledger.joined(API, 0, node.clock.monotonic_ns())
        assert node.hear_acks(acks) == Heard()
        assert node.hear_reports(reports) == Heard()

    with_node(tmp_path, test)


def test_a_word_about_another_stores_epochs_counts_for_nothing(tmp_path: Path) -> None:
    """A process may still have it to say when the node has come back with another store."""

    def test(node: ControlNode, _: AsgiClient) -> None:
        node.ledger.joined(API, 900, 0, holds="0001-lost")
        assert "another store" in node.hear_acks(Acks("p1", [AppliedEpoch(900, 0)], "0001-lost")).refused[0]
        assert [(one.epoch, one.holds) for one in node.ledger.presences(0)] == [(0, "0001-lost")]
        assert node.hear_acks(Acks("p1", [AppliedEpoch(0, 0)], node.log.incarnation)) == Heard()
        assert [(one.epoch, one.holds) for one in node.ledger.presences(0)] == [(0, "")]

    with_node(tmp_path, test)
