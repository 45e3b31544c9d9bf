import contextlib

from hypothesis import given
from hypothesis import strategies as st

from tenfold.rehearse.load.body import ResponseBroken
from tenfold.rehearse.load.response import Response, ResponseParser

BODIES = st.binary(max_size=300)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The bytes of a whole answer, and its body."""
    body = draw(BODIES)
    head = b"HTTP/1.1 200 OK\r\nServer: x\r\n"
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, body
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=5)))
    pieces = [body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", body


def fed(parser: ResponseParser, pieces: list[bytes]) -> list[Response | None]:
    return [parser.feed(piece) for piece in pieces]


@given(answer=answers(), interim=st.booleans(), data=st.data())
def test_an_answer_is_the_same_however_it_is_cut_up(
    answer: tuple[bytes, bytes], interim: bool, data: st.DataObject
) -> None:
    """TCP keeps bytes in order and nothing else: any cut at any byte gives the same answer, at the last byte."""
    received, body = answer
    if interim:
        received = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + received
    cuts = sorted(data.draw(st.sets(st.integers(1, len(received) - 1), max_size=20)))
    pieces = [received[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(received)], strict=True)]
    parser = ResponseParser()
    parser.expect("GET", keeps_body=True)
    *early, last = fed(parser, pieces)
    assert early == [None] * len(early)
    assert last == Response(200, False, True, body)


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=200), max_size=5),
    begun=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n"]),
)
def test_arbitrary_bytes_are_an_answer_or_broken_and_nothing_else(pieces: list[bytes], begun: bytes) -> None:
    """Nothing that a server sends can bring the driver down."""
    parser = ResponseParser()
    parser.expect("GET", keeps_body=False)
    with contextlib.suppress(ResponseBroken):
        fed(parser, [begun, *pieces] if begun else pieces)
        parser.end()
