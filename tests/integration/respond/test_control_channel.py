"""The control channel for real: processes, sockets, a disk, and SIGKILL."""

import asyncio
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from benchmarks.protect.followers import KEY, TOPIC, ControlProcess, Followers, flip, setting

from tenfold.channel import Change, Channel
from tenfold.respond.control import Conflict, ControlClient, ControlRefusedError, ControlUnreachableError
from tenfold.respond.control.ledger import Presence
from tenfold.telemetry import EventLog, Registry

DEADLINE_S = 10.0


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ControlProcess]:
    node = ControlProcess(tmp_path)
    node.open()
    yield node
    node.close()


@pytest.fixture
def client(node: ControlProcess) -> Iterator[ControlClient]:
    client = node.client()
    yield client
    client.close()


def until(holds: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until it holds; fail when it does not by the deadline."""
    end_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end_s, "it does not hold by the deadline"
        time.sleep(0.002)


def channel_to(node: ControlProcess, **options: object) -> Channel:
    return Channel(node.url, node.token, service="test", **options)  # type: ignore[arg-type]


def value_in(registry: Registry, name: str) -> float:
    return next(child.value for family in registry if family.name == name for _, child in family)  # type: ignore[union-attr]


@contextmanager
def impostor(speak: Callable[[socket.socket], None], port: int = 0) -> Iterator[str]:
    """A server that answers every connection with what `speak` says."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        speak(connection)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_nothing_is_lost_when_the_node_is_killed_under_changes(node: ControlProcess, tmp_path: Path) -> None:
    """200 changes, five processes, two kills at any moment: each process is told each change once and in order."""
    followers, client = Followers(node, tmp_path, 5), node.client()
    followers.wait_until(client, 0)
    kills = threading.Event()

    def kill() -> None:
        for _ in range(2):
            kills.wait(5)
            kills.clear()
            node.kill()
            node.open()

    killer = threading.Thread(target=kill)
    killer.start()
    epoch = 0
    for number in range(200):
        if number in (60, 130):
            kills.set()
        epoch = flip(client, number).epoch
    killer.join()
    followers.wait_until(client, epoch)
    history = [change.json for change in client.history("switches", limit=1000)][::-1]
    client.close()
    assert history == [setting(number).json for number in range(200)]
    for seen in followers.seen():
        assert [number for number, _ in seen] == list(range(200))


def test_who_has_a_change_in_force_is_known_and_how_long_it_took(node: ControlProcess, client: ControlClient) -> None:
    """And a subscriber that raised is said along with it."""

    def broken(change: Change) -> None:
        if change.key == "bad":
            raise RuntimeError("broken on purpose")

    with channel_to(node, store="门店 7") as channel:
        channel.subscribe(TOPIC, broken)
        until(lambda: channel.connected)
        good, bad = client.put(TOPIC, "good", 1), client.put(TOPIC, "bad", 1)
        assert isinstance(good, Change)
        assert isinstance(bad, Change)
        until(lambda: bool(client.acks(good.epoch) and client.acks(bad.epoch)))
        [ack] = client.acks(good.epoch)
        assert ack.process == channel.process.id
        assert ack.failures == 0
        assert ack.took_ns is not None
        assert 0 < ack.took_ns < 1_000_000_000
        assert [ack.failures for ack in client.acks(bad.epoch)] == [1]
        [presence] = client.processes()
        assert (presence.process.store, presence.process.pid, presence.epoch) == ("门店 7", os.getpid(), bad.epoch)
    until(lambda: all(presence.left_ns is not None for presence in client.processes()))


def test_a_process_starts_with_what_it_knew_when_the_node_is_dead(node: ControlProcess, tmp_path: Path) -> None:
    """At once, from disk; and follows when the node is back."""
    keepsake, client = tmp_path / "keepsake", node.client()
    change = client.put(TOPIC, KEY, {"on": True})
    assert isinstance(change, Change)
    with channel_to(node, keepsake=keepsake) as channel:
        until(lambda: channel.epoch == change.epoch)
    node.kill()
    events, told = EventLog("test"), list[Change]()
    channel = channel_to(node, keepsake=keepsake, events=events)
    channel.subscribe(TOPIC, told.append)
    began_s = time.monotonic()
    channel.open()
    assert time.monotonic() - began_s < 0.25
    assert channel.current(TOPIC)[KEY].json == b'{"on":true}'
    assert [news.json for news in told] == [b'{"on":true}']
    until(lambda: [event.kind for event in events] == ["channel-lost"])
    node.open()
    until(lambda: channel.connected)
    assert [event.kind for event in events] == ["channel-lost", "channel-restored"]
    assert [news.json for news in told] == [b'{"on":true}']
    channel.close()
    client.close()


def test_two_who_press_at_once_do_not_both_win_over_http(client: ControlClient) -> None:
    """The one who comes second is told what is there; what is no record or no JSON is refused."""
    first = client.put(TOPIC, KEY, 1, if_epoch=0, by="Ann", reason="促销")
    assert isinstance(first, Change)
    second = client.put(TOPIC, KEY, 2, if_epoch=0)
    assert isinstance(second, Conflict)
    assert second.current == first
    assert (first.by, first.reason) == ("Ann", "促销")
    assert client.get(TOPIC, KEY) == first
    assert isinstance(client.remove(TOPIC, KEY, if_epoch=first.epoch), Change)
    assert client.get(TOPIC, KEY) is None
    assert [change.json for change in client.history(TOPIC, KEY)] == [None, b"1"]
    with pytest.raises(ControlRefusedError, match="no topic"):
        client.put("No Topic", KEY, 1)
    key = "breaker/price main/门店?x=1"
    assert isinstance(client.put(TOPIC, key, 3), Change)
    assert [record.key for record in client.records(TOPIC)] == [key]


def test_a_kept_connection_that_the_node_has_closed_is_opened_anew(node: ControlProcess, client: ControlClient) -> None:
    """As it does after two quiet minutes, and by dying: nothing was sent on it, so a change may go out as well."""
    assert client.get(TOPIC, KEY) is None
    node.kill()
    node.open()
    assert client.get(TOPIC, KEY) is None
    node.kill()
    node.open()
    assert isinstance(client.put(TOPIC, KEY, 1), Change)


def test_a_change_that_was_sent_is_not_sent_again(node: ControlProcess) -> None:
    """The node may have made it; a question is asked once more, on a new connection."""
    heard: list[bytes] = []

    def serve(server: socket.socket) -> None:
        """Answers the first request of each connection and hangs up at the second."""
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65536).split(b" ", 1)[0])
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"epoch":0,"records":[]}')
                heard.append(connection.recv(65536).split(b" ", 1)[0])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        client = ControlClient(f"http://127.0.0.1:{server.getsockname()[1]}", node.token)
        assert client.records(TOPIC) == []
        assert client.records(TOPIC) == []
        assert heard == [b"GET", b"GET", b"GET"]
        with pytest.raises(ControlUnreachableError, match="look at the record"):
            client.put(TOPIC, KEY, 1, if_epoch=0)
        client.close()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert heard == [b"GET", b"GET", b"GET", b"PUT"]


