"""What `tenfold switch` answers when it cannot: in words or as JSON, with a status that says whose fault it is."""

import json

import pytest

from tenfold import cli
from tenfold.commands.switch import reads
from tenfold.respond.control import ControlClient, ControlRefusedError

NOWHERE = ("--control", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_CONTROL_TOKEN", "secret")
    monkeypatch.delenv("TENFOLD_CONTROL_URL", raising=False)


def test_an_error_is_said_in_words_or_as_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with status 2; stdout is for answers."""
    assert cli.main(["switch", "list"]) == 2
    heard = capsys.readouterr()
    assert heard.err.startswith("tenfold: Nobody said where the control node is. Say --control URL")
    assert cli.main(["switch", "list", "--json"]) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert json.loads(heard.err) == {
        "error": {
            "kind": "ControlUnknown",
            "message": "Nobody said where the control node is.",
            "remedy": "Say --control URL, or set TENFOLD_CONTROL_URL.",
        }
    }


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["set", "reviews", "off", "--reason", "slow \udcff"], "reason"),
        (["set", "reviews", "\udcff", "--reason", "x"], "value"),
        (["set", "reviews", "off", "--reason", "x", "--store", "7", "--store", "\udcff"], "store"),
        (["show", "\udcff"], "name"),
    ],
)
def test_what_is_no_utf8_is_refused_before_anybody_is_asked(
    words: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal may send any byte."""
    assert cli.main(["switch", words[0], *NOWHERE, *words[1:]]) == 2
    assert capsys.readouterr().err == f"tenfold: What was typed for '{what}' is no UTF-8; nothing was done.\n"


def test_a_fault_of_our_own_does_not_look_like_somebody_elses_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is status 1. The traceback is for whoever mends it."""

    def broken(*_: object) -> object:
        raise OverflowError("too large")

    monkeypatch.setattr(reads, "at_node", broken)
    assert cli.main(["switch", "list"]) == 2
    assert "OverflowError: too large" in capsys.readouterr().err
    assert cli.main(["switch", "list", "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["kind"] == "OverflowError"


@pytest.mark.parametrize(
    "said", [{"reason": "\udcff"}, {"by": "\udcff"}, {"key": "\udcff"}, {"topic": "\udcff"}, {"value": "\udcff"}]
)
def test_the_client_refuses_what_it_cannot_tell(said: dict[str, str]) -> None:
    """Nothing is sent."""
    wish = {"topic": "switches", "key": "reviews", "value": "x"} | said
    client = ControlClient("http://127.0.0.1:9", "secret")
    with pytest.raises(ControlRefusedError):
        client.put(wish.pop("topic"), wish.pop("key"), wish.pop("value"), **wish)  # type: ignore[arg-type]
