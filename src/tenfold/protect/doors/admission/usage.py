"""Who had how much lately: what makes a share fair."""

from collections.abc import Mapping

GENERATION_NS = 5_000_000_000
TENANTS_MAX = 10_000
GREEDY = 2
"""A tenant that had more than so many times the mean is greedy; a few requests more are chance."""
_CHANCE = 4


class TenantUsage:
    """Admissions of each tenant in the last five to ten seconds, in two generations; bounded.

    Tenants beyond `TENANTS_MAX` in one generation are not told apart from those who had nothing.
    """

    __slots__ = ("_before", "_began_ns", "_fair", "_now", "_total")

    def __init__(self) -> None:
        self._now: dict[str, int] = {}
        self._before: Mapping[str, int] = {}
        self._began_ns = 0
        self._total = 0
        self._fair = _CHANCE

    def add(self, tenant: str, now_ns: int) -> None:
        if abs(now_ns - self._began_ns) >= GENERATION_NS:  # long before it began: the clock was set back
            old = now_ns - self._began_ns >= 2 * GENERATION_NS
            self._fair = _CHANCE + GREEDY * self._total // max(1, len(self._now))
            self._before, self._now, self._began_ns = {} if old else self._now, {}, now_ns
            self._total = 0
        had = self._now.get(tenant, 0)
        if had or len(self._now) < TENANTS_MAX:
            self._now[tenant] = had + 1
            self._total += 1

    def of(self, tenant: str) -> int:
        return self._now.get(tenant, 0) + self._before.get(tenant, 0)

    def greedy(self, tenant: str) -> bool:
        """True when the tenant had clearly more than the others, by the mean of the generation before."""
        return self._now.get(tenant, 0) > self._fair
