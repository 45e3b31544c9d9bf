"""A shield as a drill throws it, and faults one after the other."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tenfold.channel import Change
from tenfold.kernel import SystemClock
from tenfold.plan.model import Fault, FaultKind
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


class Struck:
    def __init__(self, name: str, said: list[str]) -> None:
        self.name = name
        self._said = said

    async def kill(self) -> None:
        self._said.append(f"kill {self.name}")

    async def start(self) -> None:
        self._said.append(f"start {self.name}")


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
    shield = Faults("d", Fault(FaultKind.SHIELD, ("reviews",)), [FeatureShield("reviews", lambda: node)], journal)
    kill = Faults("d", Fault(FaultKind.KILL, ("control",)), [Struck("control", node.said)], journal)

    async def carry_out() -> None:
        both = Successive([shield, kill])
        await both.inject()
        await both.revert()

    asyncio.run(carry_out())
    assert node.said == ["set reviews to False", "kill control", "start control", "undo 1 of reviews"]
    assert (tmp_path / "faults.jsonl").read_text().count("reverted") == 2
