"""A run is alive as long as somebody holds its lock; what a dead one left is cleared once."""

from pathlib import Path

import msgspec
import pytest

from tenfold.fleet import RunExists, RunFolder, sweep_dead_runs


def test_run_that_lives_is_left_alone(tmp_path: Path) -> None:
    """Two rehearsals at once do not disturb each other."""
    run = RunFolder.create(tmp_path, "alive")
    assert sweep_dead_runs(tmp_path) == []
    assert run.data.is_dir()
    run.remove_data()
    run.release()


def test_dead_run_is_cleared_once(tmp_path: Path) -> None:
    """Its data go, its reports stay, and the next sweep finds nothing to do."""
    run = RunFolder.create(tmp_path, "dead")
    (run.data / "rows").write_text("rows")
    (run.logs / "api.log").write_text("said\n")
    run.release()
    assert sweep_dead_runs(tmp_path) == ["dead"]
    assert not run.data.exists()
    assert (run.logs / "api.log").read_text() == "said\n"
    assert sweep_dead_runs(tmp_path) == []


def test_armed_faults_of_a_dead_run_are_settled(tmp_path: Path) -> None:
    """A fault that nobody reverted is over when its server is gone, and the journal says by whom."""
    run = RunFolder.create(tmp_path, "faulty")
    fault = {
        "drill": "cut",
        "node": "database.primary",
        "fault": "cut",
        "revert": "mend",
        "state": "armed",
        "by": "drill",
    }
    over = [fault | {"drill": "kill"}, fault | {"drill": "kill", "state": "reverted"}]
    run.faults.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in [*over, fault]))
    run.release()
    sweep_dead_runs(tmp_path)
    records = [msgspec.json.decode(line) for line in run.faults.read_bytes().splitlines()]
    assert len(records) == 4
    assert (records[3]["drill"], records[3]["state"], records[3]["by"]) == ("cut", "reverted", "sweep")


def test_run_is_not_made_twice(tmp_path: Path) -> None:
    """A name is one run's own."""
    run = RunFolder.create(tmp_path, "once")
    with pytest.raises(RunExists, match="once"):
        RunFolder.create(tmp_path, "once")
    run.remove_data()
    run.release()


def test_folder_that_the_run_did_not_make_is_never_removed(tmp_path: Path) -> None:
    """A record that points elsewhere costs nobody a folder."""
    run = RunFolder.create(tmp_path, "mine")
    run.remove_data()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run.data = elsewhere
    run.remove_data()
    assert elsewhere.is_dir()
    run.release()


def test_unfinished_record_is_no_run(tmp_path: Path) -> None:
    """A run that died before it was laid had started nothing."""
    state = tmp_path / ".tenfold" / "runs" / "half"
    state.mkdir(parents=True)
    (state / "run.json").write_text('{"id": "ha')
    assert sweep_dead_runs(tmp_path) == []
