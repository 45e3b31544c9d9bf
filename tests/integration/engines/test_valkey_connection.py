"""One connection and one server of a cluster, against a server of a few lines that says what the test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tenfold.engines.valkey import RoleReport
from tenfold.engines.valkey.address import Access, Endpoint
from tenfold.engines.valkey.connection import Connection, ConnectionBroken, ReplyError
from tenfold.engines.valkey.server import Server, ServerUnreachable
from tenfold.kernel import Duration

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PING = ("PING",)


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[Endpoint]:
    """A server on loopback that speaks with each client as `talk` does."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except OSError:
            return

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield Endpoint(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()


async def answer_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`+n` to the nth command."""
    number = 0
    while await reader.readline():
        await reader.readline()
        await reader.readline()
        number += 1
        writer.write(f"+{number}\r\n".encode())
        await writer.drain()


def server_at(endpoint: Endpoint, timeout_ms: float = 1_000, password: str | None = None) -> Server:
    timeout = Duration.from_ms(timeout_ms)
    return Server(endpoint, Access(password=password), timeout=timeout, connect_timeout=timeout)


def test_replies_come_to_whoever_asked_in_the_order_of_asking() -> None:
    """Many callers at a time on one connection, each with several commands."""

    async def test() -> None:
        async with talking(answer_each) as endpoint:
            connection = await Connection.open(endpoint, Access())
            replies = await asyncio.gather(*(connection.ask(PING, PING) for _ in range(50)))
            assert [int(reply) for pair in replies for reply in pair] == list(range(1, 101))
            connection.close()

    asyncio.run(test())


def test_a_caller_who_gives_up_leaves_the_others_their_own_replies() -> None:
    """His reply comes and is thrown away; the connection is as good as before."""

    async def test() -> None:
        go_on = asyncio.Event()

        async def wait_then_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await go_on.wait()
            await answer_each(reader, writer)

        async with talking(wait_then_answer) as endpoint:
            connection = await Connection.open(endpoint, Access())
            with pytest.raises(TimeoutError):
                await connection.ask(PING, timeout_s=0.001)
            leaver = asyncio.create_task(connection.ask(PING))
            stayer = asyncio.create_task(connection.ask(PING))
            await asyncio.sleep(0)
            leaver.cancel()
            go_on.set()
            assert await stayer == [b"3"]
            connection.close()

    asyncio.run(test())


def test_a_connection_that_ends_wakes_everybody_and_is_opened_anew_by_the_next() -> None:
    """Nobody waits for a reply that cannot come."""

    async def test() -> None:
        times = 0

        async def hang_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal times
            times += 1
            if times > 1:
                return await answer_each(reader, writer)
            await reader.readline()
            writer.close()
            return None

        async with talking(hang_up_once) as endpoint:
            server = server_at(endpoint)
            outcomes = await asyncio.gather(*(server.ask(PING) for _ in range(5)), return_exceptions=True)
            assert all(isinstance(outcome, ServerUnreachable) for outcome in outcomes)
            assert await server.ask(PING) == [b"1"]
            assert times == 2
            server.close()

    asyncio.run(test())


def test_what_is_no_reply_breaks_the_connection() -> None:
    """A web server at the address, or a reply that nobody asked for."""

    async def test() -> None:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 400 Bad Request\r\n")
            await writer.drain()

        async with talking(babble) as endpoint:
            connection = await Connection.open(endpoint, Access())
            with pytest.raises(ConnectionBroken):
                await connection.ask(PING)
            assert not connection.usable

    asyncio.run(test())


def test_a_password_that_is_wrong_makes_the_server_unreachable_and_is_not_told() -> None:
    """AUTH goes before everything else."""

    async def test() -> None:
        heard = b""

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal heard
            heard += await reader.read(1_000)
            writer.write(b"-WRONGPASS invalid username-password pair\r\n")
            await writer.drain()

        async with talking(refuse) as endpoint:
            with pytest.raises(ServerUnreachable) as unreachable:
                await server_at(endpoint, password="secret").ask(PING)
            assert b"AUTH" in heard
            assert "WRONGPASS" in str(unreachable.value)
            assert "secret" not in str(unreachable.value)

    asyncio.run(test())


def test_a_server_that_loads_its_data_answers_nobody_and_reports_nothing() -> None:
    """LOADING is an answer, but not to what was asked."""

    async def test() -> None:
        async def load(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1_000):
                writer.write(b"-LOADING the dataset\r\n" * 3)
                await writer.drain()

        async with talking(load) as endpoint:
            server = server_at(endpoint)
            with pytest.raises(ServerUnreachable):
                await server.ask(PING)
            assert await server.report() is None

    asyncio.run(test())


def test_a_server_says_who_it_is_and_a_proxy_that_knows_neither_is_believed() -> None:
    """ROLE, then INFO; an error to both is no failure of the server."""

    async def test() -> None:
        info = b"# Replication\r\nrole:slave\r\nmaster_replid:L\r\nmaster_replid2:K\r\nmaster_repl_offset:7\r\n"
        said = [
            b"*3\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$%d\r\n%s\r\n$-1\r\n" % (len(info), info),
            b"-ERR unknown command\r\n-ERR unknown command\r\n$-1\r\n",
        ]

        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1_000):
                writer.write(said.pop(0))
                await writer.drain()

        async with talking(say) as endpoint:
            server = server_at(endpoint)
            assert await server.report() == RoleReport(primary=False, replid="L", replid2="K", offset=7)
            assert await server.report() == RoleReport(primary=True, replid=f"unknown history of {endpoint}")
            server.close()

    asyncio.run(test())


def test_a_connection_of_another_loop_is_left_alone() -> None:
    """After a fork, or in a second asyncio.run, a new one is opened."""
    kept: list[Server] = []

    async def first() -> None:
        async with talking(answer_each) as endpoint:
            kept.append(server_at(endpoint))
            assert await kept[0].ask(PING) == [b"1"]

    async def second() -> None:
        async with talking(answer_each) as endpoint:
            server = kept[0]
            server.endpoint = endpoint
            assert await server.ask(PING) == [b"1"]
            server.close()

    asyncio.run(first())
    asyncio.run(second())


def test_an_error_reply_is_one_of_the_replies() -> None:
    """Of several commands one may fail; its code is its first word."""

    async def test() -> None:
        async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1_000)
            writer.write(b"+OK\r\n-MOVED 1 h:2\r\n")
            await writer.drain()

        async with talking(half) as endpoint:
            connection = await Connection.open(endpoint, Access())
            good, moved = await connection.ask(PING, PING)
            assert good == b"OK"
            assert isinstance(moved, ReplyError)
            assert moved.code == "MOVED"
            connection.close()

    asyncio.run(test())
