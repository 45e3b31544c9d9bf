"""Nobody is believed who says what cannot be, or speaks for another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.asgi_client import Answer, AsgiClient
from tests.control_store import opened, put

from tenfold.channel import Change, Process
from tenfold.respond.control.app import control_app
from tenfold.respond.control.callers import ControlCaller, caller_of, service_token
from tenfold.respond.control.inbox import TOPICS_OF_PROCESS_MAX, Inbox
from tenfold.respond.control.ledger import OF_SERVICE_MAX, FollowerLedger
from tenfold.respond.control.node import ControlNode

SECRET = "the-operators"
API = Process(id="p1", service="api")
HUGE = 10**400

Scene = Callable[[ControlNode, "Desk"], Coroutine[Any, Any, None]]


class Desk:
    """What one caller says to the node."""

    def __init__(self, node: ControlNode) -> None:
        self._client = AsgiClient(control_app(node, SECRET))

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        token: str = SECRET,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        shown = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self._client.ask(method, f"/control/v1/{path}", headers=shown, parts=iter([body]))

    async def acks(self, incarnation: str, applied: str, *, token: str = SECRET) -> Answer:
        body = f'{{"process":"p1","incarnation":"{incarnation}","applied":{applied}}}'
        return await self.ask("POST", "acks", body.encode(), token=token)


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[ControlNode]:
    """A node at epoch 2, followed by one process of the api that has nothing yet."""
    store = opened(folder)
    node = ControlNode(store)
    await node.open()
    for value in (b"1", b"2"):
        assert isinstance(await node.put(put(value)), Change)
    node.ledger.joined(API, 0, node.clock.monotonic_ns())
    yield node
    await node.close()
    store.close()


def play(folder: Path, scene: Scene) -> None:
    async def main() -> None:
        async with standing(folder) as node:
            await scene(node, Desk(node))

    asyncio.run(main())


def epoch_of_p1(node: ControlNode) -> int:
    return next(one.epoch for one in node.ledger.presences(node.clock.monotonic_ns()) if one.process == API)


@pytest.mark.parametrize(
    "forged",
    [
        "[999999,0]",
        "[3,0]",
        "[-1,0]",
        "[2,-5]",
        "[2,0,-1]",
        f"[2,{2**63}]",
        "[2,0,99999999]",
        f"[{HUGE},0]",
        f"[2,{HUGE}]",
        f"[2,0,{HUGE}]",
    ],
)
def test_an_acknowledgement_of_what_cannot_be_is_refused_and_the_others_are_taken(tmp_path: Path, forged: str) -> None:
    """Ahead of the log, below nothing, counts that are none: each by its place and reason, and counted."""

    async def scene(node: ControlNode, desk: Desk) -> None:
        answer = await desk.acks(node.log.incarnation, f"[{forged},[1,0]]")
        assert answer.status == 422
        assert "0: " in answer.json()["detail"]
        assert answer.json()["refused"] == 1
        assert epoch_of_p1(node) == 1
        assert node.ledger.acks(2) == []
        metrics = await desk._client.ask("GET", "/metrics")
        assert "tenfold_control_words_refused_total 1" in metrics.text

    play(tmp_path, scene)


TOO_MANY = f"[{','.join(['[1,0]'] * 4097)}]"


@pytest.mark.parametrize("applied", ["[[1.5,0]]", "7", TOO_MANY])
def test_what_is_no_acknowledgement_is_a_bad_request(tmp_path: Path, applied: str) -> None:
    """With a reason, and without a 500."""

    async def scene(node: ControlNode, desk: Desk) -> None:
        answer = await desk.acks(node.log.incarnation, applied)
        assert (answer.status, bool(answer.json()["detail"])) == (400, True)
        assert epoch_of_p1(node) == 0

    play(tmp_path, scene)


def test_acknowledgements_of_an_unknown_store_are_refused(tmp_path: Path) -> None:
    """None counts."""

    async def scene(node: ControlNode, desk: Desk) -> None:
        for incarnation in ("", "ffff-somebody"):
            answer = await desk.acks(incarnation, "[[2,0]]")
            assert (answer.status, "another store" in answer.json()["detail"]) == (422, True)
        assert epoch_of_p1(node) == 0

    play(tmp_path, scene)


def test_what_is_older_than_what_is_told_is_not_acknowledged(tmp_path: Path) -> None:
    """It would push the acknowledgements of newer changes out."""
    ledger = FollowerLedger(changes_max=2)
    ledger.joined(API, 0, 0)
    for epoch in (5, 6, 1):
        ledger.acked("p1", epoch, 0, 0, 10)
    assert [bool(ledger.acks(epoch)) for epoch in (5, 6, 1)] == [True, True, False]


def test_a_service_speaks_for_itself_alone(tmp_path: Path) -> None:
    """It acknowledges and reports for no other, follows as no other, and changes and reads nothing."""

    async def scene(node: ControlNode, desk: Desk) -> None:
        own, other = service_token(SECRET, "api"), service_token(SECRET, "payment")
        assert (await desk.acks(node.log.incarnation, "[[2,0]]", token=other)).status == 403
        assert epoch_of_p1(node) == 0
        report = b'{"process":"p1","reports":[{"topic":"demo","payload":1}]}'
        assert (await desk.ask("POST", "reports", report, token=other)).status == 403
        assert node.inbox.of("demo") == {}
        assert (await desk.acks(node.log.incarnation, "[[2,0]]", token=own)).status == 204
        assert (await desk.ask("POST", "reports", report, token=own)).status == 204
        assert epoch_of_p1(node) == 2
        for method, path in (("PUT", "topics/switches/a"), ("DELETE", "topics/switches/a"), ("GET", "processes")):
            assert (await desk.ask(method, path, b"1", token=own)).status == 403
        answer = await desk.ask("GET", "stream", token=other, headers=API.headers())
        assert (answer.status, "cannot speak for 'api'" in answer.json()["detail"]) == (403, True)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "headers",
    [
        {"Tenfold-Id": "x" * 129},
        {"Tenfold-Service": "a%1B%5B31m"},
        {"Tenfold-Pid": str(HUGE)},
        {"Tenfold-Pid": "-1"},
        {"Tenfold-Epoch": str(HUGE)},
        {"Tenfold-Epoch": "-1"},
        {"Tenfold-Host": "other"},
    ],
)
def test_who_says_what_cannot_be_of_himself_does_not_follow(tmp_path: Path, headers: dict[str, str]) -> None:
    """Nor does somebody else under a name that is taken."""

    async def scene(node: ControlNode, desk: Desk) -> None:
        answer = await desk.ask("GET", "stream", headers=API.headers() | headers)
        assert answer.status in (400, 403)
        assert answer.json()["detail"]
        assert len(node.ledger.presences(node.clock.monotonic_ns())) == 1

    play(tmp_path, scene)


def test_a_token_is_of_one_service_and_of_one_run() -> None:
    """Another name in front of it, or another secret behind it, is nobody's."""
    token = service_token(SECRET, "api/门店")
    assert token.isascii()
    assert caller_of(SECRET, token.encode()) == ControlCaller("api/门店")
    assert caller_of(SECRET, SECRET.encode()) == ControlCaller()
    for forged in (token.replace("api", "worker"), service_token("other", "api"), ":", "", "api:", "\xff:1", "api"):
        assert caller_of(SECRET, forged.encode("latin-1")) is None


