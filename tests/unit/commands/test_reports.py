"""`tenfold reports` in a terminal."""

import json
from pathlib import Path

import pytest
from tests.past_runs import NEWER, OLDER, leave_run
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold import cli


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_run(tmp_path / "reports", OLDER, SimulatedRehearsal().verdict())
    leave_run(tmp_path / "reports", NEWER, worst_verdict())
    monkeypatch.chdir(tmp_path)


def test_past_runs_are_listed_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    """When, plan, verdict, what held, p99 at the top."""
    assert cli.main(["reports"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "BEGAN"
    assert first.split()[3:6] == ["freshmart", "NO-GO", "5×"]
    assert "625.0 ms at 10×" in first
    assert first.endswith(NEWER)
    assert second.split()[3:6] == ["freshmart", "GO", "10×"]


def test_the_list_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    assert cli.main(["reports", "--json"]) == 0
    newest, _ = json.loads(capsys.readouterr().out)
    assert (newest["run_id"], newest["verdict"], newest["highest_step_held"]) == (NEWER, "no-go", "5×")


def test_two_runs_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """What differs is marked."""
    assert cli.main(["reports", "compare", "7f3a", "latest"]) == 0
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith("verdict")] == [
        ["verdict", "GO", "≠", "NO-GO"]
    ]
    for words in (["--json", "compare", "7f3a", "latest"], ["compare", "--json", "7f3a", "latest"]):
        assert cli.main(["reports", *words]) == 0
        assert json.loads(capsys.readouterr().out)["second"] == NEWER


def test_a_run_is_written_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest when none is named."""
    assert cli.main(["reports", "csv"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("run_id,plan,step")
    assert len(rows) == 120


def test_a_run_that_is_not_there_is_said_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2."""
    assert cli.main(["reports", "compare", "nobody", "latest"]) == 2
    assert "Past run 'nobody' is not known" in capsys.readouterr().err
    assert cli.main(["reports", "--folder", "elsewhere"]) == 0
    assert "No run has left a verdict in elsewhere" in capsys.readouterr().out
