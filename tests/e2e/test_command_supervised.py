"""A service that crashes is started again, and everybody is told; in a rehearsal that is a finding."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.e2e.command import Command, until
from tests.e2e.shop_plan import write_shop_plan

from tenfold.rehearse import Verdict

pytestmark = pytest.mark.engines

Start = Callable[..., Command]
SERVICE = "shop_service.py"
CRASH = signal.SIGSEGV


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("up", mode="brief")` starts a command; the rest is for `write_shop_plan`."""
    begun: list[Command] = []

    def begin(word: str, **stated: Any) -> Command:
        begun.append(Command(tmp_path, word, "--plan", write_shop_plan(tmp_path, **stated)))
        return begun[-1]

    yield begin
    for command in begun:
        command.end()


def events_of(command: Command) -> list[dict[str, Any]]:
    lines = (command.runs[-1].events / "tenfold.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


def verdict_of(command: Command) -> Verdict:
    return msgspec.json.decode((command.runs[-1].reports / "verdict.json").read_bytes(), type=Verdict)


def test_up_starts_a_crashed_service_again(start: Start) -> None:
    """At the same address, by another process; it is an event, and the run goes on until Ctrl-C."""
    command = start("up", servers={})
    command.until_says("phase     serving")
    crashed = command.kill_member(SERVICE, CRASH)
    command.until_says("restarted 1×")
    (running,) = command.members(SERVICE)
    assert running != crashed
    told = {event["kind"]: event for event in events_of(command) if event["subject"] == "api"}
    assert told["child-exited"]["detail"]["status"] == -CRASH
    assert told["service-restarted"]["detail"]["restarts"] == 1
    ended = command.signalled(signal.SIGINT)
    assert (ended.status, ended.err, command.left()) == (0, "", [])


def test_up_gives_up_a_service_that_crashes_again_and_again(start: Start) -> None:
    """Which, how often, with which status, where its log is; and nothing is left."""
    command = start("up", servers={}, mode="brief")
    ended = command.ended()
    assert ended.status == 2
    assert "Service 'api' crashed (status 70) after 5 restarts within 60 s" in ended.err
    assert "api.log" in ended.err
    assert command.left() == []


def test_crash_in_a_rehearsal_is_a_finding(start: Start) -> None:
    """It is started again, and the verdict is NO-GO by name, whatever held."""
    command = start("rehearse", hold="1 s")
    command.until_says("step      1× running")
    command.kill_member(SERVICE, CRASH)
    assert until(lambda: bool(command.members(SERVICE)), 5.0)
    ended = command.ended()
    verdict = verdict_of(command)
    assert (ended.status, verdict.verdict) == (1, "no-go")
    assert "Service 'api' crashed (status -11) at 1×." in verdict.reasons
    assert [(crash.service, crash.status, crash.at) for crash in verdict.crashes] == [("api", -11, "1×")]
    assert command.left() == []


def test_service_that_crashes_again_and_again_has_its_verdict(start: Start) -> None:
    """It dies of its tenth item, each time: that is no reason to end without a word."""
    command = start("rehearse", servers={}, mode="mortal")
    ended = command.ended()
    verdict = verdict_of(command)
    assert (ended.status, verdict.verdict) == (1, "no-go")
    assert any("crashed (status 70)" in reason for reason in verdict.reasons)
    assert command.left() == []
