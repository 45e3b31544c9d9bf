"""The small parts of the fleet: ports, signatures, answers, programs."""

import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenfold.fleet import BinaryMissing, binaries
from tenfold.fleet.http import parse_status
from tenfold.fleet.ports import candidate_range
from tenfold.fleet.service import resolved
from tenfold.fleet.signature import AccessKeys, sign, signing_key
from tenfold.fleet.valkey import replica_titles


@pytest.mark.parametrize(
    ("outgoing", "expected"),
    [((32_768, 60_999), (20_768, 32_767)), ((1024, 50_000), (50_001, 65_535)), ((1024, 65_535), (1024, 65_535))],
)
def test_ports_lie_outside_the_outgoing_range(outgoing: tuple[int, int], expected: tuple[int, int]) -> None:
    """A client's connection must not take the port of a server that is down for a moment."""
    assert candidate_range(*outgoing) == expected


def test_signing_key_is_the_published_one() -> None:
    """The example of AWS's documentation, 'Examples of the complete Signature Version 4 signing process'."""
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_signature_depends_on_body_and_never_shows_the_secret() -> None:
    """Another body, another signature; the secret is in neither headers nor the keys' text."""
    keys = AccessKeys(access="AK", secret="SECRET")
    at = datetime(2026, 11, 22, 18, 1, 15, tzinfo=UTC)
    one, other = (sign(keys, "PUT", "127.0.0.1:1", "/media/x", body, at) for body in (b"1", b"2"))
    assert one["Authorization"] != other["Authorization"]
    assert "SECRET" not in repr(keys) + repr(one)


@pytest.mark.parametrize("line", [b"", b"-ERR unknown command\r\n", b"HTTP/1.1\r\n", b"HTTP/1.1 ok\r\n"])
def test_answer_that_is_no_http_is_no_answer(line: bytes) -> None:
    """A server of another kind on the port is not taken for a ready one."""
    with pytest.raises(EOFError):
        parse_status(line)


def test_status_is_read() -> None:
    """The number that says whether it serves."""
    assert parse_status(b"HTTP/1.1 503 Service Unavailable\r\n") == 503


def test_python_is_the_python_that_runs_tenfold() -> None:
    """Whatever `python` means to the shell."""
    assert resolved(("python", "-m", "x")) == [sys.executable, "-m", "x"]
    assert resolved(("node", "python")) == ["node", "python"]


def test_replicas_are_named_in_order() -> None:
    """The first has no number: the plan calls it `replica`."""
    assert replica_titles(3) == ["replica", "replica-2", "replica-3"]
    assert replica_titles(0) == []


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message says which program, where it was looked for, and what to do."""
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(BinaryMissing, match=r"SeaweedFS's program .*/weed is missing") as caught:
        binaries.seaweedfs()
    assert caught.value.remedy


def test_program_that_may_not_be_executed_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file is not enough."""
    (tmp_path / "weed").write_text("")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(BinaryMissing):
        binaries.seaweedfs()


def test_program_below_a_closed_folder_is_not_reachable(tmp_path: Path) -> None:
    """`mktemp -d` makes folders that nobody else may enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "postgres"
    program.write_text("")
    program.chmod(0o755)
    assert not binaries.reachable(program)
