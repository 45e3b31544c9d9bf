import pytest

from tenfold.rehearse.load.body import BODY_BYTES_MAX, ResponseBroken
from tenfold.rehearse.load.response import HEAD_BYTES_MAX, Response, ResponseParser


def parse(received: bytes, method: str = "GET") -> Response | None:
    parser = ResponseParser()
    parser.expect(method, keeps_body=True)
    return parser.feed(received)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Response(200, False, True, b"hello")),
        (b"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", Response(200, False, True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Response(204, False, True)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Response(304, False, True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", Response(200, False, False, b"x")),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx", Response(200, False, False, b"x")),
        (b"HTTP/1.1 200 OK\r\nX-Degraded: image\r\nContent-Length: 1\r\n\r\nx", Response(200, True, True, b"x")),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\nx",
            Response(201, False, True, b"x"),
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200", Response(200, False, False, b"x")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\nT: x\r\n\r\n",
            Response(200, False, True, b"hello, world"),
        ),
    ],
)
def test_whole_answers_are_read(received: bytes, expected: Response) -> None:
    """Each way in which an answer may be framed."""
    assert parse(received) == expected


def test_an_answer_to_head_has_no_body_whatever_it_says() -> None:
    """RFC 9112, section 6.3."""
    assert parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD") == Response(200, False, True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """And only such a one: a counted body that ends early is no answer."""
    parser = ResponseParser()
    parser.expect("GET", keeps_body=True)
    assert parser.feed(b"HTTP/1.1 200 OK\r\n\r\nabc") is None
    assert parser.feed(b"def") is None
    assert parser.end() == Response(200, False, False, b"abcdef")
    parser.expect("GET", keeps_body=True)
    assert parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") is None
    assert parser.end() is None


@pytest.mark.parametrize(
    "received",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD_BYTES_MAX,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_said_to_be_none(received: bytes) -> None:
    """Never guessed at: a driver that loses count measures nothing."""
    with pytest.raises(ResponseBroken):
        parse(received)


def test_it_is_known_whether_anything_of_an_answer_has_come() -> None:
    """A request may be sent again only when nothing has."""
    parser = ResponseParser()
    parser.expect("GET", keeps_body=False)
    assert not parser.received_any
    parser.feed(b"H")
    assert parser.received_any
