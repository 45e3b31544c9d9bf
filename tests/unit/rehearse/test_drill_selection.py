"""Which drills of the plan a run carries out."""

from dataclasses import replace
from pathlib import Path

import pytest

from tenfold.fleet import FAULT_KINDS
from tenfold.plan import read_plan
from tenfold.rehearse import DrillUnknown, drills_left_out

WHOLE = read_plan(Path(__file__).parents[3] / "plans" / "freshmart.yaml", FAULT_KINDS)
NAMES = ("payment-slow", "hot-key", "overload")
PLAN = replace(WHOLE, drills={name: WHOLE.drills[name] for name in NAMES})


@pytest.mark.parametrize(
    ("wanted", "left_out"),
    [
        (None, ()),
        ((), NAMES),
        (("hot-key",), ("payment-slow", "overload")),
        (("overload", "payment-slow", "overload"), ("hot-key",)),
        (NAMES, ()),
    ],
)
def test_what_is_not_wanted_is_left_out(wanted: tuple[str, ...] | None, left_out: tuple[str, ...]) -> None:
    """In the plan's order, however it was said; nothing said is all of them, and so is each of them named."""
    assert drills_left_out(PLAN, wanted) == left_out


def test_a_drill_that_the_plan_does_not_have_is_answered_with_those_it_has() -> None:
    """A misspelt drill must not become a run without it."""
    with pytest.raises(DrillUnknown) as refused:
        drills_left_out(PLAN, ("hot-key", "payment-slo"))
    assert str(refused.value) == (
        "Plan 'freshmart' has no drill 'payment-slo'; nothing was started. "
        "Name one of: payment-slow, hot-key, overload, none."
    )
