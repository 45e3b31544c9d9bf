"""Bad input and a bad machine: one clear message on stderr, exit status 2, nothing left behind."""

import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.command import START_LIMIT_S, TENFOLD, Command, Ended, until
from tests.e2e.shop_plan import CACHE, DATABASE, KILL_CACHE, write_shop_plan

pytestmark = pytest.mark.engines

FRESHMART = Path(__file__).parents[2] / "plans" / "freshmart.yaml"
Run = Callable[..., Command]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """`run("rehearse", …)` starts the command in an empty folder."""
    begun: list[Command] = []

    def start(*words: str | Path, program: tuple[str, ...] = TENFOLD, **environment: str) -> Command:
        begun.append(Command(tmp_path, *words, program=program, environment=environment))
        return begun[-1]

    yield start
    for command in begun:
        command.end()


def altered(*lines: str) -> tuple[str, ...]:
    """The command with something of the machine or of its patience made otherwise first."""
    return (sys.executable, "-c", "\n".join([*lines, "import sys", "from tenfold.cli import main", "sys.exit(main())"]))


def assert_refused(command: Command, *words: str) -> Ended:
    """Status 2, one message that says all of `words` and holds no traceback, and nothing left."""
    ended = command.ended()
    assert ended.status == 2, ended
    assert ended.err.startswith("tenfold: ")
    assert ended.err.count("tenfold: ") == 1
    assert "Traceback" not in ended.err
    assert [word for word in words if word not in ended.err] == [], ended.err
    assert command.left() == []
    return ended


def test_broken_plan_is_answered_with_line_and_what_may_stand_there(run: Run, tmp_path: Path) -> None:
    """An unknown key and a wrong unit in one go; `check` says the same; nothing was laid."""
    plan = write_shop_plan(tmp_path)
    plan.write_text(
        plan.read_text().replace("timeout: 2 s", "timeout: 2 parsecs").replace("title: Shop", "tilte: Shop")
    )
    for verb in (["rehearse", "--plan"], ["up", "--plan"], ["check"]):
        assert_refused(run(*verb, plan), "plan.yaml:", "'2 parsecs'", "'tilte'", "did you mean 'title'?", "problems in")
    assert not (tmp_path / "reports").exists()
    assert not (tmp_path / ".tenfold").exists()


def test_missing_plan_is_named(run: Run) -> None:
    """As it was typed."""
    assert_refused(run("rehearse", "--plan", "plans/nowhere.yaml"), "plans/nowhere.yaml", "No such file")