def test_a_wrong_token_is_told_and_changes_nothing(node: ControlProcess) -> None:
    """Neither may it follow."""
    events, stranger = EventLog("test"), ControlClient(node.url, "wrong")
    with pytest.raises(ControlRefusedError, match="401"):
        stranger.put(TOPIC, KEY, 1)
    stranger.close()
    with Channel(node.url, "wrong", service="test", events=events) as channel:
        until(lambda: len(list(events)) == 1)
        assert not channel.connected
        assert "401" in next(iter(events)).detail["reason"]


def test_a_body_that_is_too_large_costs_the_node_nothing(node: ControlProcess, client: ControlClient) -> None:
    """Sixty megabytes are answered with 413, and were never held."""
    before_kib = _held_kib(node.pid)
    connection = HTTPConnection("127.0.0.1", int(node.url.rpartition(":")[2]), timeout=DEADLINE_S)
    connection.putrequest("PUT", f"/control/v1/topics/{TOPIC}/{KEY}")
    connection.putheader("Authorization", f"Bearer {node.token}")
    connection.putheader("Content-Length", str(60 << 20))
    connection.endheaders()
    with suppress(ConnectionError):  # it hangs up on who goes on sending
        for _ in range(60):
            connection.send(b" " * (1 << 20))
    with suppress(ConnectionError):
        assert connection.getresponse().status == 413
    connection.close()
    assert _held_kib(node.pid) - before_kib < 20 << 10
    assert client.get(TOPIC, KEY) is None


