"""Which keys stay at the cache: a share of all, the same ones in every process; and where the others may be read."""

from collections.abc import Callable

from tenfold.kernel.shares import KEY_HASHES, key_hash
from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.ladder import Route
from tenfold.telemetry import Counter

_NO_CACHE = Route(near=True, cache=False, database=True)
_STRICT = Route(near=False, cache=False, database=True)
_NEAR_ONLY = Route(near=True, cache=False, database=False)
_NOTHING = Route(near=False, cache=False, database=False)


class Staying:
    """The keys whose hash lies below a mark, so that a smaller share lies within each larger one.

    Each of `shares` holds for `step_ns`, and the last one stands: time alone makes the steps, so that no reader waits
    for another; and once it stands, nobody asks for the time. With `salt`s of their own, two downgrades do not send
    the same keys away first.
    """

    __slots__ = ("_is_last", "_marks", "_salt", "_since_ns", "_step_ns")

    def __init__(self, shares: tuple[float, ...], step_ns: int, since_ns: int, salt: int) -> None:
        self._marks = [round(share * KEY_HASHES) for share in shares]
        self._salt = salt
        self._step_ns = step_ns
        self._since_ns = since_ns
        self._is_last = len(shares) == 1

    def keeps(self, key: str, now_ns: Callable[[], int]) -> bool:
        """Whether `key` stays."""
        mark = self._mark(now_ns)
        return mark > 0 and key_hash(key, self._salt) < mark

    def share(self, now_ns: Callable[[], int]) -> float:
        """How many stay, 0 to 1."""
        return round(self._mark(now_ns) / KEY_HASHES, 6)

    def is_last(self, now_ns: Callable[[], int]) -> bool:
        """Whether the last share is reached."""
        self._mark(now_ns)
        return self._is_last

    def _mark(self, now_ns: Callable[[], int]) -> int:
        if self._is_last:
            return self._marks[-1]
        step = (now_ns() - self._since_ns) // self._step_ns
        self._is_last = step >= len(self._marks) - 1
        return self._marks[min(step, len(self._marks) - 1)]


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
