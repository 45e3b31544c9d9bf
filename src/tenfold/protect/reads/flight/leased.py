"""Single flight among the processes of a fleet."""

import asyncio
import enum
import secrets
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.kernel.tasks import are_we_cancelled
from tenfold.protect.reads.flight.lease import Grant, Held, LeaseStore
from tenfold.protect.reads.flight.renewer import LeaseRenewer
from tenfold.telemetry import Registry

Loaded = TypeVar("Loaded")

TTL = Duration.from_ms(180)
"""How long a fleet waits for a holder that died. It also is how long a holder's event loop may stand still, less the
third after which it renews."""

WAIT_MAX = Duration.from_ms(500)
HOLD_MAX = Duration.from_s(5)
POLL_MIN_NS = 2_000_000
POLL_MAX_NS = 20_000_000
ASK_AGAIN_NS = 50_000_000

Look = Callable[[], Awaitable[Loaded | None]]
Load = Callable[[int], Awaitable[Loaded]]


class _Way(enum.StrEnum):
    """How a read came to its value."""

    LED = "led"
    FOLLOWED = "followed"
    LATE = "late"
    FULL = "full"
    ASIDE = "aside"


class _Patience:
    """How long to sleep between two looks: short at first, since most loads are, and never past the end."""

    def __init__(self) -> None:
        self._pause_ns = POLL_MIN_NS

    async def pause(self, left_ns: int) -> None:
        pause_ns, self._pause_ns = self._pause_ns, min(self._pause_ns * 3 // 2, POLL_MAX_NS)
        await asyncio.sleep(max(min(pause_ns, left_ns), POLL_MIN_NS // 2) / 1e9)


class LeasedFlight(Generic[Loaded]):
    """The holder of a key's lease loads it and puts the value where all look; the others wait for the value.

    A lease is an optimisation and never a reason to fail a read. When its store cannot say, when the cache cannot be
    looked at, when `held_max` loads hold leases here, or after `wait_max` of waiting for somebody else, the read steps
    aside and loads by itself. A holder that dies is followed by another within `ttl`. For the callers of one event
    loop; put a `SingleFlight` before it, so that a process is one caller.
    """

    def __init__(
        self,
        name: str,
        store: LeaseStore,
        *,
        ttl: Duration = TTL,
        wait_max: Duration = WAIT_MAX,
        hold_max: Duration = HOLD_MAX,
        held_max: int = 1_024,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._ttl = ttl
        self._wait_max_s = wait_max.s
        self._now_ns = (clock or SystemClock()).monotonic_ns
        registry = registry or Registry()
        label = ("flight",)
        reads = registry.counter(
            "tenfold_lease_reads_total", "Reads that asked for a lease and what came of it.", ("flight", "way")
        )
        lost = registry.counter("tenfold_lease_lost_total", "Leases that ended before their loads.", label)
        failed = registry.counter("tenfold_lease_untold_total", "Renewals and releases the store did not take.", label)
        held = registry.gauge("tenfold_lease_held", "Leases that this process holds.", label)
        waited = registry.timer(
            "tenfold_lease_wait_seconds", "How long reads waited before their load or value.", label
        )
        self._reads = {way: reads.child(name, way.value) for way in _Way}
        self._waited = waited.child(name)
        self._renewer = LeaseRenewer(
            store,
            ttl=ttl,
            hold_max=hold_max,
            held_max=held_max,
            now_ns=self._now_ns,
            lost=lost.child(name),
            failed=failed.child(name),
        )
        held.child(name).ask(lambda: len(self._renewer))

    async def lead_or_follow(self, key: str, load: Load[Loaded], look: Look[Loaded]) -> Loaded:
        """The value that `look` finds once somebody has loaded it, or what `load` answers or raises when we must.

        `look` reads the cache that the fleet shares, None for "not there". `load` is given the lease's fence (0 when it
        stepped aside) and must have filled that cache when it ends. The caller's cancellation frees the lease.
        """
        began_ns = self._now_ns()
        way, place = await self._settled(key, look)
        self._reads[way].value += 1
        self._waited.record_ns(self._now_ns() - began_ns)
        if way is _Way.FOLLOWED:
            return place  # type: ignore[return-value]  # what look found
        if not isinstance(place, Grant):
            return await load(0)
        try:
            return await load(place.fence)
        finally:
            self._renewer.release(place)

    async def close(self) -> None:
        """Give back what is held. The store belongs to whoever opened it."""
        await self._renewer.close()

    async def _settled(self, key: str, look: Look[Loaded]) -> tuple[_Way, Loaded | Grant | None]:
        """This process loads (LED, with the grant; or without one), or another one has (FOLLOWED, with the value)."""
        if self._renewer.full:
            return _Way.FULL, None
        try:
            async with asyncio.timeout(self._wait_max_s) as waiting:
                return await self._seek(key, look)
        except Exception:  # store and look are foreign code: what they cannot say must not fail the read
            return (_Way.LATE if waiting.expired() else _Way.ASIDE), None
        except asyncio.CancelledError:
            if are_we_cancelled():
                raise
            return _Way.ASIDE, None  # something that the store or look waited for was cancelled, and not we

    async def _seek(self, key: str, look: Look[Loaded]) -> tuple[_Way, Loaded | Grant]:
        patience = _Patience()
        while True:
            place = await self._acquire(key)
            if isinstance(place, Grant):
                found = await self._look_as_holder(place, look)
                return (_Way.LED, place) if found is None else (_Way.FOLLOWED, found)
            found = await self._follow(place, look, patience)
            if found is not None:
                return _Way.FOLLOWED, found

    async def _acquire(self, key: str) -> Grant | Held:
        owner = secrets.token_hex(8)  # from the system, so that a forked child is somebody else
        try:
            place = await self._store.acquire(key, owner, self._ttl)
        except BaseException:
            self._renewer.release(Grant(key, owner, 0))  # it may have been granted all the same
            raise
        if isinstance(place, Grant):
            self._renewer.hold(place)
        return place

    async def _look_as_holder(self, grant: Grant, look: Look[Loaded]) -> Loaded | None:
        """Between our miss and our lease another holder may have loaded, filled and gone."""
        found = None
        try:
            found = await look()
        except BaseException:
            self._renewer.release(grant)
            raise
        if found is not None:
            self._renewer.release(grant)
        return found

    async def _follow(self, held: Held, look: Look[Loaded], patience: _Patience) -> Loaded | None:
        """Look until the value is there, or it is time to ask for the lease again: its holder may be gone."""
        ask_again_ns = self._now_ns() + min(held.remaining.ns, ASK_AGAIN_NS)
        while True:
            await patience.pause(ask_again_ns - self._now_ns())
            found = await look()
            if found is not None or self._now_ns() >= ask_again_ns:
                return found
