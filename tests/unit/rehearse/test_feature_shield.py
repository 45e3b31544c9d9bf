"""A shield as a drill throws it, and faults one after the other."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tenfold.channel import Change
from tenfold.fleet import FAULTS, Injection
from tenfold.kernel import SystemClock
from tenfold.protect.live.switches import Rule
from tenfold.rehearse import FaultJournal, FeatureShield, ShieldRefused
from tenfold.rehearse.fault import Faults, Successive


class Node:
    """A control node's operator that remembers, and may forget."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.conflicts = False

    def draft_set(self, name: str, rule: Rule) -> Any:
        return f"set {name} to {rule.value}"

    def draft_undo(self, name: str, change: int | None = None) -> Any:
        return f"undo {change} of {name}"

    def put(self, draft: Any, *, reason: str, confirmed: bool = False) -> Any:
        self.said.append(draft)
        return None if self.conflicts else Change(epoch=len(self.said), topic="switches", key="reviews")

    def views(self) -> list[Any]:
        """Shielded for as long as a `set` was not undone."""
        shielded = any("set" in said for said in self.said) and not any("undo" in said for said in self.said)
        rules = [Rule(value=False, owner="rehearsal")] if shielded else []
        return [SimpleNamespace(name="reviews", rules=rules)]


class Killed(Injection[Any]):
    """A fault that only says what is done; `left` is what it finds afterwards."""

    kind = FAULTS["kill"].kind
    undone_by = "start"
    left = ""

    async def inject(self) -> None:
        self.struck.said.append(f"kill {self.struck.name}")

    async def revert(self) -> None:
        self.struck.said.append(f"start {self.struck.name}")

    async def remains(self) -> str:
        return self.left


class Process:
    def __init__(self, name: str, said: list[str]) -> None:
        self.name = name
        self.said = said


def test_a_shield_is_taken_off_by_undoing_the_very_change_that_threw_it() -> None:
    """So a node that forgot it would say no, and the drill would fail. Twice is once."""
    node = Node()
    shield = FeatureShield("reviews", lambda: node)

    async def throw() -> None:
        await shield.unshield()
        await shield.shield()
        await shield.unshield()
        await shield.unshield()

    asyncio.run(throw())
    assert node.said == ["set reviews to False", "undo 1 of reviews"]


def test_a_shield_that_somebody_else_was_faster_to_change_is_said_to_be_refused() -> None:
    node = Node()
    node.conflicts = True
    with pytest.raises(ShieldRefused, match="reviews"):
        asyncio.run(FeatureShield("reviews", lambda: node).shield())


def test_what_was_done_last_is_undone_first(tmp_path: Path) -> None:
    """A change through the control node is undone when the node is back; all of it is in the journal."""
    node = Node()
    journal = FaultJournal(tmp_path / "faults.jsonl", SystemClock())
    shield = Faults("d", [FAULTS["shield"](FeatureShield("reviews", lambda: node))], journal)
    kill = Faults("d", [Killed(Process("control", node.said))], journal)

    async def carry_out() -> list[str]:
        both = Successive([shield, kill])
        await both.inject()
        await both.revert()
        return await both.remains()

    assert asyncio.run(carry_out()) == []
    assert node.said == ["set reviews to False", "kill control", "start control", "undo 1 of reviews"]
    assert (tmp_path / "faults.jsonl").read_text().count("reverted") == 2


def test_a_fault_that_is_still_in_place_is_not_written_down_as_reverted(tmp_path: Path) -> None:
    """The journal of a run that dies now must leave it armed."""
    journal = FaultJournal(tmp_path / "faults.jsonl", SystemClock())
    fault = Killed(Process("control", []))
    fault.left = "control does not run"

    async def carry_out() -> list[str]:
        faults = Faults("d", [fault], journal)
        await faults.inject()
        await faults.revert()
        return await faults.remains()

    assert asyncio.run(carry_out()) == ["control does not run"]
    assert "reverted" not in (tmp_path / "faults.jsonl").read_text()


def test_a_shield_that_stands_is_found() -> None:
    """A shield whose undoing only says that it is undone is still in place."""
    node = Node()
    shield = FAULTS["shield"](FeatureShield("reviews", lambda: node))

    async def look() -> tuple[str, str]:
        await shield.inject()
        before = await shield.remains()
        await shield.revert()
        return before, await shield.remains()

    assert asyncio.run(look()) == ("feature reviews is still shielded", "")
