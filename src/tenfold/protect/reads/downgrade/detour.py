"""Where a read may go that finds the cache left: not all of the load fits the database."""

from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.ladder import Route
from tenfold.telemetry import Counter

_NO_CACHE = Route(near=True, cache=False, database=True)
_STRICT = Route(near=False, cache=False, database=True)
_NEAR_ONLY = Route(near=True, cache=False, database=False)
_NOTHING = Route(near=False, cache=False, database=False)


class Detour:
    """To the database while `budget` admits the tier of the read (without one: always); else it is shed."""

    def __init__(self, budget: TierBudget | None, shed: Counter) -> None:
        self._budget = budget
        self._shed = shed

    def route(self, tier: int, *, strict: bool) -> Route:
        """A strict read takes nothing that may be wrong, as what lies near may be."""
        if self._budget is None or self._budget.admits(tier):
            return _STRICT if strict else _NO_CACHE
        self._shed.inc()
        return _NOTHING if strict else _NEAR_ONLY
