"""The form in which every benchmark leaves its figures."""

from pathlib import Path

import msgspec
import pytest
from benchmarks import figures as module
from benchmarks.figures import Figure, Figures, spread_of, write_figures

from tenfold.rehearse.verdict import Machine

ONE = Figure(
    figure=1,
    name="reads",
    value=10.0,
    unit="1/s",
    target=5.0,
    held=True,
    peers={"plain": 4.0},
    ratio=2.5,
    rounds=[10.0],
)


def test_results_are_written_in_the_agreed_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`machine` and `figures`, each figure with number, name, value, unit, target, held and peers."""
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    path = write_figures(
        "first", Figures(machine=Machine(cores=2), measured_at="2026-11-22T20:00:00Z", load_average=0.1, figures=[ONE])
    )
    written = msgspec.json.decode(path.read_bytes())
    assert written["machine"]["cores"] == 2
    assert written["figures"] == [
        {
            "figure": 1,
            "name": "reads",
            "value": 10.0,
            "unit": "1/s",
            "target": 5.0,
            "held": True,
            "peers": {"plain": 4.0},
            "ratio": 2.5,
            "rounds": [10.0],
        }
    ]


def test_results_replace_earlier_ones_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader finds the old figures or the new ones, and no draft stays behind."""
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    for at in ("before", "after"):
        write_figures("first", Figures(machine=Machine(cores=2), measured_at=at, load_average=0.1, figures=[]))
    assert msgspec.json.decode((tmp_path / "first.json").read_bytes(), type=Figures).measured_at == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["first.json"]


def test_spread_is_the_range_as_a_share_of_the_median() -> None:
    """One measure, or none that is above zero, has no spread."""
    assert spread_of([90.0, 100.0, 110.0]) == pytest.approx(0.2)
    assert spread_of([100.0]) == 0
    assert spread_of([0.0, 0.0]) == 0
