"""Which drills of the plan a run carries out: all of them, or those that somebody wants to see alone."""

from collections.abc import Collection

from tenfold.kernel import TenfoldError
from tenfold.plan.model import Plan


class DrillUnknown(TenfoldError):
    """A drill was asked for that the plan does not have."""


def drills_left_out(plan: Plan, wanted: Collection[str] | None) -> tuple[str, ...]:
    """In the plan's order. None wants all of them, an empty collection not one. Raises DrillUnknown."""
    if wanted is None:
        return ()
    unknown = [f"'{name}'" for name in wanted if name not in plan.drills]
    if unknown:
        raise DrillUnknown(
            f"Plan '{plan.name}' has no drill {' and no '.join(unknown)}; nothing was started.",
            remedy=f"Name one of: {', '.join([*plan.drills, 'none'])}.",
        )
    return tuple(name for name in plan.drills if name not in wanted)
