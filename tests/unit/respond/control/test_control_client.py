"""What an operator's tool makes of an answer, and of one that no control node gave."""

from collections.abc import Callable, Mapping

import msgspec
import pytest

from tenfold.channel import Change, ControlAddressInvalid
from tenfold.respond.control import (
    Conflict,
    ControlClient,
    ControlOutcomeUnknownError,
    ControlRefusedError,
    ControlUnreachableError,
)
from tenfold.respond.control.log import NO_RECORD

Asks = Callable[[ControlClient], object]

READS: list[Asks] = [
    lambda client: client.get("switches", "a"),
    lambda client: client.records("switches"),
    lambda client: client.history("switches"),
    lambda client: client.chain(0),
    lambda client: client.store(),
    lambda client: client.processes(),
    lambda client: client.acks(1),
    lambda client: client.reports("switch-loads"),
]
CHANGES: list[Asks] = [
    lambda client: client.put("switches", "a", True),
    lambda client: client.remove("switches", "a"),
]


class Answered(ControlClient):
    """Every question has this answer, without a network."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("http://127.0.0.1:9", "secret")
        self._answer = status, body
        self.said: Mapping[str, str] = {}

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        self.said = headers
        return self._answer


@pytest.mark.parametrize("url", ["http://127.0.0.1:76000", "http://127.0.0.1:x", "http://[::1", "127.0.0.1:7600"])
def test_an_address_that_is_none_is_refused_with_what_to_say(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ControlAddressInvalid, match="is no address of a control node") as refused:
        ControlClient(url, "secret")
    assert "http://HOST:PORT" in refused.value.remedy


@pytest.mark.parametrize("ask", READS + CHANGES)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"Not Found\n"),
        (404, b'{"detail": "There is no such page."}'),
        (412, b"Precondition Failed"),
        (200, b"<html>"),
        (200, b"{}"),
        (200, b"[" * 5000),
        (200, b"\xff"),
    ],
)
def test_what_another_server_answers_says_nothing_about_a_switch(ask: Asks, status: int, body: bytes) -> None:
    """It is refused, with the address at which it was asked."""
    with pytest.raises(ControlRefusedError, match=r"127\.0\.0\.1:9"):
        ask(Answered(status, body))


def test_the_nodes_own_word_is_that_there_is_no_record() -> None:
    """Of a change the same status is none."""
    body = msgspec.json.encode({"detail": NO_RECORD})
    assert Answered(404, body).get("switches", "a") is None
    for ask in (*CHANGES, READS[1]):
        with pytest.raises(ControlRefusedError, match="There is no such record"):
            ask(Answered(404, body))


@pytest.mark.parametrize("ask", CHANGES)
def test_an_unknown_outcome_is_not_a_refusal(ask: Asks) -> None:
    """Who handles silence handles it: the change may have been made."""
    body = msgspec.json.encode({"detail": "Nobody knows.", "kind": "OutcomeUnknown"})
    with pytest.raises(ControlOutcomeUnknownError, match="Nobody knows") as unknown:
        ask(Answered(503, body))
    assert isinstance(unknown.value, ControlUnreachableError)
    with pytest.raises(ControlRefusedError, match="not made"):
        ask(Answered(503, msgspec.json.encode({"detail": "It was not made.", "kind": "WriterEnded"})))


def test_records_are_told_with_the_epoch_up_to_which_they_are_all_there_is() -> None:
    """To be held against a look at the history."""
    change = Change(epoch=3, topic="switches", key="a", value=msgspec.Raw(b"1"))
    client = Answered(200, msgspec.json.encode({"epoch": 7, "records": [change]}))
    held = client.records_at("switches")
    assert (held.epoch, [record.epoch for record in held.records]) == (7, [3])
    assert [record.epoch for record in client.records("switches")] == [3]


def test_putting_and_removing_say_alike_that_the_reach_is_meant() -> None:
    """And a conflict is an answer to both."""
    client = Answered(412, msgspec.json.encode({"detail": "Somebody else was first.", "current": None}))
    assert client.put("switches", "a", True, confirmed=True) == Conflict(None)
    assert client.said["Tenfold-Confirmed"] == "1"
    assert client.remove("switches", "a", confirmed=True) == Conflict(None)
    assert client.said["Tenfold-Confirmed"] == "1"
    assert client.put("switches", "a", True) == Conflict(None)
    assert client.said["Tenfold-Confirmed"] == "0"
