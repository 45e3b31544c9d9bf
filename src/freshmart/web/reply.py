"""What is sent back: a status, headers, bytes; the same whether plain ASGI or Litestar sends it."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from freshmart.media import KINDS, PNG

Headers = list[tuple[bytes, bytes]]

DEGRADED = b"x-degraded"
JSON: Headers = [(b"content-type", b"application/json")]
PROBLEM: Headers = [(b"content-type", b"application/problem+json")]
JSON_STALE: Headers = [*JSON, (b"x-stale", b"true")]
_HARMLESS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
]
"""Whatever a picture holds, a browser runs none of it."""
PICTURES: dict[str, Headers] = {
    kind: [(b"content-type", kind.encode()), (b"cache-control", b"public, max-age=3600"), *_HARMLESS] for kind in KINDS
}
PLACEHOLDER: Headers = [
    (b"content-type", PNG.encode()),
    (b"cache-control", b"no-store"),
    (DEGRADED, b"image"),
    *_HARMLESS,
]


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Headers = JSON

    @property
    def is_served(self) -> bool:
        """It holds what was asked for, and not the word that it cannot be had now."""
        return self.status == 200 and not any(name == DEGRADED for name, _ in self.headers)


class ProblemReply(msgspec.Struct):
    """The body of every refusal (RFC 9457): `error` is a word for programs, `detail` a sentence for people."""

    title: str
    status: int
    detail: str
    error: str


def problem(
    status: int, error: str, detail: str, *, retry_after_s: int | None = None, allow: str | None = None
) -> Reply:
    """Of any 4xx or 5xx."""
    headers = [*PROBLEM]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    if allow is not None:
        headers.append((b"allow", allow.encode()))
    return Reply(status, msgspec.json.encode(ProblemReply(HTTPStatus(status).phrase, status, detail, error)), headers)


def shielded(feature: str) -> Reply:
    """What is answered in the place of a feature that is shielded."""
    return Reply(200, b'{"shielded":"%b"}' % feature.encode(), [*JSON, (DEGRADED, feature.encode())])


def compose(core: Mapping[str, Reply], extras: Mapping[str, Reply]) -> Reply:
    """One object of parts that are JSON already; the extras that are left out are named in `X-Degraded`."""
    left_out = [name for name, reply in extras.items() if not reply.is_served]
    parts = {**core, **{name: reply for name, reply in extras.items() if name not in left_out}}
    body = b",".join(b'"%b":%b' % (name.encode(), reply.body) for name, reply in parts.items())
    headers = [*JSON, (DEGRADED, ", ".join(left_out).encode())] if left_out else JSON
    return Reply(200, b"{%b}" % body, headers)


async def send_reply(reply: Reply, send: Any) -> None:
    """As plain ASGI."""
    headers = [*reply.headers, _length(len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


@lru_cache(maxsize=4096)
def _length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()
