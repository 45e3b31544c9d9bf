"""A replica that is not asked while it lags."""

from collections.abc import Callable, Mapping

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.reads.ladder import NotAsked, Rung

LAG_MAX = Duration.from_s(5)
LOOK_AGAIN = Duration.from_ms(100)


class FreshRung:
    """`rung` while `lag()` is at most `lag_max`; NotAsked otherwise, so that the ladder goes on to the next.

    One read in `look_again` goes through all the same, for a rung that learns its lag from its own answers; what it
    answers is used only when the lag is known to be small by then.
    """

    def __init__(
        self,
        rung: Rung,
        *,
        lag: Callable[[], Duration],
        lag_max: Duration = LAG_MAX,
        look_again: Duration = LOOK_AGAIN,
        clock: Clock | None = None,
    ) -> None:
        self._rung = rung
        self._lag = lag
        self._lag_max = lag_max
        self._look_again_ns = look_again.ns
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._look_at_ns = self._now_ns()

    @property
    def name(self) -> str:
        return self._rung.name

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        """Raises NotAsked while it lags."""
        if self._lag() > self._lag_max:
            self._look()
        found = await self._rung.read(key, not_before)
        if self._lag() > self._lag_max:
            raise self._lags()
        return found

    async def fill(self, found: Mapping[str, Found]) -> None:
        await self._rung.fill(found)

    def _look(self) -> None:
        now_ns = self._now_ns()
        if now_ns < self._look_at_ns:
            raise self._lags()
        self._look_at_ns = now_ns + self._look_again_ns

    def _lags(self) -> NotAsked:
        return NotAsked(f"Replica '{self.name}' lags by {self._lag().s:.1f} s and is not asked.")
