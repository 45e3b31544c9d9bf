"""For how long what a load brought is believed."""

import random

from tenfold.kernel import Duration


class Lifetimes:
    """A value for `ttl`, that there is nothing for `absent_ttl`; each shortened by chance, by up to `jitter_ratio`, so
    that what came together does not expire together.
    """

    def __init__(self, ttl: Duration, absent_ttl: Duration, *, jitter_ratio: float, chance: random.Random) -> None:
        self._ttl_ns, self._absent_ttl_ns = ttl.ns, absent_ttl.ns
        self._jitter_ratio = jitter_ratio
        self._lot = chance.random

    def draw_ns(self, value: bytes | None, ttl: Duration | None) -> int:
        """The lifetime of what came just now; `ttl` when this one has its own."""
        full_ns = ttl.ns if ttl else self._ttl_ns if value is not None else self._absent_ttl_ns
        return int(full_ns * (1 - self._jitter_ratio * self._lot()))
