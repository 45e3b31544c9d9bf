"""Which build runs: a wrong one only in a rehearsal, and only one that the plan knows."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenfold.bootstrap import MutantRefused, up
from tenfold.bootstrap.mutant import mutant_of
from tenfold.fleet import FAULT_KINDS
from tenfold.plan import read_plan

PLAN_PATH = Path(__file__).parents[3] / "plans" / "freshmart.yaml"
PLAN = read_plan(PLAN_PATH, FAULT_KINDS)


@pytest.mark.parametrize("name", ["oversell", "lost-order", "wrong-price"])
def test_mutant_of_the_plan_is_taken(name: str) -> None:
    """By the variable that the plan names."""
    assert mutant_of(PLAN, {"FRESHMART_MUTANT": name}) == name


def test_right_build_runs_when_no_mutant_is_named() -> None:
    """Unset and empty are the same; a plan without mutants knows no variable."""
    assert mutant_of(PLAN, {}) is None
    assert mutant_of(PLAN, {"FRESHMART_MUTANT": ""}) is None
    assert mutant_of(replace(PLAN, mutants=None), {"FRESHMART_MUTANT": "oversell"}) is None


def test_unknown_mutant_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(MutantRefused, match="oversell, lost-order, wrong-price"):
        mutant_of(PLAN, {"FRESHMART_MUTANT": "oversel"})


def test_up_refuses_a_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    monkeypatch.setenv("FRESHMART_MUTANT", "oversell")
    with pytest.raises(MutantRefused, match="in a rehearsal only"):
        up(PLAN_PATH, port=0, print_sign_in=False)