def _held_kib(pid: int) -> int:
    """The most that the process ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_a_report_reaches_the_node_and_what_is_too_large_is_counted(
    node: ControlProcess, client: ControlClient
) -> None:
    """The newest of a topic from a process is what counts."""
    registry = Registry()
    with channel_to(node, registry=registry) as channel:
        until(lambda: channel.connected)
        assert not channel.report("hot-keys", "x" * 100_000)
        for number in range(3):
            assert channel.report("hot-keys", {"keys": [number]})
        until(lambda: {bytes(report) for report in client.reports("hot-keys").values()} == {b'{"keys":[2]}'})
        assert value_in(registry, "tenfold_channel_reports_dropped_total") == 1


def test_reports_that_nobody_takes_are_dropped_to_a_bound(node: ControlProcess) -> None:
    """A dead node costs a bounded queue."""
    node.kill()
    registry = Registry()
    with channel_to(node, registry=registry) as channel:
        for number in range(1000):
            channel.report("hot-keys", number)
        assert value_in(registry, "tenfold_channel_reports_dropped_total") >= 1000 - 256 - 256
    node.open()


def test_a_process_that_stands_still_is_cut_off_and_catches_up(node: ControlProcess, tmp_path: Path) -> None:
    """The node holds a bounded queue for it and others are told meanwhile; then it gets what it missed."""
    followers, client = Followers(node, tmp_path, 2), node.client()
    followers.wait_until(client, 0)
    stopped = followers.pids[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        epoch = _put_until_one_is_cut_off(client)
        until(lambda: any(presence.epoch >= epoch for presence in client.processes()))
    finally:
        os.kill(stopped, signal.SIGCONT)
    change = flip(client, 7)
    followers.wait_until(client, change.epoch)
    client.close()
    assert [seen[-1].number for seen in followers.seen()] == [7, 7]


def _put_until_one_is_cut_off(client: ControlClient) -> int:
    for _ in range(400):
        change = client.put("large", KEY, "x" * 60_000)
        assert isinstance(change, Change)
        if any(presence.left_ns is not None for presence in client.processes()):
            return change.epoch
    pytest.fail("the process that stands still was never cut off")


GARBAGE = (
    b"",
    b"\x00\xff\xfe not http at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n{\n",
    b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000 + b"\n",
    b'HTTP/1.1 200 OK\r\n\r\n{"line":"change","epoch":9,"topic":"switches","key":"bench","value":0}\n',
    b'HTTP/1.1 200 OK\r\n\r\n{"line":"snapshot","incarnation":"0000-old","boot":"b","epoch":9,"records":[]}\n',
    b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
)


def test_garbage_on_the_stream_changes_nothing(node: ControlProcess, client: ControlClient) -> None:
    """The process keeps what it has, tries again after each, and follows the real node when that is back."""
    events, heard, said = EventLog("test"), threading.Semaphore(0), iter(GARBAGE)
    change = client.put(TOPIC, KEY, 1)
    assert isinstance(change, Change)

    def speak(connection: socket.socket) -> None:
        heard.release()
        connection.sendall(next(said, b""))

    with channel_to(node, events=events) as channel:
        until(lambda: channel.epoch == change.epoch)
        node.kill()
        with impostor(speak, int(node.url.rpartition(":")[2])):
            for _ in range(len(GARBAGE) + 1):
                assert heard.acquire(timeout=DEADLINE_S)
        assert channel.epoch == change.epoch
        assert channel.current(TOPIC)[KEY].json == b"1"
        node.open()
        until(lambda: [event.kind for event in events] == ["channel-lost", "channel-restored"])


def test_a_node_that_falls_silent_is_left(node: ControlProcess) -> None:
    """It is stopped, not dead: its sockets stay open, and only the missing beat says so."""
    events = EventLog("test")
    with channel_to(node, events=events) as channel:
        until(lambda: channel.connected)
        os.kill(node.pid, signal.SIGSTOP)
        try:
            until(lambda: not channel.connected, deadline_s=5)
            assert "imed out" in next(iter(events)).detail["reason"]
        finally:
            os.kill(node.pid, signal.SIGCONT)
        until(lambda: channel.connected)


def test_closing_is_quick_whatever_the_node_does(node: ControlProcess) -> None:
    """Followed, hung, or never answered: both threads end within the bound."""
    with impostor(lambda connection: _hang(connection)) as url:
        for address in (node.url, url):
            channel = Channel(address, node.token, service="test")
            channel.open()
            time.sleep(0.05)
            began_s = time.monotonic()
            channel.close()
            assert time.monotonic() - began_s < 1.5
    until(lambda: not any(thread.name.startswith("tenfold-channel") for thread in threading.enumerate()))


def _hang(connection: socket.socket) -> None:
    connection.settimeout(5)
    connection.recv(1)


def test_a_forked_child_follows_for_itself(node: ControlProcess, client: ControlClient) -> None:
    """With an id of its own and its own threads; the parent's stream goes on."""
    with channel_to(node) as channel:
        told = list[bytes | None]()
        channel.subscribe(TOPIC, lambda change: told.append(change.json))
        until(lambda: channel.connected)
        client.put(TOPIC, KEY, 1)
        until(lambda: told == [b"1"])
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                until(lambda: told == [b"1", b"2"])
                os.write(write, channel.process.id.encode())
                channel.close()
            finally:
                os._exit(0)
        until(lambda: sum(presence.left_ns is None for presence in client.processes()) == 2)
        client.put(TOPIC, KEY, 2)
        child_id = os.read(read, 100).decode()
        os.waitpid(pid, 0)
        assert child_id
        assert child_id != channel.process.id
        client.put(TOPIC, KEY, 3)
        until(lambda: told == [b"1", b"2", b"3"])
        assert {presence.process.pid for presence in client.processes()} == {os.getpid(), pid}
        os.close(read)
        os.close(write)


