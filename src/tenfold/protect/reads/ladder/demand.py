"""What a caller insists on of an answer, and from which places it may be answered."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from tenfold.kernel import Duration
from tenfold.protect.reads.found import UNKNOWN


@dataclass(frozen=True, slots=True)
class Demand:
    """`max_stale`: true no longer ago than this. `not_before`: of this version or newer, as after a write of one's own.

    `strict`: from nobody whose answers are in doubt, however small the chance; `tier`: how much the read matters, 0
    most, which says who is served first when not everybody can be.
    """

    max_stale: Duration | None = None
    not_before: int = UNKNOWN
    strict: bool = False
    tier: int = 0

    def accepts(self, version: int, age_ns: int) -> bool:
        """Whether an answer of this version, certainly true so long ago, is good enough."""
        return version >= self.not_before and (self.max_stale is None or age_ns <= self.max_stale.ns)

    def since(self, version: int) -> "Demand":
        """The same, and of `version` or newer: what an invalidation has named must not come back from a rung."""
        return self if version <= self.not_before else replace(self, not_before=version)


ANY = Demand()
"""Whatever the ladder thinks fit."""


class Route(NamedTuple):
    """`near`: the near cache may answer; `cache`: steps that fill may; `database`: the other steps may.

    A read that neither cache nor database may answer is shed.
    """

    near: bool = True
    cache: bool = True
    database: bool = True


EVERYTHING = Route()


class Gate(Protocol):
    """Asked at the beginning of every read, so it costs next to nothing."""

    def route(self, key: str, tier: int, strict: bool) -> Route: ...
