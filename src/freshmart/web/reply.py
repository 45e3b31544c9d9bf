"""What is sent back: a status, headers, bytes; the same whether plain ASGI or Litestar sends it."""

from typing import Any, NamedTuple

import msgspec

Headers = list[tuple[bytes, bytes]]

JSON: Headers = [(b"content-type", b"application/json")]
JSON_STALE: Headers = [*JSON, (b"x-stale", b"true")]
PICTURE: Headers = [(b"content-type", b"image/svg+xml"), (b"cache-control", b"public, max-age=3600")]
PLACEHOLDER: Headers = [
    (b"content-type", b"image/svg+xml"),
    (b"cache-control", b"no-store"),
    (b"x-degraded", b"image"),
]


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Headers = JSON


class Problem(msgspec.Struct):
    """Every error's body: a word for programs, a sentence for people."""

    error: str
    message: str


def problem(status: int, error: str, message: str, *, retry_after_s: int | None = None) -> Reply:
    headers = JSON if retry_after_s is None else [*JSON, (b"retry-after", str(retry_after_s).encode())]
    return Reply(status, msgspec.json.encode(Problem(error, message)), headers)


async def send_reply(reply: Reply, send: Any) -> None:
    """As plain ASGI."""
    headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
