"""The shedder's door by `with`, by `async with` and as ASGI middleware."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import FixedLimit
from tenfold.protect.doors.admission import AdmissionMiddleware, Fate, LoadShed, Shedder
from tenfold.protect.doors.admission.caller import Message, Receive, Scope, Send
from tenfold.protect.doors.deadline import deadline_ns, deadline_within
from tenfold.protect.testing import run_in_virtual_time


def test_coroutines_wait_for_their_turn_and_are_refused_when_it_does_not_come() -> None:
    """One at a time: the second is called when the first is over, and the third's patience ends."""

    async def main(clock: VirtualClock) -> list[str]:
        shedder = Shedder("shop", FixedLimit(1), clock=clock)
        said = []

        async def call(name: str, length_s: float) -> None:
            try:
                async with shedder.admit(1):
                    said.append(f"{name} began")
                    await asyncio.sleep(length_s)
            except LoadShed as refused:
                said.append(f"{name} {refused.fate}")

        await asyncio.gather(call("first", 0.004), call("second", 0.5), call("third", 0.1))
        assert (shedder.inflight, shedder.waiting) == (0, 0)
        return said

    assert run_in_virtual_time(main) == ["first began", "second began", "third expired"]


def test_a_cancelled_coroutine_leaves_no_place_taken() -> None:
    """Whether it waited, or was called in the very moment in which it was cancelled."""

    async def main(clock: VirtualClock) -> None:
        shedder = Shedder("shop", FixedLimit(1), clock=clock)

        async def call() -> None:
            async with shedder.admit(0):
                await asyncio.sleep(1)

        first, waiting, called = (asyncio.ensure_future(call()) for _ in range(3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        called.cancel()
        await asyncio.gather(first, waiting, called, return_exceptions=True)
        assert (shedder.inflight, shedder.waiting) == (0, 0)

    run_in_virtual_time(main)


def test_the_deadline_of_the_context_is_the_request_s() -> None:
    """Without being passed on."""
    clock = VirtualClock()
    shedder = Shedder("shop", FixedLimit(1), clock=clock)
    late = pytest.raises(LoadShed, match="its deadline had passed")
    with deadline_within(Duration(0), clock), late as refused, shedder.admit(0):
        pass
    assert refused.value.fate is Fate.LATE
    assert refused.value.retry_after.s >= 1


def test_threads_never_exceed_the_limit_and_all_are_answered() -> None:
    """Sixteen threads at a door for three: each call is served or refused, and nobody is left inside."""
    shedder = Shedder("shop", FixedLimit(3))
    inside, most, lock = 0, 0, threading.Lock()

    def call(number: int) -> bool:
        nonlocal inside, most
        try:
            with shedder.admit(number % 4, str(number % 5)):
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
                return True
        except LoadShed:
            return False

    with ThreadPoolExecutor(16) as threads:
        served = sum(threads.map(call, range(3_000)))
    assert most <= 3
    assert served > 100
    assert (shedder.inflight, shedder.waiting) == (0, 0)


def test_a_child_of_a_fork_begins_with_an_empty_house() -> None:
    """Though the parent's was full and its lock held."""
    shedder = Shedder("shop", FixedLimit(1))
    mine = shedder.enter(0)
    shedder.enter(0)
    with shedder._lock:
        pid = os.fork()
        if not pid:
            shedder.leave(mine)
            fates = (shedder.enter(0).fate, shedder.enter(0).fate)
            os._exit(0 if fates == (Fate.ADMITTED, Fate.WAITING) and shedder.inflight == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


class Shop:
    """An application that answers after `length_s` what `status` says, and tells what it heard."""

    def __init__(self, length_s: float = 0.0, status: int = 200) -> None:
        self.length_s = length_s
        self.status = status
        self.heard: list[bytes] = []
        self.due_ns: list[int | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.due_ns.append(deadline_ns())
        if scope["type"] == "http":
            self.heard.append((await receive())["body"])
        await asyncio.sleep(self.length_s)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class Client:
    """Asks once; may leave before it is answered."""

    def __init__(self, app: AdmissionMiddleware, path: str = "/price", **headers: str) -> None:
        self.said: list[Message] = []
        self._gone = asyncio.Event()
        self._asked = False
        scope = {
            "type": "http",
            "path": path,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        self.answered = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"two apples", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.said.append(message)

    def leave(self) -> None:
        self._gone.set()

    async def status(self) -> int:
        await self.answered
        status: int = self.said[0]["status"]
        return status


def guarded(shop: Shop, clock: VirtualClock, limit: int = 1) -> AdmissionMiddleware:
    shedder = Shedder("shop", FixedLimit(limit), clock=clock)
    tiers = {"/order": 0, "/price": 1}
    return AdmissionMiddleware(shop, shedder, tier=lambda scope: tiers.get(scope["path"], 3))


def test_a_request_that_is_refused_is_told_when_to_come_back() -> None:
    """503 and whole seconds, while health and metrics are always answered."""

    async def main(clock: VirtualClock) -> None:
        app = guarded(Shop(length_s=9), clock)
        clients = [Client(app, "/banner") for _ in range(10)]
        assert await clients[-1].status() == 503
        headers = dict(clients[-1].said[0]["headers"])
        assert 1 <= int(headers[b"retry-after"]) <= 4
        assert int(headers[b"content-length"]) == len(clients[-1].said[1]["body"])
        assert await Client(app, "/ready").status() == 200
        assert await clients[0].status() == 200

    run_in_virtual_time(main)


def test_a_request_that_waited_is_served_with_all_that_was_said() -> None:
    """Listening for a farewell loses nothing of the body."""

    async def main(clock: VirtualClock) -> None:
        shop = Shop(length_s=0.004)
        app = guarded(shop, clock)
        clients = [Client(app) for _ in range(2)]
        assert [await client.status() for client in clients] == [200, 200]
        assert shop.heard == [b"two apples"] * 2

    run_in_virtual_time(main)


def test_work_whose_caller_is_gone_is_not_begun() -> None:
    """Its place in the line is somebody else's."""

    async def main(clock: VirtualClock) -> None:
        shop = Shop(length_s=0.005)
        app = guarded(shop, clock)
        first, gone = Client(app), Client(app)
        await asyncio.sleep(0.001)
        gone.leave()
        await gone.answered
        assert gone.said == []
        assert await first.status() == 200
        assert len(shop.heard) == 1
        assert (app._shedder.inflight, app._shedder.waiting) == (0, 0)

    run_in_virtual_time(main)


def test_the_deadline_in_the_header_holds_for_all_that_is_done_inside_and_no_further() -> None:
    """And what comes after it is not begun."""

    async def main(clock: VirtualClock) -> None:
        shop = Shop()
        app = guarded(shop, clock)
        assert await Client(app, tenfold_deadline_ms="250").status() == 200
        assert await Client(app, tenfold_deadline_ms="0").status() == 503
        assert await Client(app).status() == 200
        assert shop.due_ns == [250_000_000, None]

        async def nothing(_message: Message) -> None:
            return None

        async def body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        await app({"type": "http", "path": "/order", "headers": [(b"tenfold-deadline-ms", b"9")]}, body, nothing)
        assert shop.due_ns[-1] == clock.monotonic_ns() + 9_000_000
        assert deadline_ns() is None

    run_in_virtual_time(main)


class Told(FixedLimit):
    """A limit that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(5)
        self.dropped: list[bool] = []

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        self.dropped.append(dropped)


@pytest.mark.parametrize(
    ("status", "told"), [(200, [False]), (404, [False]), (503, [True]), (504, [True]), (500, []), (502, [])]
)
def test_the_limit_learns_from_answers_and_not_from_failures(status: int, told: list[bool]) -> None:
    """A failure is quick: a baseline of failures would be too low for work."""

    async def main(clock: VirtualClock) -> None:
        limit = Told()
        app = AdmissionMiddleware(Shop(status=status), Shedder("shop", limit, clock=clock), tier=lambda _scope: 0)
        assert await Client(app).status() == status
        assert limit.dropped == told

    run_in_virtual_time(main)


def test_what_is_no_http_request_goes_through() -> None:
    """Lifespan and websockets are the application's own."""

    async def main(clock: VirtualClock) -> None:
        shop = Shop()
        said: list[Message] = []

        async def receive() -> Message:
            raise AssertionError

        async def send(message: Message) -> None:
            said.append(message)

        await guarded(shop, clock, limit=0)({"type": "lifespan"}, receive, send)
        assert len(said) == 2

    run_in_virtual_time(main)
