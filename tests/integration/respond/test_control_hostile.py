"""Whoever has a token cannot make the node fail or grow without end; a real node in a process of its own."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from benchmarks.protect.followers import ControlProcess

from tenfold.channel import Channel, Process
from tenfold.respond.control import service_token
from tenfold.respond.switchboard import SwitchOperator

WRITES = 20_000
WRITERS = 8
VALUE = json.dumps("x" * 5000).encode()
STORE_BYTES_MAX = 72 << 20
"""Records and base of 16 MiB each, a history of 16 and what waits for a seal, a log of 4; 100 MB were written."""
HUGE = 10**400
NUMBERS = (HUGE, -HUGE, 2**63, -(2**63), 2**64, 2**53, -1, 10**5000)

Asked = tuple[str, str, Mapping[str, str], bytes]
SWITCH = "/topics/switches/reviews"


def rule(**said: object) -> bytes:
    return json.dumps({"rules": [{"value": False, "owner": "ann", "reason": "why", **said}]}).encode()


def of_number(n: int) -> Iterator[Asked]:
    """Every number that the node reads, said as this one."""
    text = str(n) if abs(n) < HUGE * 10 else ("-" if n < 0 else "") + "9" * 5000
    yield "PUT", "/topics/demo/a", {"If-Match": f'"{text}"'}, b"1"
    yield "PUT", "/topics/demo/number", {}, text.encode()
    yield "GET", f"/history?before={text}", {}, b""
    yield "GET", f"/history?limit={text}", {}, b""
    yield "GET", f"/chain?after={text}&limit={text}", {}, b""
    yield "GET", f"/keys/a?topic=demo&changes={text}", {}, b""
    yield "GET", f"/changes/{text}/acks", {}, b""
    for applied in (f"[{text},0]", f"[1,{text}]", f"[1,0,{text}]"):
        said = f'{{"process":"PROCESS","incarnation":"INCARNATION","applied":[{applied}]}}'
        yield "POST", "/acks", {}, said.encode()
    for topic in ("demo", "hot-keys", "breakers", "switch-loads", "switch-standing", "switch-declarations", "shields"):
        for payload in (text, f"[{text}]", f'{{"a":{text},"seconds":{text},"loads":[["reviews",{text}]]}}'):
            said = f'{{"process":"PROCESS","reports":[{{"topic":"{topic}","payload":{payload}}}]}}'
            yield "POST", "/reports", {}, said.encode()
    for part in (f'"default":{text}', f'"default":0,"stores_max":{text}', f'"default":0,"schema":{{"minimum":{text}}}'):
        declared = f'{{"declarations":[{{"name":"huge","kind":"integer",{part}}}]}}'
        said = f'{{"process":"PROCESS","reports":[{{"topic":"switch-declarations","payload":{declared}}}]}}'
        yield "POST", "/reports", {}, said.encode()
        yield "PUT", "/topics/switch-declarations/huge", {}, f'{{"name":"huge","kind":"integer",{part}}}'.encode()
    for part in ("until_ms", "percent", "value"):
        yield "PUT", SWITCH, {}, rule(**{part: "NUMBER"}).replace(b'"NUMBER"', text.encode())
    for header in ("Tenfold-Epoch", "Tenfold-Pid"):
        yield "GET", "/stream", {"Tenfold-Id": "x", "Tenfold-Service": "", header: text}, b""


ODD: list[Asked] = [
    ("PUT", "/topics/demo/" + "k" * 5000, {}, b"1"),
    ("PUT", "/topics/" + "t" * 5000 + "/a", {}, b"1"),
    ("PUT", "/topics/demo/a", {"Tenfold-By": "%00%1b", "Tenfold-Reason": "%ff%fe"}, b"1"),
    ("PUT", "/topics/demo/a", {"Tenfold-Reason": "r" * 5000}, b"1"),
    ("PUT", "/topics/control-seals/records", {}, b'{"epoch":1,"digest":"0"}'),
    ("PUT", "/topics/control-seals/mine", {}, b"1"),
    ("PUT", "/topics/demo/deep", {}, b"[" * 60_000),
    ("PUT", "/topics/demo/a", {"If-Match": '"\u0661"'.encode().decode("latin-1")}, b"1"),
    ("GET", "/history?topic=%00&key=%ff", {}, b""),
    ("GET", "/reports/%00", {}, b""),
    ("POST", "/acks", {}, b"[" * 60_000),
    ("POST", "/reports", {}, b'{"process":"\\ud800","reports":[]}'),
    ("POST", "/acks", {}, b"\xff\xfe"),
    ("POST", "/acks", {}, b""),
]
TABLE = [*ODD, *(asked for number in NUMBERS for asked in of_number(number))]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ControlProcess]:
    node = ControlProcess(tmp_path)
    node.open()
    yield node
    node.close()


class Attacker:
    """Somebody with a token, on one kept connection."""

    def __init__(self, node: ControlProcess, token: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(node.url).netloc, timeout=10)
        self._token = token

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        shown = {"Authorization": f"Bearer {self._token}", **headers}
        self._connection.request(method, "/control/v1" + path, body or None, shown)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


def test_no_request_makes_the_node_fail(node: ControlProcess) -> None:
    """Each is answered below 500, refusals with a problem; afterwards it takes and tells changes as before."""
    client = node.client()
    with Channel(node.url, node.token, service="api") as channel:
        channel.subscribe("demo", lambda _: None)
        client.put("demo", "first", 1)
        known = {b"PROCESS": channel.process.id.encode(), b"INCARNATION": client.store().encode()}
        attacker = Attacker(node, node.token)
        for method, path, headers, body in TABLE:
            for word, meant in known.items():
                body = body.replace(word, meant)
            status, answer = attacker.ask(method, path, headers, body)
            assert status < 500, (method, path[:80], headers, body[:200], answer[:300])
            assert status < 400 or answer
        attacker.close()
        change = client.put("demo", "last", 1)
        assert client.processes()[0].process == channel.process
        assert client.held()
        assert client.chain(0).head is not None
        assert client.history(limit=1)[0] == change
        assert not [one for one in client.processes() if one.epoch > client.records_at("demo").epoch]
    client.close()


def test_the_store_does_not_grow_without_end(node: ControlProcess, tmp_path: Path) -> None:
    """20,000 hostile writes of all that fits, and the history is bounded and still what was written."""
    failures: list[tuple[int, bytes]] = []

    def write(number: int) -> None:
        attacker = Attacker(node, node.token)
        for turn in range(WRITES // WRITERS):
            status, answer = attacker.ask("PUT", f"/topics/t{turn % 700}/k{number}", {}, VALUE)
            if status >= 500:
                failures.append((status, answer))
        attacker.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(path.stat().st_size for path in tmp_path.glob("control.db*")) < STORE_BYTES_MAX
    client = node.client()
    whole = SwitchOperator(client, by="ann").verify()
    assert whole.problem == ""
    assert whole.pruned > 0
    client.close()
    node.kill()
    node.open()


def test_a_service_cannot_fill_the_store_with_declarations(node: ControlProcess) -> None:
    """What is too much at once is dropped and counted; an operator's change goes on being taken."""
    process = Process(id="p1", service="api")
    token = service_token(node.token, "api")
    stream = Attacker(node, token)
    stream._connection.request(
        "GET",
        "/control/v1/stream",
        headers={"Authorization": f"Bearer {token}", "Tenfold-Epoch": "999999", **process.headers()},
    )
    assert stream._connection.getresponse().status == 200
    attacker = Attacker(node, token)
    for turn in range(60):
        names = [{"name": f"s{turn}-{n}", "kind": "boolean", "default": True} for n in range(100)]
        report = {"topic": "switch-declarations", "payload": {"declarations": names}}
        status, _ = attacker.ask("POST", "/reports", {}, json.dumps({"process": "p1", "reports": [report]}).encode())
        assert status == 204
    client = node.client()
    assert [one.epoch for one in client.processes()] == [0], "who states an epoch of no store has none in force"
    change = client.put("demo", "after", 1)
    assert len(client.records("switch-declarations")) <= 1100
    assert client.get("demo", "after") == change
    connection = http.client.HTTPConnection(urlsplit(node.url).netloc, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    dropped = next(line for line in text.splitlines() if line.startswith("tenfold_switchboard_declarations_dropped "))
    assert float(dropped.split()[1]) >= 4900
    for one in (connection, attacker, stream, client):
        one.close()