def test_taken_console_port_is_named(run: Run, tmp_path: Path) -> None:
    """Before any server is started."""
    plan = write_shop_plan(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = run("rehearse", "--plan", plan, "--port", str(port))
        assert_refused(command, f"The console's port {port} is taken by another program", "Choose another port")


def test_unknown_mutant_is_answered_with_those_there_are(run: Run) -> None:
    """A misspelt mutant must not rehearse the right build and call it a proof."""
    command = run("rehearse", "--plan", FRESHMART, FRESHMART_MUTANT="overselll")
    assert_refused(command, "FRESHMART_MUTANT='overselll' is no mutant", "oversell, lost-order, wrong-price")
    assert not command.runs


def test_unknown_drill_is_answered_with_those_there_are(run: Run) -> None:
    """A misspelt drill must not become a run without any."""
    command = run("rehearse", "--plan", FRESHMART, "--drills", "payment-slo")
    assert_refused(command, "has no drill 'payment-slo'", "payment-slow, payment-flapping", "nothing was started")
    assert not command.runs


def test_mutant_is_refused_outside_a_rehearsal(run: Run) -> None:
    """`tenfold up` serves people."""
    command = run("up", "--plan", FRESHMART, FRESHMART_MUTANT="oversell")
    assert_refused(command, "A mutant runs in a rehearsal only", "Unset FRESHMART_MUTANT")
    assert not command.runs


def test_engine_that_will_not_start_says_why(run: Run, tmp_path: Path) -> None:
    """The last lines of its log stand in the message; the engine that did start is gone."""
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho 'libssl.so.9: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)
    plan = write_shop_plan(tmp_path, servers=CACHE | DATABASE)
    program = altered(
        "from pathlib import Path",
        "from tenfold.fleet import binaries",
        f"binaries.valkey = lambda: Path({str(broken)!r})",
    )
    command = run("rehearse", "--plan", plan, program=program)
    assert_refused(command, "Cache primary 'main.primary' ended with status 127", "libssl.so.9", "main.primary.log")


def test_disk_without_room_is_known_before_anything_starts(run: Run, tmp_path: Path) -> None:
    """Free and needed space are said."""
    plan = write_shop_plan(tmp_path)
    program = altered("from tenfold.fleet import estate", "estate.FREE_BYTES_NEEDED = 10**18")
    assert_refused(run("rehearse", "--plan", plan, program=program), "MB free and the servers need", "Free some space")


def test_disk_that_refuses_a_server_says_what_the_server_said(run: Run, tmp_path: Path) -> None:
    """The kernel lets no process of the run write a file of more than a megabyte."""
    plan = write_shop_plan(tmp_path)
    limited = ("sh", "-c", 'ulimit -f 2000; exec "$@"', "sh", *TENFOLD)
    command = run("rehearse", "--plan", plan, program=limited)
    assert_refused(command, "Command 'database.primary-initdb'", "ended with status 1", "File too large")


@pytest.mark.parametrize("blocked", ["reports", ".tenfold"])
def test_folder_that_takes_no_run_is_named(run: Run, tmp_path: Path, blocked: str) -> None:
    """A file lies where a folder must; root too is refused then, whom no permission stops."""
    plan = write_shop_plan(tmp_path)
    (tmp_path / blocked).write_text("")
    assert_refused(run("rehearse", "--plan", plan), "cannot be written", str(tmp_path / blocked), "nothing was started")


def test_report_that_cannot_be_written_is_no_verdict(run: Run, tmp_path: Path) -> None:
    """Something took the page's place while the run was on: status 2, though all went well."""
    command = run("rehearse", "--plan", write_shop_plan(tmp_path))
    command.until_says("1× running")
    (command.runs[0].reports / "index.html").mkdir()
    assert_refused(command, "The report cannot be written", "Is a directory", "The verdict is go")


def test_folder_in_the_place_of_latest_is_named(run: Run, tmp_path: Path) -> None:
    """It is not ours to remove; the report is where the message says."""
    (tmp_path / "reports" / "latest" / "mine").mkdir(parents=True)
    command = run("rehearse", "--plan", write_shop_plan(tmp_path))
    refused = assert_refused(command, "reports/latest' cannot be pointed")
    assert str(command.runs[0].reports) in refused.err
    assert (command.runs[0].reports / "index.html").is_file()
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [command.runs[0].id, "latest"]


def test_setup_command_that_fails_is_quoted(run: Run, tmp_path: Path) -> None:
    """Status, log and last words."""
    failing = shlex.join(["python", "-c", "import sys; sys.exit('the stock file is empty')"])
    command = run("rehearse", "--plan", write_shop_plan(tmp_path, setup=["true", failing]))
    assert_refused(command, "Command 'setup-2'", "ended with status 1", "the stock file is empty", "setup-2.log")


def test_setup_command_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    """As the plan wrote it."""
    command = run("rehearse", "--plan", write_shop_plan(tmp_path, setup=["no-such-program --at-all"]))
    assert_refused(command, "Command 'setup-1' cannot be started", "It is 'no-such-program'")


def test_service_that_ends_at_its_start_is_quoted(run: Run, tmp_path: Path) -> None:
    """No waiting for a service that is gone."""
    command = run("rehearse", "--plan", write_shop_plan(tmp_path, mode="stillborn"))
    assert_refused(command, "Service 'api' ended with status 1 at its start", "the shop's stock file is missing")


def test_service_that_never_gets_ready_is_given_up(run: Run, tmp_path: Path) -> None:
    """It runs and answers 503; the patience is shortened here, its bound is the same."""
    program = altered("from tenfold.fleet.service import Service", "Service.ready_limit_s = 1.0")
    command = run("rehearse", "--plan", write_shop_plan(tmp_path, mode="unready", servers={}), program=program)
    assert_refused(command, "Service 'api' did not answer within 1 s", "api.log")


@pytest.mark.parametrize("moment", ["1× running", "cache-killed injected"])
def test_driver_that_dies_ends_the_run(run: Run, tmp_path: Path, moment: str) -> None:
    """In a drill too, where load and fault run side by side."""
    hold = "60 s" if moment == "1× running" else "500 ms"
    drills = {"cache-killed": KILL_CACHE}
    plan = write_shop_plan(tmp_path, servers=CACHE | DATABASE, drills=drills, hold=hold)
    command = run("rehearse", "--plan", plan)
    command.until_says(moment)
    command.kill_member("tenfold.rehearse.load.driver")
    assert_refused(command, "The load driver (pid", "exit status -9) ended")


def test_database_that_dies_while_a_setup_command_runs_is_named(run: Run, tmp_path: Path) -> None:
    """At once, and not when the setup command has had enough."""
    command = run("rehearse", "--plan", write_shop_plan(tmp_path, servers=CACHE | DATABASE, setup=["sleep 60"]))
    assert until(lambda: bool(command.members("sleep 60")), START_LIMIT_S)
    command.kill_member("valkey-server")
    assert_refused(command, "Process 'main.primary' ended with status -9", "main.primary.log")
