"""What a rehearsal leaves for people and for machines: lines, JSON, reports; again and again, and side by side."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import jsonschema
import msgspec
import pytest
from tests.e2e.command import TENFOLD, Command, Ended
from tests.e2e.shop_plan import CACHE, DATABASE, KILL_CACHE, write_shop_plan

pytestmark = pytest.mark.engines

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "verdict.schema.json"
Run = Callable[..., Command]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where people keep things: a path with spaces and more than ASCII."""
    folder = tmp_path / "sale day №1"
    folder.mkdir()
    return folder


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    """`run("--json")` starts a rehearsal of the folder's plan."""
    begun: list[Command] = []

    def start(*words: str, program: tuple[str, ...] = TENFOLD) -> Command:
        begun.append(Command(folder, "rehearse", "--plan", "plan.yaml", *words, program=program))
        return begun[-1]

    yield start
    for command in begun:
        command.end()


def verdict_of(command: Command) -> bytes:
    return (command.runs[-1].reports / "verdict.json").read_bytes()


def assert_went(command: Command) -> Ended:
    ended = command.ended()
    assert ended.status == 0, ended
    assert command.left() == []
    return ended


def test_json_on_stdout_is_the_verdict_and_nothing_else(run: Run, folder: Path) -> None:
    """Byte for byte verdict.json, by its schema; progress is on stderr."""
    write_shop_plan(folder)
    command = run("--json", "--seed", "7")
    ended = assert_went(command)
    assert ended.out.encode() == verdict_of(command)
    verdict = msgspec.json.decode(ended.out)
    jsonschema.validate(verdict, msgspec.json.decode(SCHEMA.read_bytes()))
    assert (verdict["verdict"], verdict["plan"], verdict["run_id"]) == ("go", "shop", command.runs[0].id)
    assert "step      1× held" in ended.err


def test_plain_output_twice_in_a_row_and_latest_points_to_the_newest(run: Run, folder: Path) -> None:
    """No control code where there is no terminal; the second run is as clean as the first."""
    write_shop_plan(folder, servers=DATABASE | CACHE)
    latest = folder / "reports" / "latest"
    for number in (1, 2):
        command = run()
        ended = assert_went(command)
        assert not set(map(chr, range(32))) - {"\n"} & set(ended.out + ended.err)
        assert ended.err == ""
        assert "GO" in ended.out
        assert len(command.runs) == number
        assert latest.readlink() == Path(command.runs[-1].id)
        assert f"Report: {command.runs[-1].reports / 'index.html'}" in ended.out.replace("\n", "")
        assert "<html" in (latest / "index.html").read_text()


def test_broken_invariant_is_no_go_with_status_one(run: Run, folder: Path) -> None:
    """The lines, the JSON and the status say the same."""
    write_shop_plan(folder, violations="SELECT 3")
    command = run()
    ended = command.ended()
    assert ended.status == 1
    assert "invariant one-is-one broken: 3 violations in 1 checked" in ended.out
    verdict = msgspec.json.decode(verdict_of(command))
    assert verdict["verdict"] == "no-go"
    assert "one-is-one" in "".join(verdict["reasons"])
    assert command.left() == []


@pytest.mark.parametrize("wanted", ["none", "brief"])
def test_run_of_a_part_of_its_drills_is_no_go(run: Run, folder: Path, wanted: str) -> None:
    """By status, lines and JSON; it is over long before a fault that was left out would have been undone."""
    drills = {"long": KILL_CACHE, "brief": {**KILL_CACHE, "hold": "500 ms"}}
    write_shop_plan(folder, servers=DATABASE | CACHE, drills=drills)
    command = run("--drills", wanted)
    ended = command.ended()
    assert ended.status == 1
    assert "drills    left out: long" in ended.out
    verdict = msgspec.json.decode(verdict_of(command))
    assert verdict["verdict"] == "no-go"
    assert [drill["name"] for drill in verdict["drills"]] == [name for name in drills if name == wanted]
    assert "Only a part of the plan was carried out." in verdict["reasons"][0]
    assert command.left() == []


def test_two_rehearsals_at_once_do_not_disturb_each_other(run: Run, folder: Path) -> None:
    """Same folder, same plan: other ports, other data, two verdicts; `latest` is one of them, whole."""
    write_shop_plan(folder)
    commands = [run("--json"), run("--json")]
    ended = [command.ended() for command in commands]
    assert [one.status for one in ended] == [0, 0], ended
    ids = {msgspec.json.decode(one.out)["run_id"] for one in ended}
    assert ids == {one.id for one in commands[0].runs}
    assert str((folder / "reports" / "latest").readlink()) in ids
    assert [command.left() for command in commands] == [[], []]
    assert not list((folder / "reports").glob(".latest*"))


def test_reader_that_goes_away_does_not_end_the_run(folder: Path) -> None:
    """`tenfold rehearse | head -1` has its report and its verdict all the same."""
    write_shop_plan(folder)
    words = [*TENFOLD, "rehearse", "--plan", "plan.yaml"]
    shell = ("bash", "-c", '"$@" | head -n 1; exit "${PIPESTATUS[0]}"', "bash")
    command = Command(folder, *words, program=shell)
    try:
        ended = assert_went(command)
    finally:
        command.end()
    assert (ended.out.count("\n"), ended.err) == (1, "")
    assert msgspec.json.decode(verdict_of(command))["verdict"] == "go"


def test_console_stays_on_the_report_when_asked_to(run: Run, folder: Path) -> None:
    """Servers and services are gone; the report and past runs are served; the signal takes no word back."""
    write_shop_plan(folder)
    command = run("--stay")
    command.until_says("Ctrl-C ends it")
    address = re.search(r"http://127\.0\.0\.1:\d+/report\b", command.said)
    assert address is not None
    assert command.left() == [f"port {address[0].split(':')[2].split('/')[0]}"]
    with urlopen(address[0], timeout=5) as answer:
        assert b'class="verdict">GO' in answer.read()
    with urlopen(address[0].replace("/report", "/runs"), timeout=5) as answer:
        assert command.runs[-1].id.encode() in answer.read()
    ended = command.signalled(signal.SIGINT)
    assert (ended.status, command.left()) == (0, [])
