"""The words of `tenfold switch` that change something, at a control node in memory."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.memory_control import MemoryControl

from tenfold import cli
from tenfold.channel import Change
from tenfold.commands.switch import caller, changes
from tenfold.kernel import VirtualClock
from tenfold.protect.live.switches import Declaration, Rule
from tenfold.respond.control import Conflict, ControlUnreachableError
from tenfold.respond.control.client import ControlFailedError
from tenfold.respond.control.ledger import Ack
from tenfold.respond.control.store import Chain
from tenfold.respond.switchboard import SwitchOperator

LOST = ControlUnreachableError("The control node does not answer.", remedy="Start it again.")
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "throw-a-switch.md"
WHY = ("--reason", "slow", "--owner", "ann")

Switch = Callable[..., int]


class MortalControl(MemoryControl):
    """A control node that makes a change and raises `dying` at the next question of that name."""

    dies_at = ""
    dying: Exception = LOST
    made = False

    def put(self, topic: str, key: str, value: Any, **said: Any) -> Change | Conflict:
        outcome = super().put(topic, key, value, **said)
        self.made = True
        return outcome

    def chain(self, after: int, *, limit: int = 1000) -> Chain:
        self._die("chain")
        return super().chain(after, limit=limit)

    def acks(self, epoch: int) -> list[Ack]:
        self._die("acks")
        return super().acks(epoch)

    def _die(self, question: str) -> None:
        if self.made and self.dies_at == question:
            raise self.dying


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def control(clock: VirtualClock) -> MortalControl:
    control = MortalControl(clock)
    control.declare(Declaration(name="reviews", kind="boolean", default=True, tier="P3"))
    return control


@pytest.fixture
def switch(control: MortalControl, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Switch:
    """`tenfold switch WORD reviews …`."""
    monkeypatch.setenv("TENFOLD_CONTROL_TOKEN", "secret")
    monkeypatch.setattr(caller, "ControlClient", lambda url, token: control)
    monkeypatch.setattr(caller, "SwitchOperator", partial(SwitchOperator, clock=clock))
    monkeypatch.setattr(changes, "now_ms", lambda: clock.wall_ns() // 1_000_000)
    return lambda word, *said: cli.main(["switch", word, "--control", "http://127.0.0.1:9", "reviews", *said])


def rules(control: MortalControl) -> tuple[Rule, ...]:
    return SwitchOperator(control, by="x").view("reviews").rules  # type: ignore[arg-type]


@pytest.mark.parametrize("noun", ["store", "service", "instance"])
@pytest.mark.parametrize("empty", ["", " ", ","])
@pytest.mark.parametrize("word", ["set", "unset"])
def test_a_scope_that_names_nobody_is_not_everybody(
    switch: Switch, control: MortalControl, capsys: pytest.CaptureFixture[str], word: str, noun: str, empty: str
) -> None:
    """A variable of the shell may be empty; nobody means every store by it."""
    assert switch("set", "off", "--confirm", *WHY) == 0
    capsys.readouterr()
    value = ("on",) if word == "set" else ()
    assert switch(word, *value, "--store", "7", f"--{noun}", empty, "--confirm", *WHY) == 2
    assert capsys.readouterr().err == (
        f"tenfold: --{noun} names no {noun}, and without one it would be about every {noun}; nothing was changed. "
        f"Name one (is a variable of your shell empty?), or leave --{noun} out if you mean every {noun}.\n"
    )
    assert [(rule.value, rule.scoped) for rule in rules(control)] == [(False, False)]


@pytest.mark.parametrize(("end", "what"), [("--ttl", "no length of time"), ("--until", "no moment")])
def test_an_end_that_says_nothing_is_not_for_ever(
    switch: Switch, control: MortalControl, capsys: pytest.CaptureFixture[str], end: str, what: str
) -> None:
    """The same variable, unset."""
    assert switch("set", "off", end, "", "--confirm", *WHY) == 2
    assert what in capsys.readouterr().err
    assert rules(control) == ()


def test_it_is_said_when_a_setting_ends_before_and_after_it_is_made(
    switch: Switch, capsys: pytest.CaptureFixture[str]
) -> None:
    """02:00, typed at 02:05, is nearly a day away."""
    for asked in (("--dry-run",), ("--confirm",)):
        assert switch("set", "off", "--ttl", "1435m", *asked, *WHY) == 0
        assert "  sets: off for everybody, for 23 h 55 min, until " in capsys.readouterr().out
    assert switch("set", "off", "--store", "7", "--confirm", *WHY) == 0
    assert "  sets: off for store 7, until somebody changes it\n" in capsys.readouterr().out


def test_every_setting_that_goes_is_named(switch: Switch, capsys: pytest.CaptureFixture[str]) -> None:
    """To take back what holds for everybody takes the percentage along."""
    assert switch("set", "off", "--confirm", *WHY) == 0
    assert switch("set", "on", "--percent", "10", "--confirm", "--reason", "pilot", "--owner", "ben") == 0
    capsys.readouterr()
    assert switch("unset", "--confirm", *WHY) == 0
    gone = [line for line in capsys.readouterr().out.splitlines() if "takes away" in line]
    assert gone == [
        "  takes away: off for everybody, until somebody changes it; ann: slow",
        "  takes away: on for 10 % of subjects, until somebody changes it; ben: pilot",
    ]


def test_the_page_for_the_night_shows_what_is_said(switch: Switch, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, whatever the figures."""
    assert switch("set", "off", "--ttl", "30m", "--confirm", *WHY) == 0
    said = capsys.readouterr().out.splitlines()
    shown = PAGE.read_text().splitlines()
    for beginning in (
        r"  sets: off for everybody, for 30 min, until \S+ \S+$",
        r"Done, epoch \d+:[0-9a-f]{16}; in force in",
    ):
        for lines in (said, shown):
            assert any(re.match(beginning, line) for line in lines), beginning


@pytest.mark.parametrize("dies_at", ["chain", "acks"])
@pytest.mark.parametrize("dying", [LOST, ControlFailedError("It answered 503: it ends.")])
def test_a_change_that_was_made_is_done_though_the_node_dies_then(
    switch: Switch, control: MortalControl, capsys: pytest.CaptureFixture[str], dies_at: str, dying: Exception
) -> None:
    """Its epoch was answered, so that it is durable; whoever reads "does not answer" would make it a second time."""
    control.dying, control.dies_at = dying, dies_at
    assert switch("set", "off", "--confirm", *WHY) == 0
    done = capsys.readouterr().out.splitlines()[-1]
    assert done.startswith("Done, epoch 2")
    assert "who has it in force cannot be told now" in done
    assert "`tenfold switch show reviews` says it once the control node answers again." in done
    assert switch("set", "on", "--confirm", "--json", *WHY) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["change"]["epoch"], said["following"]) == (3, None)
