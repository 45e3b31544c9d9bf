"""What a place to read from must do, how it may be used, and what an attempt at it came to."""

import enum
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tenfold.kernel import Duration
from tenfold.protect.breaker import Breaker

TIMEOUT = Duration.from_ms(50)


class Rung(Protocol):
    """A place that values can be read from: a cache cluster, a database replica.

    `tests/conformance/test_rungs.py` says what else must hold; run it on your own.
    """

    @property
    def name(self) -> str: ...

    async def read(self, key: str) -> bytes | None:
        """The value, or None for "not here". Not being able to say is an exception, of any kind."""
        ...

    async def fill(self, key: str, value: bytes) -> None:
        """Take a value that another rung answered; one that keeps nothing does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One rung as a ladder uses it.

    An attempt may last `timeout`; `inflight_max` may run at a time, so that the fall of the rung above cannot flood
    this one. A breaker may be shared by all steps that lean on the same server. `fills`: what a lower rung answers
    is written back here.
    """

    rung: Rung
    breaker: Breaker | None = None
    timeout: Duration = TIMEOUT
    fills: bool = False
    inflight_max: int = 64


class Outcome(enum.StrEnum):
    """What an attempt at a rung came to. OPEN and FULL: it was not made."""

    HIT = "hit"
    MISS = "miss"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OPEN = "open"
    FULL = "full"


class Attempt(NamedTuple):
    outcome: Outcome
    value: bytes | None = None
    error: BaseException | None = None

    @property
    def cause(self) -> str:
        """For people: why this rung did not help. Only the kind of an error: its text may hold what is secret."""
        return f"{self.outcome} ({type(self.error).__name__})" if self.error else str(self.outcome)
