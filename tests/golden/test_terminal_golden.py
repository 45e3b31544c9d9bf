"""What the terminal shows, held as text. `UPDATE_GOLDEN=1` writes it anew, and git shows what changed."""

import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console
from tests.simulated_rehearsal import END_S, SimulatedRehearsal

from tenfold.rehearse.view.lines import changes
from tenfold.rehearse.view.progress import RunProgress
from tenfold.rehearse.view.screen import draw, draw_verdict, sparkline
from tenfold.rehearse.view.terminal import LineView, ScreenView, terminal_view

GOLDEN = Path(__file__).parent / "terminal"
GOING = SimulatedRehearsal()
PART = SimulatedRehearsal(left_out=("cache-primary-killed", "primary-cut", "object-store-refusing"))
BROKEN = SimulatedRehearsal(broken=("order-never-lost",), missed=(10,))
MOMENTS = {"seeding": 6.0, "climbing": 63.0, "drilling": 117.0, "over": END_S}


def progress(at: float, rehearsal: SimulatedRehearsal = GOING) -> RunProgress:
    shown = rehearsal.progress(at)
    shown.console = "http://127.0.0.1:43121/"
    shown.report = "reports/latest/index.html" if shown.verdict else ""
    return shown


def printed(width: int, *parts: object) -> str:
    console = Console(file=io.StringIO(), width=width, height=24, color_system=None, force_terminal=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def held_as(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{name} changed; UPDATE_GOLDEN=1 accepts it"


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_view_is_as_it_was_agreed(moment: str) -> None:
    """Each kind of moment of a run, in 80 columns."""
    held_as(f"{moment}.txt", printed(80, draw(progress(MOMENTS[moment]), width=80, height=24)))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60)])
def test_the_view_fits_the_screen(moment: str, width: int, height: int) -> None:
    """Never a column too wide, and one row is left for the cursor."""
    lines = printed(width, draw(progress(MOMENTS[moment], BROKEN), width=width, height=height)).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < height


def test_a_taller_screen_shows_more_of_what_happened() -> None:
    """Room is used for messages."""
    low, high = (printed(80, draw(progress(117.0), width=80, height=height)) for height in (24, 40))
    assert high.count("Step ") > low.count("Step ")


def test_the_verdict_stays_with_its_reasons() -> None:
    """What is left on the screen after a no-go."""
    held_as("no-go.txt", printed(80, draw_verdict(progress(END_S, BROKEN))))


def followed(view: LineView, rehearsal: SimulatedRehearsal) -> None:
    with view:
        for quarter in range(int(END_S * 4) + 1):
            view.show(progress(quarter / 4, rehearsal))


def test_a_log_gets_one_line_for_each_change() -> None:
    """No control codes, nothing said twice, and the verdict last."""
    console = Console(file=io.StringIO(), width=120, color_system=None)
    followed(LineView(console), GOING)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    held_as("log.txt", "\n".join(line.rstrip() for line in text.splitlines()) + "\n")


def test_a_run_of_a_part_of_the_drills_says_so_all_along() -> None:
    """While it goes on, and last of all."""
    held_as("part-going.txt", printed(80, draw(progress(127.0, PART), width=80, height=24)))
    held_as("part.txt", printed(80, draw_verdict(progress(END_S, PART))))


def test_a_log_says_once_which_drills_are_left_out() -> None:
    """In one line, however many they are."""
    out = io.StringIO()
    with LineView(Console(file=out, width=80)) as view:
        for at in (0.0, 117.0, 127.0):
            view.show(progress(at, PART))
    assert [line for line in out.getvalue().splitlines() if "left out" in line or "primary-cut" in line] == [
        " 0:00  drills    left out: cache-primary-killed, primary-cut, object-store-refusing; this run cannot be GO"
    ]


def test_the_view_suits_where_it_is_shown() -> None:
    """A pipe gets lines, a terminal a picture."""
    assert isinstance(terminal_view(Console(file=io.StringIO())), LineView)
    assert isinstance(terminal_view(Console(file=io.StringIO(), force_terminal=True)), ScreenView)


def test_the_picture_is_replaced_by_the_verdict_when_the_run_is_over() -> None:
    """The live view leaves nothing half-drawn behind."""
    out = io.StringIO()
    with ScreenView(Console(file=out, force_terminal=True, width=80, height=24)) as view:
        view.show(progress(END_S))
    assert "GO" in out.getvalue().rsplit("\x1b[2K", 1)[-1]
    assert "Report: reports/latest/index.html" in out.getvalue()


def test_names_from_a_plan_are_text_and_never_markup() -> None:
    """Square brackets mean something to Rich; a plan's words do not."""
    shown = progress(63.0)
    shown.title = "[red]festival[/red] [bold"
    shown.messages = []
    assert "[red]festival[/red] [bold" in printed(80, draw(shown, width=80, height=24))


def test_the_sparkline_is_as_wide_as_its_room() -> None:
    """The newest samples, a character each; none where there is no room."""
    assert len(sparkline(GOING.samples, 12)) == 12
    assert sparkline(GOING.samples, 0) == sparkline(GOING.samples, -3) == sparkline([], 9) == ""


def test_a_fault_that_is_still_in_place_is_said_beside_its_drill() -> None:
    """On the screen, and in the line of a log with what is still in place."""
    lying = progress(END_S, SimulatedRehearsal(unreverted=("primary-cut",)))
    screen, log = printed(80, draw(lying, width=80, height=24)), {key: line for key, _, line in changes(lying)}
    assert re.search(r"✗ primary-cut +120 ms +in place", screen)
    assert "not reverted (database.primary does not answer), recovered after 900 ms" in log["drill primary-cut"]


def test_a_warning_of_the_machine_is_one_line_of_the_log() -> None:
    """It is said once, however long it stays in sight."""
    warned = progress(63.0)
    warned.warnings = ["The machine's speed: 0.60 of the reference."]
    out = io.StringIO()
    with LineView(Console(file=out, width=80)) as view:
        view.show(warned)
        view.show(warned)
    assert out.getvalue().count("warning   The machine's speed: 0.60 of the reference.") == 1


def test_a_run_that_the_machine_spoiled_says_by_whom() -> None:
    """The first sentence names the program, and the log that a step was repeated and why."""
    spoiled = SimulatedRehearsal(spoiled=(9, 10), repeated=(8,))
    held_as("inconclusive.txt", printed(80, draw_verdict(progress(END_S, spoiled))))
    console = Console(file=io.StringIO(), width=120, color_system=None)
    followed(LineView(console), spoiled)
    assert isinstance(console.file, io.StringIO)
    lines = [line[7:] for line in console.file.getvalue().splitlines() if line[7:].startswith("step      8×")]
    assert lines[1] == (
        "step      8× repeated, the machine was the limit: "
        "other programs used 48% of the 2 cores (stress (pid 4711) 48%)"
    )
    assert lines[2].startswith("step      8× held:")
