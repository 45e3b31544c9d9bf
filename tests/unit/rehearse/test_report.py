"""The page that a run leaves."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_evidence, worst_verdict

from tenfold.rehearse.view.report import ReportUnwritableError, encode_verdict, render_report, write_report

REHEARSAL = SimulatedRehearsal()
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(REHEARSAL.verdict(), REHEARSAL.evidence())


def test_the_report_is_a_page_and_a_verdict(tmp_path: Path) -> None:
    """Both files are there, whole, and nothing half-written beside them."""
    path = write_report(tmp_path / "run", REHEARSAL.verdict(), REHEARSAL.evidence())
    assert path == tmp_path / "run" / "index.html"
    assert (tmp_path / "run" / "verdict.json").read_bytes() == encode_verdict(REHEARSAL.verdict())
    assert sorted(file.name for file in path.parent.iterdir()) == ["index.html", "verdict.json"]


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    """No address is loaded: every script and style is in the page itself."""
    assert not re.search(r"<(script|img|iframe)\b[^>]*\bsrc=|<link\b[^>]*href=\"(?!data:)", page.split("<script", 1)[0])
    assert not re.search(r"<script\b[^>]*\bsrc=", page)
    assert "default-src &#39;none&#39;" in page


def test_the_verdict_comes_first_with_its_reasons() -> None:
    """Who opens the page sees go or no-go, and why, before anything else."""
    broken = SimulatedRehearsal(broken=("order-never-lost",))
    text = render_report(broken.verdict(), broken.evidence())
    verdict = text.index('class="verdict">NO-GO')
    reason = text.index("Invariant order-never-lost: 18 of 31,204 wrong, limit 0.")
    assert verdict < reason < text.index("The climb")


def test_whatever_a_plan_says_is_text() -> None:
    """Names and sentences of a plan cannot end a script or begin one."""
    verdict, evidence = REHEARSAL.verdict(), REHEARSAL.evidence()
    verdict.drills[0].proves = HOSTILE
    evidence.title = HOSTILE
    evidence.says = {invariant.name: HOSTILE for invariant in verdict.invariants}
    for step in verdict.steps:
        step.journeys[HOSTILE] = step.journeys["order"]
    verdict.drills[1].name = HOSTILE
    evidence.marks[-1].subject = evidence.marks[-1].kind = HOSTILE
    text = render_report(verdict, evidence)
    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_the_data_in_the_page_is_what_was_measured(page: str) -> None:
    """The charts are drawn from the run's own figures."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    points = json.loads(found[1])
    assert [at for at, *_ in points] == [round(sample.at, 2) for sample in REHEARSAL.samples]
    assert [errors for *_, errors in points] == [sample.errors for sample in REHEARSAL.samples]
    assert page.count("<svg") == 3 + len(REHEARSAL.verdict().drills)


def test_seed_and_command_to_repeat_the_run_are_there(page: str) -> None:
    """A figure that cannot be reproduced is an anecdote."""
    assert "tenfold rehearse plans/freshmart.yaml --seed 32570" in page
    assert "32570" in page


def test_a_run_of_a_part_of_the_drills_says_which_it_left_out() -> None:
    """With the verdict, and where the drills are read."""
    part = SimulatedRehearsal(left_out=("replica-stopped", "primary-cut"))
    text = render_report(part.verdict(), part.evidence())
    reason = text.index("Only a part of the plan was carried out.")
    assert text.index('class="verdict">NO-GO') < reason < text.index("The climb")
    assert "nothing is known about what they prove: replica-stopped, primary-cut." in text
    assert text.count('<details class="drill screen">') == 2


def test_a_run_that_measured_nothing_still_has_a_report() -> None:
    """A run that failed early is the one whose report is read."""
    verdict = msgspec.structs.replace(REHEARSAL.verdict(), steps=[], drills=[], invariants=[], verdict="no-go")
    evidence = msgspec.structs.replace(REHEARSAL.evidence(), samples=[], marks=[])
    assert "This run had no drill." in render_report(verdict, evidence)


def test_a_folder_that_takes_no_file_is_said_with_the_verdict(tmp_path: Path) -> None:
    """A full disk costs the page, not the finding."""
    (tmp_path / "run").write_text("a file stands where the folder should be")
    with pytest.raises(ReportUnwritableError, match="The verdict is go"):
        write_report(tmp_path / "run", REHEARSAL.verdict(), REHEARSAL.evidence())


def test_the_worst_no_go_is_a_small_page() -> None:
    """Fifteen minutes, fifteen drills, twelve journeys: at most a megabyte, and no library in it."""
    assert len(render_report(worst_verdict(wrong=2), worst_evidence()).encode()) <= 1_000_000


def test_the_step_in_sight_is_the_one_that_held() -> None:
    """Not the one that was sent."""
    text = render_report(worst_verdict(), worst_evidence())
    assert re.search(r'class="step"><b>5×</b> <span>highest step that held, of 10× sent', text)
    assert re.findall(r"<li class=\"(?:held|missed)\">(.*?) <b>(.*?)</b>", text) == [
        ("Money and stock", "11/11"),
        ("Load", "1/10"),
        ("Faults", "4/15"),
    ]
