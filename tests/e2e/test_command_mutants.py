"""A build that is wrong on purpose makes the real rehearsal of freshmart say no, and name what is broken."""

import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.e2e.command import Command

pytestmark = [pytest.mark.engines, pytest.mark.timeout(150)]

FRESHMART = Path(__file__).parents[2] / "plans" / "freshmart.yaml"
STEPS = {"warm_up": "1 s", "factors": [1, 4], "hold": "1 s", "peak_hold": "6 s"}
BASKETS = 30
"""So few that in seconds shelves sell out, as on the sale day: where nothing is declined, nothing can be oversold."""
CAUGHT_BY = {
    "oversell": "never-oversold",
    "lost-order": "acknowledged-orders-stored",
    "wrong-price": "charged-price-in-force",
}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """freshmart's own plan, short: the audit is whole, load and drills are what other runs are for."""
    content = yaml.safe_load(FRESHMART.read_text())
    with lzma.open(FRESHMART.parent / content["traffic"]["feed"], "rt") as feed:
        (tmp_path / "feed.jsonl").write_text("".join(islice(feed, BASKETS)))
    content["traffic"]["feed"] = "feed.jsonl"
    content["steps"] = STEPS
    del content["drills"]
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=10_000))
    return path


@pytest.fixture
def broken_by(plan: Path) -> Iterator[Any]:
    """`broken_by(mutant)` rehearses that build; answers exit status, reasons and the names of broken invariants."""
    begun: list[Command] = []

    def rehearse(mutant: str) -> tuple[int, str, set[str]]:
        begun.append(Command(plan.parent, "rehearse", "--plan", plan, environment={"FRESHMART_MUTANT": mutant}))
        ended = begun[-1].ended(120)
        assert ended.status in (0, 1) or "INCONCLUSIVE" in ended.out, ended
        assert begun[-1].left() == []
        verdict = msgspec.json.decode((plan.parent / "reports" / "latest" / "verdict.json").read_bytes())
        broken = {one["name"] for one in verdict["invariants"] if not one["held"]}
        return ended.status, "\n".join(verdict["reasons"]), broken

    yield rehearse
    for command in begun:
        command.end()


@pytest.mark.parametrize("mutant", CAUGHT_BY)
def test_wrong_build_is_no_go_and_its_invariant_is_named(broken_by: Any, mutant: str) -> None:
    """Status 1, and the reason says which promise to customers was broken."""
    status, reasons, broken = broken_by(mutant)
    assert status == 1
    assert CAUGHT_BY[mutant] in broken
    assert CAUGHT_BY[mutant] in reasons


def test_right_build_breaks_no_invariant(broken_by: Any) -> None:
    """By the very same plan: what the mutants are caught by is not the load. (A step may miss its SLO on a busy
    machine; that is another matter.)"""
    _, _, broken = broken_by("")
    assert broken == set()
