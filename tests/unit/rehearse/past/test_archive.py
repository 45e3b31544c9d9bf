"""Runs that are over are found again."""

from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from tests.past_runs import NEWER, OLDER, leave_run
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold.rehearse.past import RunArchive, RunUnknown


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    leave_run(tmp_path, OLDER, SimulatedRehearsal().verdict())
    leave_run(tmp_path, NEWER, worst_verdict())
    (tmp_path / "latest").symlink_to(NEWER)
    return tmp_path


def test_the_newest_comes_first_and_a_link_counts_for_none(reports: Path) -> None:
    """`latest` is one of them already."""
    assert [run.id for run in RunArchive(reports).runs()] == [NEWER, OLDER]


def test_what_left_no_verdict_is_counted_and_not_shown(reports: Path) -> None:
    """An interrupted run, a file that is none, a file without an end."""
    (reports / "20261123T000000.000Z-aaaa").mkdir()
    for number, text in enumerate(("{}", "not json", "[" * 100)):
        folder = reports / f"20261124T000000.000Z-bbb{number}"
        folder.mkdir()
        (folder / "verdict.json").write_text(text)
    with (reports / "20261123T000000.000Z-aaaa" / "verdict.json").open("wb") as huge:
        huge.truncate(17 << 20)
    archive = RunArchive(reports)
    assert [run.id for run in archive.runs()] == [NEWER, OLDER]
    assert archive.unreadable == 4
    assert archive.find("latest").id == NEWER


@pytest.mark.parametrize("name", [OLDER, "20261121", "7f3a"])
def test_a_run_is_found_by_its_id_or_an_end_of_it(reports: Path, name: str) -> None:
    """Whatever a person copies."""
    assert RunArchive(reports).find(name).id == OLDER


@pytest.mark.parametrize("name", ["2026", "nobody", "", "../secret", "/etc", ".", "latest/"])
def test_a_name_that_is_not_one_runs_is_refused(reports: Path, name: str) -> None:
    """Of two, of none, or of a folder elsewhere."""
    with pytest.raises(RunUnknown, match="tenfold reports"):
        RunArchive(reports).find(name)


def test_when_it_began_is_said_with_its_zone(reports: Path) -> None:
    """An evening in Bangkok is an afternoon in London."""
    run = RunArchive(reports).find(NEWER)
    assert run.began(UTC) == "2026-11-22 18:01 UTC"
    assert run.began(timezone(timedelta(hours=7), "ICT")) == "2026-11-23 01:01 ICT"


def test_no_folder_is_no_run(tmp_path: Path) -> None:
    """Before the first rehearsal."""
    assert RunArchive(tmp_path / "reports").runs() == []
    with pytest.raises(RunUnknown):
        RunArchive(tmp_path / "reports").find("latest")
