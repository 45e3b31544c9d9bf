"""The admission middleware under a real HTTP server: refusals, bodies, deadlines, callers who hang up."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tenfold.fleet.ports import free_port

DEADLINE_S = 10.0


class Asked:
    """One answer: its status, headers and body."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
        self.body = body


async def ask(port: int, path: str, body: bytes = b"", *headers: str) -> Asked:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await send(writer, path, body, *headers)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return Asked(head.rstrip(), await reader.readexactly(length))
    finally:
        writer.close()


async def send(writer: asyncio.StreamWriter, path: str, body: bytes, *headers: str) -> None:
    lines = [f"POST {path} HTTP/1.1", "host: shop", f"content-length: {len(body)}", *headers, "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    command = [sys.executable, "-m", "tests.integration.protect.admitted_app", str(number)]
    with subprocess.Popen(command) as process:
        try:
            asyncio.run(ready(number))
            yield number
        finally:
            process.terminate()
            process.wait(timeout=DEADLINE_S)


async def ready(port: int) -> None:
    ends_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends_s:
        try:
            assert (await ask(port, "/ready")).status == 200
        except OSError:
            await asyncio.sleep(0.02)
        else:
            return
    raise AssertionError("the server did not come up")


def test_the_best_tier_is_served_while_the_lowest_is_refused(port: int) -> None:
    """Sixty at once at two slots: every refusal is a 503 that says when to come back, and P0 is served first."""

    async def main() -> None:
        low = [asyncio.ensure_future(ask(port, "/p3")) for _ in range(60)]
        await asyncio.sleep(0.02)
        best = await asyncio.gather(*(ask(port, "/p0") for _ in range(2)))
        refused = [answer for answer in await asyncio.gather(*low) if answer.status == 503]
        assert [answer.status for answer in best] == [200, 200]
        assert len(refused) >= 40
        assert all(1 <= int(answer.headers["retry-after"]) <= 4 for answer in refused)

    asyncio.run(main())


def test_a_body_that_came_while_its_request_waited_is_whole(port: int) -> None:
    """The middleware listens for a farewell meanwhile, and gives all that it heard to the application."""

    async def main() -> None:
        bodies = [b"%d" % number * 500 for number in range(3)]
        answers = await asyncio.gather(*(ask(port, "/p0", body) for body in bodies))
        assert [answer.status for answer in answers] == [200] * 3
        assert [answer.body.split(b" ")[-1] for answer in answers] == bodies

    asyncio.run(main())


def test_the_deadline_of_a_caller_reaches_what_is_called_next(port: int) -> None:
    """What is left when the application asks, and work whose time is over is refused."""

    async def main() -> None:
        served = await ask(port, "/p0", b"", "Tenfold-Deadline-Ms: 900")
        late = await ask(port, "/p0", b"", "Tenfold-Deadline-Ms: 0")
        left_ms = int(served.body.split(b"'")[3])
        assert 600 <= left_ms <= 850
        assert late.status == 503

    asyncio.run(main())


def test_work_whose_caller_hung_up_is_not_begun(port: int) -> None:
    """It waited; its connection was closed; its turn is somebody else's."""

    async def main() -> None:
        before = int((await ask(port, "/p0")).body.split()[0])
        serving = [asyncio.ensure_future(ask(port, "/p0")) for _ in range(2)]
        await asyncio.sleep(0.01)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await send(writer, "/p0", b"")
        await asyncio.sleep(0.01)
        writer.close()
        await asyncio.gather(*serving)
        assert int((await ask(port, "/p0")).body.split()[0]) == before + 3

    asyncio.run(main())
