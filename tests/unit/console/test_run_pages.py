"""Past runs in the console."""

from pathlib import Path

import pytest
from tests.asgi_client import AsgiClient
from tests.past_runs import NEWER, OLDER, leave_run
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold.console import Publisher, console_app
from tenfold.console.runs.reader import reader_app
from tenfold.rehearse.past import RunArchive

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def archive(tmp_path: Path) -> RunArchive:
    sound = SimulatedRehearsal().verdict()
    sound.plan = HOSTILE
    leave_run(tmp_path, OLDER, sound, page="<p>GO</p>")
    leave_run(tmp_path, NEWER, worst_verdict(), page="<p>NO-GO</p>")
    return RunArchive(tmp_path)


@pytest.fixture(params=["console", "reader"])
def client(request: pytest.FixtureRequest, archive: RunArchive) -> AsgiClient:
    """The pages are the same with a run and without one."""
    app = console_app(Publisher(), archive=archive) if request.param == "console" else reader_app(archive)
    return AsgiClient(app, "127.0.0.1:8000")


def test_past_runs_are_listed_with_what_each_found(client: AsgiClient) -> None:
    """The newest first; whatever a plan says is text."""
    page = client.get("/runs").text
    assert page.index(NEWER) < page.index(OLDER)
    assert "NO-GO" in page
    assert "625 ms at 10×" in page
    assert HOSTILE not in page


def test_one_run_is_its_own_report_in_a_sandbox(client: AsgiClient) -> None:
    """A link to share; the page on disk is not the console's and cannot act as it."""
    answer = client.get(f"/runs/{OLDER}")
    assert answer.text == "<p>GO</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")


def test_two_runs_are_compared(client: AsgiClient) -> None:
    """What differs is marked by a sign."""
    page = client.get(f"/runs/compare?a={OLDER}&b={NEWER}").text
    assert "≠ highest step held" in page
    assert page.index("10×") < page.index("5×")


def test_the_steps_are_a_spreadsheet(client: AsgiClient) -> None:
    """With the run's name as the file's."""
    answer = client.get(f"/runs/{NEWER}/steps.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{NEWER}.csv"'
    assert len(answer.text.splitlines()) == 121


@pytest.mark.parametrize("path", ["nobody", "..%2f..%2fetc", "%2e%2e", f"{NEWER}%2f..", "compare?a=x&b=y", "compare"])
def test_a_run_that_is_not_there_is_said_in_words(client: AsgiClient, path: str) -> None:
    """And no folder elsewhere is read."""
    assert client.get(f"/runs/{path}").status == 404
    assert client.get(f"/runs/{path}/steps.csv").status == 404


def test_before_the_first_run_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    """No error."""
    answer = AsgiClient(reader_app(RunArchive(tmp_path / "none")), "127.0.0.1:8000").get("/runs")
    assert answer.status == 200
    assert "tenfold rehearse" in answer.text
