"""What is said on one connection, byte by byte."""

import pytest

from tenfold.engines.valkey.address import Access
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.session import (
    MESSAGE_BYTES_MAX,
    Answered,
    Flushed,
    Heard,
    Names,
    TrackingSession,
)

MS = 1_000_000
HELLO = b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
TOLD = b">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
FLUSHED = b">2\r\n$10\r\ninvalidate\r\n_\r\n"
OTHER = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"


def session(access: Access | None = None) -> TrackingSession:
    return TrackingSession(access or Access(), ["p:", "q:"], begun_ns=0, pace=TrackingPace())


def greeted() -> TrackingSession:
    conversation = session()
    conversation.greet(0)
    assert list(conversation.hear(HELLO + b"+OK\r\n" + HELLO)) == [Answered(0)]
    return conversation


def test_the_greeting_authenticates_tracks_and_asks_for_proof_at_once() -> None:
    """One round trip."""
    said = session(Access("till", "secret")).greet(0)
    words = [word for word in said.decode().split("\r\n") if word and word[0] not in "*$"]
    assert words == [
        *("HELLO", "3", "AUTH", "till", "secret"),
        *("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "p:", "PREFIX", "q:"),
        "HELLO",
    ]


@pytest.mark.parametrize("cut", range(1, 40))
def test_bytes_may_be_cut_anywhere(cut: int) -> None:
    """In pieces of any size the same is heard, in the same order."""
    conversation = session()
    conversation.greet(5)
    stream = HELLO + TOLD + b"+OK\r\n" + OTHER + HELLO + FLUSHED + TOLD
    heard: list[Heard] = []
    for start in range(0, len(stream), cut):
        heard += conversation.hear(stream[start : start + cut])
    assert heard == [Names([b"a", b"b"]), Answered(5), Flushed(), Names([b"a", b"b"])]


def test_a_heartbeat_goes_out_in_time_and_must_be_answered_in_time() -> None:
    conversation = greeted()
    assert conversation.speak(99 * MS) == b""
    assert conversation.wake_ns == 100 * MS
    assert conversation.speak(100 * MS) == b"*1\r\n$5\r\nHELLO\r\n"
    assert conversation.speak(200 * MS)
    with pytest.raises(StreamBroken) as broken:
        conversation.speak(300 * MS)
    assert broken.value.gap is Gap.SILENT


def test_the_server_has_as_long_as_an_attempt_may_last_to_answer_the_greeting() -> None:
    """Connecting included; from then on, it is silent sooner."""
    conversation = session()
    conversation.greet(200 * MS)
    conversation.speak(249 * MS)
    with pytest.raises(StreamBroken) as broken:
        conversation.speak(250 * MS)
    assert broken.value.gap is Gap.UNREACHABLE


@pytest.mark.parametrize(
    ("received", "gap"),
    [
        (b"", Gap.CLOSED),
        (b"-NOPERM user till has no permission\r\n", Gap.REFUSED),
        (HELLO.replace(b"master", b"slavex"), Gap.NOT_PRIMARY),
        (b"+PONG\r\n", Gap.NOT_PRIMARY),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Gap.GARBLED),
    ],
)
def test_whatever_else_is_heard_is_a_gap(received: bytes, gap: Gap) -> None:
    conversation = greeted()
    conversation.speak(100 * MS)
    with pytest.raises(StreamBroken) as broken:
        list(conversation.hear(received))
    assert broken.value.gap is gap


def test_a_reply_that_nobody_asked_for_is_a_gap() -> None:
    with pytest.raises(StreamBroken, match="a reply to nothing"):
        list(greeted().hear(HELLO))


def test_a_refusal_keeps_no_more_than_its_first_word() -> None:
    """What a server answers may hold what is secret."""
    conversation = greeted()
    conversation.speak(100 * MS)
    with pytest.raises(StreamBroken) as broken:
        list(conversation.hear(b"-WRONGPASS for hunter2\r\n"))
    assert str(broken.value) == "refused: WRONGPASS"


def test_a_message_that_does_not_end_is_not_gathered_for_ever() -> None:
    conversation = greeted()
    list(conversation.hear(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$999999999\r\n"))
    piece = b"x" * (MESSAGE_BYTES_MAX // 2)
    list(conversation.hear(piece))
    with pytest.raises(StreamBroken, match="does not end"):
        list(conversation.hear(piece))