def test_a_service_that_joins_again_and_again_pushes_no_other_out() -> None:
    """Its own that left make room; when all are there, nobody more is let in."""
    ledger = FollowerLedger()
    ledger.joined(API, 0, 0)
    for number in range(OF_SERVICE_MAX + 10):
        process = Process(id=f"b{number}", service="payment")
        ledger.joined(process, 0, 1)
        ledger.left(process, 2)
    presences = ledger.presences(3)
    assert (presences[0].process, len(presences)) == (API, OF_SERVICE_MAX + 1)
    for number in range(OF_SERVICE_MAX):
        ledger.joined(Process(id=f"c{number}", service="payment"), 0, 1)
    assert "already" in ledger.refusal_of(Process(id="d", service="payment"))
    assert ledger.refusal_of(API) == ""


def test_a_process_reports_of_so_many_topics() -> None:
    """And of those again and again; a report that is too large is refused."""
    inbox = Inbox()
    said = [inbox.receive("p1", f"t{number}", b"1") for number in range(TOPICS_OF_PROCESS_MAX + 1)]
    assert [bool(why) for why in said] == [False] * TOPICS_OF_PROCESS_MAX + [True]
    assert inbox.receive("p1", "t0", b"2") == ""
    assert "bytes" in inbox.receive("p1", "t0", b" " * 65_537)
    inbox.forget("p1")
    assert inbox.receive("p1", "new", msgspec.json.encode(1)) == ""
