"""Follows a server in an event loop: for programs that want no thread, and whose loop is never blocked for long."""

import asyncio
import random
import ssl
from collections.abc import Mapping
from typing import cast

from tenfold.kernel import Clock, SystemClock
from tenfold.kernel.tasks import end_tasks
from tenfold.protect.reads.valkey.tracking.follower import TrackingFollower
from tenfold.protect.reads.valkey.tracking.gap import Gap, StreamBroken, TrackingPace
from tenfold.protect.reads.valkey.tracking.subscription import TrackingTarget
from tenfold.telemetry import EventLog, Registry


class AsyncTracking:
    """As `Tracking`, in the running event loop: one task between `open` and `close`.

    A loop that is blocked hears nothing meanwhile: what its next callbacks read may be that much older. After a fork it
    must be opened in the child, on a near cache that the child made.
    """

    def __init__(
        self,
        name: str,
        url: str,
        follows: Mapping[str, TrackingTarget],
        *,
        keys: bool = False,
        pace: TrackingPace | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        seed: int | None = None,
    ) -> None:
        self._follower = TrackingFollower(
            name, url, follows, keys=keys, pace=pace, chance=random.Random(seed), registry=registry, events=events
        )
        self._clock = clock or SystemClock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "AsyncTracking":
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def proven(self) -> bool:
        """Whether every target is proven, as of now: false too when this loop stood still for too long."""
        return self._follower.proven(self._clock.monotonic_ns())

    def open(self) -> None:
        """Begin to listen; the targets are in doubt until it is certain that every invalidation is heard."""
        if self._task is None:
            self._follower.open(self._clock.monotonic_ns())
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Listen no more; the targets are in doubt."""
        task, self._task = self._task, None
        await end_tasks(task)

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._follow()
                except Exception as error:  # whatever it is, it is a gap, and never the end
                    await asyncio.sleep(self._follower.lost(error, self._clock.monotonic_ns()))
        finally:
            self._follower.close(self._clock.monotonic_ns())

    async def _follow(self) -> None:
        """Returns never; raises what broke the connection."""
        loop, follower = asyncio.get_running_loop(), self._follower
        listener = _Listener(follower, self._clock)
        endpoint = follower.dial(self._clock.monotonic_ns())
        context = ssl.create_default_context() if follower.access.tls else None
        try:
            async with asyncio.timeout(follower.pace.attempt.s):
                await loop.create_connection(lambda: listener, endpoint.host, endpoint.port, ssl=context)
            await listener.broken
        finally:
            listener.close()


class _Listener(asyncio.Protocol):
    """Bytes are heard in the turn of the loop in which they come, before any timer complains that they did not."""

    def __init__(self, follower: TrackingFollower, clock: Clock) -> None:
        self._follower = follower
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.broken: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._transport.write(self._follower.greet(self._clock.monotonic_ns()))
        self._speak()

    def data_received(self, received: bytes) -> None:
        if not self.broken.done():
            try:
                self._follower.hear(received, self._clock.monotonic_ns())
            except Exception as error:  # for `_run` to judge
                self._break(error)
            else:
                self._speak()

    def connection_lost(self, error: Exception | None) -> None:
        self._break(StreamBroken(Gap.CLOSED, type(error).__name__ if error else ""))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        self.broken.cancel()

    def _speak(self) -> None:
        if self.broken.done() or self._transport is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        try:
            if said := self._follower.speak(self._clock.monotonic_ns()):
                self._transport.write(said)
        except Exception as error:  # for `_run` to judge
            self._break(error)
        else:
            self._timer = self._loop.call_later(self._follower.wait_s(self._clock.monotonic_ns()), self._speak)

    def _break(self, error: Exception) -> None:
        if not self.broken.done():
            self.broken.set_exception(error)
