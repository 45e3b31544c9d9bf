"""How late the event loop is: measured where it hurts, by a task that asks to be woken."""

import asyncio
from collections.abc import Callable
from statistics import median

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.telemetry import Registry

LOOK_EVERY = Duration.from_ms(10)
WINDOW = Duration.from_ms(100)


class LoopLag:
    """Tells `on_window` the median lag of each window, in nanoseconds: of the loop that it is opened in, until closed.

    `came` answers how many requests there were. While none comes the loop is asked once a window, not ten times, and
    is in time whatever the machine did: nobody waited.

    shedder = Shedder("shop", FixedLimit(1_000), overload=(overload := Overload()))
    async with LoopLag("shop", overload.look, came=lambda: shedder.came): ...
    """

    def __init__(
        self,
        name: str,
        on_window: Callable[[float], object],
        *,
        came: Callable[[], int] | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._name = name
        self._on_window = on_window
        self._came = came
        self._now_ns = (clock or SystemClock()).monotonic_ns
        lag = (registry or Registry()).timer(
            "tenfold_admission_loop_lag_seconds", "How late the event loop was, the median of each window.", ("loop",)
        )
        self._lag = lag.child(name)
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LoopLag":
        self._watching = asyncio.create_task(self._watch(), name=f"loop-lag-{self._name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        is_quiet = False
        while True:
            before = self._came() if self._came is not None else -1
            lag_ns = median(await self._window(WINDOW if is_quiet else LOOK_EVERY))
            is_quiet = self._came is not None and self._came() == before
            self._lag.record_ns(int(lag_ns))
            self._on_window(0.0 if is_quiet else lag_ns)

    async def _window(self, look_every: Duration) -> list[int]:
        lags: list[int] = []
        began_ns = before_ns = self._now_ns()
        while before_ns - began_ns < WINDOW.ns:
            await asyncio.sleep(look_every.s)
            now_ns = self._now_ns()
            lags.append(max(0, now_ns - before_ns - look_every.ns))
            before_ns = now_ns
        return lags
