"""However `tenfold` ends, within five seconds nothing of it is left, and the next run starts clean."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.e2e.command import LEAVE_LIMIT_S, START_LIMIT_S, Command, assert_nothing_left, until
from tests.e2e.shop_plan import CACHE, DATABASE, KILL_CACHE, write_shop_plan

pytestmark = pytest.mark.engines

Start = Callable[..., Command]

MOMENTS = {
    "starting": ("console ", signal.SIGINT),
    "seeding": ("phase     seeding", signal.SIGTERM),
    "waiting for a service": ("phase     seeding", signal.SIGINT),
    "under load": ("step      1× running", signal.SIGTERM),
    "in a drill": ("cache-killed injected", signal.SIGINT),
    "in the audit": ("phase     audit", signal.SIGHUP),
}
"""What is printed then, and the signal that comes then."""


@pytest.fixture
def rehearse(tmp_path: Path) -> Iterator[Start]:
    """`rehearse(…)` starts a rehearsal of the smallest shop; the words are those of `write_shop_plan`."""
    begun: list[Command] = []

    def start(**words: object) -> Command:
        plan = write_shop_plan(tmp_path, **words)  # type: ignore[arg-type]
        begun.append(Command(tmp_path, "rehearse", "--plan", plan))
        return begun[-1]

    yield start
    for command in begun:
        command.end()


def plan_for(moment: str) -> dict[str, object]:
    """A plan in which that moment lasts long enough to be met."""
    if moment == "seeding":
        return {"servers": CACHE | DATABASE, "setup": ["sleep 60"]}
    if moment == "waiting for a service":
        return {"mode": "unready"}
    if moment == "under load":
        return {"hold": "60 s"}
    if moment == "in a drill":
        return {"servers": CACHE | DATABASE, "drills": {"cache-killed": KILL_CACHE}}
    return {"checked": "SELECT count(pg_sleep(60))"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_signal_ends_a_rehearsal_at_any_moment_and_leaves_nothing(rehearse: Start, moment: str) -> None:
    """Exit status 128 + signal, one sentence on stderr, and everything gone when the command is."""
    text, number = MOMENTS[moment]
    command = rehearse(**plan_for(moment))
    command.until_says(text)
    ended = command.signalled(number)
    assert ended.status == 128 + number
    assert ended.err == f"tenfold: Interrupted by {number.name}; everything that was started has been ended.\n"
    assert command.left() == []


def test_signal_before_anything_is_printed_is_answered_with_the_same_sentence(rehearse: Start) -> None:
    """Ctrl-C while modules are still read: nothing was started, and nobody wants a traceback."""
    command = rehearse()
    maps = Path(f"/proc/{command.process.pid}/maps")
    assert until(lambda: "msgspec" in maps.read_text(), START_LIMIT_S)
    ended = command.signalled(signal.SIGINT)
    assert (ended.status, ended.out) == (130, "")
    assert ended.err == "tenfold: Interrupted by SIGINT; everything that was started has been ended.\n"
    assert command.left() == []


def test_impatient_second_signal_does_not_stop_the_cleaning_up(rehearse: Start) -> None:
    """Ctrl-C, Ctrl-C, Ctrl-C, as people do."""
    command = rehearse(hold="60 s")
    command.until_says("1× running")
    for _ in range(3):
        command.process.send_signal(signal.SIGINT)
    assert command.signalled(signal.SIGINT).status == 130
    assert command.left() == []


@pytest.mark.parametrize("moment", ["seeding", "in a drill"])
def test_killed_rehearsal_leaves_nothing_within_five_seconds(rehearse: Start, moment: str) -> None:
    """SIGKILL of `tenfold` itself: no process, no data, no port, and the fault that was armed is settled."""
    command = rehearse(**plan_for(moment))
    command.until_says(MOMENTS[moment][0])
    command.process.kill()
    command.process.wait()
    assert_nothing_left(command)
    (run,) = command.runs
    if moment == "in a drill":
        newest = msgspec.json.decode(run.faults.read_bytes().splitlines()[-1])
        assert (newest["state"], newest["by"]) == ("reverted", "guard")
    assert rehearse().ended().status == 0


def test_next_run_clears_what_a_killed_one_and_its_killed_guard_left(rehearse: Start) -> None:
    """Nobody was left to clear up but the kernel; the data goes with the next run, and the fault is settled."""
    command = rehearse(**plan_for("in a drill"))
    command.until_says(MOMENTS["in a drill"][0])
    (run,) = command.runs
    (guard,) = [int(left.split()[1]) for left in command.left() if left.startswith("guard")]
    os.kill(guard, signal.SIGKILL)
    command.process.kill()
    command.process.wait()
    until(lambda: command.left() == [f"data {run.data}"], LEAVE_LIMIT_S)
    assert command.left() == [f"data {run.data}"]
    following = rehearse()
    assert following.ended().status == 0
    assert command.left() == following.left() == []
    assert list(run.state.glob("control.*")) == []
    newest = msgspec.json.decode(run.faults.read_bytes().splitlines()[-1])
    assert (newest["state"], newest["by"]) == ("reverted", "sweep")


def test_up_says_where_everything_serves_and_ends_with_zero(tmp_path: Path) -> None:
    """The console and each service by an address that a browser opens; Ctrl-C is how it is meant to end."""
    plan = write_shop_plan(tmp_path, servers=CACHE)
    command = Command(tmp_path, "up", "--plan", plan)
    try:
        command.until_says("phase     serving")
        command.until_says("console   http://127.0.0.1:")
        command.until_says("server    main.primary ready at 127.0.0.1:")
        command.until_says("service   api ready at http://127.0.0.1:")
        ended = command.signalled(signal.SIGINT)
    finally:
        command.end()
    assert (ended.status, ended.err) == (0, "")
    assert command.left() == []
    (run,) = command.runs
    assert list(run.state.glob("control.*")) == []
    assert (run.reports / "changes.jsonl").exists()
