"""What a caller insists on of an answer."""

from dataclasses import dataclass, replace

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
