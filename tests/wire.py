"""Asks a real server byte by byte, as nobody's library would."""

import asyncio
from typing import NamedTuple

PATIENCE_S = 10.0


class Told(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    """What followed the head until the server closed."""

    def all(self, name: str) -> list[str]:
        return [value for stated, value in self.headers if stated == name]

    def one(self, name: str) -> str:
        return ", ".join(self.all(name))


class Wire:
    """The server at one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def ask(self, method: str, path: str, *headers: str, body: bytes = b"", length: int | None = None) -> Told:
        """One request, and the answer to its end. `length` is what is stated; `headers` are lines."""
        stated = [f"Content-Length: {len(body) if length is None else length}"] if body or length else []
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close", *stated, *headers]
        return told_in(await self.say("\r\n".join([*lines, "", ""]).encode() + body))

    async def head(self, method: str, path: str, *headers: str) -> Told:
        """The head of an answer that may have no end."""
        reader, writer = await self.connect()
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        try:
            async with asyncio.timeout(PATIENCE_S):
                return told_in(await reader.readuntil(b"\r\n\r\n"))
        finally:
            writer.close()

    async def say(self, text: bytes) -> bytes:
        """All that the server says until it closes."""
        reader, writer = await self.connect()
        writer.write(text)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)

    async def hang(self, number: int, text: bytes = b"") -> list[asyncio.StreamWriter]:
        """So many connections that say `text` and nothing more."""
        writers = [(await self.connect())[1] for _ in range(number)]
        for writer in writers:
            writer.write(text)
        return writers


def told_in(text: bytes) -> Told:
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Told(int(first.split()[1]), headers, body)


def port_of(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])
