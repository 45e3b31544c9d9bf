"""The three ways in which the body of an HTTP/1.1 answer ends (RFC 9112, section 6.3): counted, in chunks, at the end.

Each takes bytes in any pieces. `take` gives None while more must come, else what follows the body.
"""

import re
from typing import Protocol

BODY_BYTES_MAX = 8 * 1024 * 1024
_LINE_BYTES_MAX = 8 * 1024
_CHUNK_LINE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


class ResponseBroken(Exception):
    """These bytes are no answer. A value between the parser and its connection: no person sees it."""


class Body(Protocol):
    """A body that is still arriving; `parts` holds what came, if it was to be kept."""

    parts: list[bytes]

    def take(self, received: bytes) -> bytes | None: ...


class CountedBody:
    """Content-Length: so many bytes."""

    __slots__ = ("_keeps", "_left", "parts")

    def __init__(self, length: int, *, keeps: bool) -> None:
        if length > BODY_BYTES_MAX:
            raise ResponseBroken(f"a body of {length} bytes")
        self._left = length
        self._keeps = keeps
        self.parts: list[bytes] = []

    def take(self, received: bytes) -> bytes | None:
        left = self._left
        if self._keeps:
            self.parts.append(received[:left])
        self._left = left - len(received)
        return None if self._left > 0 else received[left:]


class ChunkedBody:
    """Transfer-Encoding: chunked. Size line, bytes, end of line; a chunk of zero; perhaps trailers; an empty line."""

    __slots__ = ("_buffer", "_in_trailer", "_keeps", "_size", "parts")

    def __init__(self, *, keeps: bool) -> None:
        self._buffer = b""
        self._in_trailer = False
        self._keeps = keeps
        self._size = 0
        self.parts: list[bytes] = []

    def take(self, received: bytes) -> bytes | None:
        self._buffer += received
        while (end := self._buffer.find(b"\r\n")) >= 0:
            if self._in_trailer:
                line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
                if not line:
                    return self._buffer
            elif not self._take_chunk(end):
                return None
        if len(self._buffer) > _LINE_BYTES_MAX:
            raise ResponseBroken("a line of a chunk without an end")
        return None

    def _take_chunk(self, end: int) -> bool:
        """Take the chunk of which the size line ends at `end`; False while it is not all here."""
        line = _CHUNK_LINE.fullmatch(self._buffer, 0, end)
        if line is None:
            raise ResponseBroken(f"no size of a chunk: {self._buffer[:20]!r}")
        size = int(line[1], 16)
        if self._size + size > BODY_BYTES_MAX:
            raise ResponseBroken(f"a body of more than {BODY_BYTES_MAX} bytes")
        if size == 0:
            self._in_trailer = True
            self._buffer = self._buffer[end + 2 :]
            return True
        begin, after = end + 2, end + 2 + size
        if len(self._buffer) < after + 2:
            return False
        if self._buffer[after : after + 2] != b"\r\n":
            raise ResponseBroken("a chunk longer than it said")
        if self._keeps:
            self.parts.append(self._buffer[begin:after])
        self._size += size
        self._buffer = self._buffer[after + 2 :]
        return True


class BodyUntilEnd:
    """Neither a length nor chunks: the body ends when the server closes."""

    __slots__ = ("_keeps", "_size", "parts")

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._size = 0
        self.parts: list[bytes] = []

    def take(self, received: bytes) -> bytes | None:
        self._size += len(received)
        if self._size > BODY_BYTES_MAX:
            raise ResponseBroken(f"a body of more than {BODY_BYTES_MAX} bytes")
        if self._keeps:
            self.parts.append(received)
        return None
