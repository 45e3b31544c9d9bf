"""Two runs side by side, and one in a spreadsheet."""

import csv
import io
from pathlib import Path

import msgspec
from tests.past_runs import NEWER, OLDER
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold.rehearse.past import PastRun, compared, steps_csv

SOUND = PastRun(Path(OLDER), SimulatedRehearsal().verdict())
WORST = PastRun(Path(NEWER), worst_verdict())


def test_steps_drills_and_the_whole_stand_side_by_side() -> None:
    """What stands in one run alone has a dash in the other."""
    rows = {row.name: row for row in compared(SOUND, WORST)}
    assert (rows["verdict"].first, rows["verdict"].second) == ("GO", "NO-GO")
    assert (rows["highest step held"].first, rows["highest step held"].second) == ("10×", "5×")
    assert (rows["faults"].first, rows["faults"].second) == ("4/4", "4/15")
    assert rows["step 10×"].second == "missed, 2,900/s, p99 625.0 ms, 700 errors, cpu 0.40 ms/request"
    assert rows["drill primary-cut"].first == "held, noticed 120 ms, recovered 900 ms, 0 errors"
    assert rows["drill primary-cut"].second == "–"
    assert rows["plan"].differs is False


def test_every_journey_of_every_step_is_a_line_of_the_spreadsheet() -> None:
    """Figures are numbers; the head says their units."""
    rows = list(csv.DictReader(io.StringIO(steps_csv(WORST))))
    assert len(rows) == 10 * 12
    order = next(row for row in rows if row["step"] == "5" and row["journey"] == "order")
    assert (order["held"], float(order["p99_ms"]), float(order["p99_max_ms"])) == ("True", 40.0, 100.0)
    assert float(order["cpu_ms_per_request"]) == 0.4


def test_a_name_is_never_a_formula() -> None:
    """The name of a program beside the run is somebody else's word."""
    steps = [msgspec.structs.replace(WORST.verdict.steps[0], culprit='=HYPERLINK("http://x")')]
    run = PastRun(Path(NEWER), msgspec.structs.replace(WORST.verdict, steps=steps))
    rows = list(csv.DictReader(io.StringIO(steps_csv(run))))
    assert rows[0]["culprit"].startswith("'=")
