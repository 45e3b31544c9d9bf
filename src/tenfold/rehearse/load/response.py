"""HTTP/1.1 answers out of bytes that arrive in any pieces (RFC 9112), no more of it than a load driver needs.

    status line, headers ──┬─ 1xx: the next head          ┌─ CountedBody
                           └─ the answer proper ── body: ─┼─ ChunkedBody  ── Response
                                                          └─ BodyUntilEnd

Strict where a mistake would make it lose count (two lengths, a length and chunks, a bad chunk), bounded everywhere, and
quick where nearly all answers are: head and body in one piece.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tenfold.rehearse.load.body import Body, BodyUntilEnd, ChunkedBody, CountedBody, ResponseBroken

HEAD_BYTES_MAX = 64 * 1024
_HEADS_KNOWN = 512

_STATUS_LINE = re.compile(rb"http/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?=\r\n)")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n")
_CLOSE = re.compile(rb"\r\nconnection:[^\r\n]*\bclose\b")
_BODILESS = frozenset({204, 304})


@dataclass(slots=True)
class Response:
    """One whole answer. `body` is empty unless it was to be kept; `reusable`: the connection takes another request."""

    status: int
    degraded: bool
    reusable: bool
    body: bytes = b""


class ResponseHead(NamedTuple):
    """What the head of an answer says of it; `length` is None when it states none."""

    status: int
    degraded: bool
    reusable: bool
    chunked: bool
    length: int | None


@lru_cache(maxsize=_HEADS_KNOWN)
def head_of(received: bytes) -> ResponseHead:
    """The head, without the empty line after it. Within a second most are the same. Raises ResponseBroken."""
    head = received.lower() + b"\r\n"
    line = _STATUS_LINE.match(head)
    if line is None or line[2] == b"101":
        raise ResponseBroken(f"no status line: {head[:40]!r}")
    lengths = _LENGTH.findall(head)
    chunked = b"\r\ntransfer-encoding:" in head
    if len(lengths) != head.count(b"\r\ncontent-length:") or len(set(lengths)) > 1:
        raise ResponseBroken("a length that is none, or two")
    if chunked and (lengths or not _CHUNKED.search(head)):
        raise ResponseBroken("a length and chunks, or an unknown coding")
    return ResponseHead(
        status=int(line[2]),
        degraded=b"\r\nx-degraded:" in head,
        reusable=line[1] == b"1" and not (b"\r\nconnection:" in head and _CLOSE.search(head)),
        chunked=chunked,
        length=int(lengths[0]) if lengths else None,
    )


class ResponseParser:
    """Reads the answers of one connection, one at a time: `expect` begins one, `feed` or `end` gives it when whole."""

    __slots__ = ("_bodiless", "_body", "_buffer", "_keeps_body", "_response")

    def __init__(self) -> None:
        self.expect("GET", keeps_body=False)

    def expect(self, method: str, *, keeps_body: bool) -> None:
        """An answer to a request of this method comes next."""
        self._bodiless = method == "HEAD"
        self._keeps_body = keeps_body
        self._buffer = b""
        self._response: Response | None = None
        self._body: Body | None = None

    def feed(self, received: bytes) -> Response | None:
        """Take what has arrived; the answer when this completes it. Raises ResponseBroken."""
        while self._response is None:
            self._buffer = self._buffer + received if self._buffer else received
            end = self._buffer.find(b"\r\n\r\n")
            if end > HEAD_BYTES_MAX or (end < 0 and len(self._buffer) > HEAD_BYTES_MAX):
                raise ResponseBroken(f"more than {HEAD_BYTES_MAX} bytes of headers")
            if end < 0:
                return None
            head, received, self._buffer = head_of(self._buffer[:end]), self._buffer[end + 4 :], b""
            if head.status < 200:
                continue  # the answer proper is still to come
            if head.length == len(received) and not self._bodiless and head.status not in _BODILESS:
                return Response(head.status, head.degraded, head.reusable, received if self._keeps_body else b"")
            self._response = Response(head.status, head.degraded, head.reusable)
            self._body = self._framing(head, self._response)
        excess = received if self._body is None else self._body.take(received)
        return None if excess is None else self._whole(self._response, excess)

    def end(self) -> Response | None:
        """The server has closed: the answer, if it is one that ends so, else None."""
        ends = isinstance(self._body, BodyUntilEnd) and self._response is not None
        return self._whole(self._response, b"") if ends and self._response else None

    @property
    def received_any(self) -> bool:
        """Whether anything of this answer has arrived."""
        return bool(self._buffer) or self._response is not None

    def _framing(self, head: ResponseHead, response: Response) -> Body | None:
        """How the body ends; None when there is none."""
        if self._bodiless or head.status in _BODILESS or head.length == 0:
            return None
        if head.chunked:
            return ChunkedBody(keeps=self._keeps_body)
        if head.length is not None:
            return CountedBody(head.length, keeps=self._keeps_body)
        response.reusable = False
        return BodyUntilEnd(keeps=self._keeps_body)

    def _whole(self, response: Response, excess: bytes) -> Response:
        """Bytes after an answer that nobody asked for: the connection cannot be trusted with another request."""
        if excess:
            response.reusable = False
        if self._body is not None and self._keeps_body:
            response.body = b"".join(self._body.parts)
        return response
