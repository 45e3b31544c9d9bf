"""What a place to read from must do, how it may be used, and what an attempt at it came to."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.calls.breaker import Breaker
from tenfold.protect.calls.limit import Budget
from tenfold.protect.reads.found import UNKNOWN, Found

TIMEOUT = Duration.from_ms(50)


class NotAsked(TenfoldError):
    """What a rung raises that is not to be asked now, as when its cluster has been left: no failure of anybody's."""


class Rung(Protocol):
    """A place that values can be read from: a cache cluster, a database replica.

    `tests/conformance/test_rungs.py` says what else must hold; run it on your own.
    """

    @property
    def name(self) -> str: ...

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        """What lies here, or None for "not here". Not being able to say is an exception, of any kind.

        The caller can use no version before `not_before`: a rung that can tell a newer one by asking again does so.
        """
        ...

    async def fill(self, found: Mapping[str, Found]) -> None:
        """Take what another rung answered for these keys; one that keeps nothing does nothing."""
        ...


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Step:
    """One rung as a ladder uses it.

    An attempt may last `timeout`. `fills`: it is a cache, and what a lower rung answers is written back here; a rung
    that does not fill is a source of truth. As many attempts as `inflight_max` run at a time, or as `budget` allows,
    so that the fall of the rung above cannot flood this one. Breaker and budget may be shared by all steps that lean
    on the same server. While `mirrors` says yes this rung holds nothing that the one above lacks, as the standby of a
    cache that is well: it is not asked for what that one has just missed.
    """

    rung: Rung
    breaker: Breaker | None = None
    timeout: Duration = TIMEOUT
    fills: bool = False
    inflight_max: int = 64
    budget: Budget | None = None
    mirrors: Callable[[], bool] = _never


class Outcome(enum.StrEnum):
    """What an attempt at a rung came to.

    OPEN, FULL, ELSEWHERE: it was not made. OLD: the caller can use no answer as old as this.
    """

    HIT = "hit"
    MISS = "miss"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OPEN = "open"
    FULL = "full"
    OLD = "old"
    ELSEWHERE = "elsewhere"


class Attempt(NamedTuple):
    outcome: Outcome
    found: Found | None = None
    error: BaseException | None = None

    @property
    def cause(self) -> str:
        """For people: why this rung did not help. Only the kind of an error: its text may hold what is secret."""
        return f"{self.outcome} ({type(self.error).__name__})" if self.error else str(self.outcome)