def test_a_channel_made_before_the_fork_is_opened_by_the_child(node: ControlProcess, client: ControlClient) -> None:
    """As a service does that is loaded once and forked into workers."""
    channel = channel_to(node)
    pid = os.fork()
    if pid == 0:
        try:
            channel.open()
            until(lambda: channel.connected)
            until(lambda: client_of_child_sees(node, os.getpid()))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert [(presence.process.pid, presence.process.id != channel.process.id) for presence in client.processes()] == [
        (pid, True)
    ]


def client_of_child_sees(node: ControlProcess, pid: int) -> bool:
    return any(presence.process.pid == pid for presence in _processes(node))


def test_an_async_service_hears_in_its_own_loop(node: ControlProcess, client: ControlClient) -> None:
    """A loop that is closed costs nothing but a count."""
    registry = Registry()
    with channel_to(node, registry=registry) as channel:

        async def service() -> tuple[bytes | None, int]:
            news: asyncio.Future[tuple[bytes | None, int]] = asyncio.get_running_loop().create_future()
            channel.subscribe(
                TOPIC,
                lambda change: news.set_result((change.json, threading.get_ident())),
                loop=asyncio.get_running_loop(),
            )
            await asyncio.to_thread(client.put, TOPIC, KEY, 5)
            async with asyncio.timeout(DEADLINE_S):
                return await news

        assert asyncio.run(service()) == (b"5", threading.get_ident())
        change = client.put(TOPIC, KEY, 6)
        assert isinstance(change, Change)
        until(lambda: channel.epoch == change.epoch)
        until(lambda: value_in(registry, "tenfold_channel_subscriber_failures_total") == 1)


def test_a_lost_store_is_followed_once_it_has_adopted_what_a_process_knew(node: ControlProcess, tmp_path: Path) -> None:
    """An empty new store is not followed: nobody's switches fall back to their defaults by a lost disk."""
    client, events = node.client(), EventLog("test")
    change = client.put(TOPIC, KEY, 1)
    assert isinstance(change, Change)
    client.close()
    with channel_to(node, keepsake=tmp_path / "keepsake", events=events) as channel:
        until(lambda: channel.epoch == change.epoch and (tmp_path / "keepsake").exists())
        node.kill()
        for path in tmp_path.glob("control.db*"):
            path.unlink()
        node.open()
        until(lambda: any(p.process.id == channel.process.id for p in _processes(node)))
        assert channel.current(TOPIC)[KEY].json == b"1"
        assert not channel.connected
        node.kill()
        node.open("--adopt", str(tmp_path / "keepsake"))
        until(lambda: channel.connected)
        assert channel.current(TOPIC)[KEY].json == b"1"


def test_a_store_put_back_from_a_backup_is_followed_once_it_is_renewed(node: ControlProcess, tmp_path: Path) -> None:
    """Before that a process that knows more keeps it, and does not count as who follows."""
    backup = tmp_path / "backup"
    _put(node, 1)
    node.kill()
    backup.mkdir()
    for path in tmp_path.glob("control.db*"):
        shutil.copy(path, backup)
    node.open()
    change = _put(node, 2)
    with channel_to(node) as channel:
        until(lambda: channel.epoch == change.epoch)
        node.kill()
        for path in tmp_path.glob("control.db*"):
            path.unlink()
        shutil.copytree(backup, tmp_path, dirs_exist_ok=True)
        node.open()
        until(lambda: [(one.follows, one.epoch) for one in _processes(node)] == [(False, 0)])
        until(lambda: all(one.holds for one in _processes(node)))
        assert channel.current(TOPIC)[KEY].json == b"2"
        node.kill()
        node.open("--renew")
        until(lambda: channel.connected)
        assert channel.current(TOPIC)[KEY].json == b"1"
        until(lambda: [one.follows for one in _processes(node)] == [True])


def _put(node: ControlProcess, value: int) -> Change:
    with closing(node.client()) as client:
        change = client.put(TOPIC, KEY, value)
    assert isinstance(change, Change)
    return change


def _processes(node: ControlProcess) -> list[Presence]:
    client = node.client()
    try:
        return client.processes()
    finally:
        client.close()
