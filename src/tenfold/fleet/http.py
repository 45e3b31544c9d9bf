"""One small HTTP/1.1 request over loopback: enough to ask a server whether it serves."""

import asyncio
import ssl
from collections.abc import Mapping

from tenfold.fleet.ports import LOOPBACK

_HEAD_BYTES_MAX = 65_536


async def status_of(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
) -> int:
    """The status of the answer; the caller sets the deadline. Raises OSError or EOFError when there is none."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=_HEAD_BYTES_MAX, ssl=tls)
    try:
        stated = {"Host": f"{LOOPBACK}:{port}", "Connection": "close", "Content-Length": str(len(body))}
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in (stated | dict(headers or {})).items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return parse_status(await reader.readline())
    finally:
        writer.close()


async def text_of(port: int, path: str) -> str:
    """The body of an answer 200 to a GET; empty when the status is another. The caller sets the deadline.

    Raises OSError or EOFError when there is no answer.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        request = f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        return body.decode(errors="replace") if parse_status(head) == 200 else ""
    finally:
        writer.close()


def parse_status(line: bytes) -> int:
    """The status in `HTTP/1.1 200 OK`. Raises EOFError for anything else: nobody there speaks HTTP."""
    words = line.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise EOFError(f"no HTTP status in {line!r}")
    return int(words[1])
