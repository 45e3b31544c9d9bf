"""The near cache: values in the process itself, the last line of every hot read."""

import os
import random
import time

from tenfold.kernel import Clock, Duration
from tenfold.kernel.forks import tell_forks
from tenfold.protect.reads.near.early import EarlyRefresh, RefreshDraw
from tenfold.protect.reads.near.entry import Entry, Kept
from tenfold.protect.reads.near.metrics import NearMetrics
from tenfold.protect.reads.near.options import BOUNDS, LIFETIMES, PARTS, Lifetimes, NearBounds, NearParts
from tenfold.protect.reads.near.policy import AdmissionPolicy
from tenfold.protect.reads.near.sampling import Sampled, Sampling
from tenfold.protect.reads.near.shared import SharedStore
from tenfold.protect.reads.near.store import Fill, NearStore
from tenfold.protect.reads.near.tombstones import FillToken, Tombstones
from tenfold.telemetry import Counter, EventLog, Registry


class NearCache(SharedStore):
    """Values by key: fresh for `ttl`, then answered at once for `grace` while one reader refreshes them, and kept for
    `stale` after `ttl` for the day when nobody else can answer.

    Bounded by `bytes_max`, overhead included, and by `bounds`; the policy says who leaves. What leads to nothing has
    its own ttl and quota. Where it is known how long a load took (`put` with `token` or `load`), one reader refreshes
    early, before expiry.

    Safe from any thread. A hit takes no lock; counts may then miss a few.
    """

    def __init__(
        self,
        name: str,
        *,
        bytes_max: int,
        ttl: Duration,
        stale: Duration | None = None,
        grace: Duration | None = None,
        bounds: NearBounds = BOUNDS,
        lifetimes: Lifetimes = LIFETIMES,
        parts: NearParts = PARTS,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self._ttl_ns, self._absent_ttl_ns, self._jitter_ratio = ttl.ns, lifetimes.absent_ttl.ns, lifetimes.jitter_ratio
        self._grace_ns = grace.ns if grace else 0
        self._seed, self._chance = parts.seed, random.Random(parts.seed)
        self._early = parts.early or EarlyRefresh(seed=parts.seed)
        self._tombstones = Tombstones() if parts.tombstones is None else parts.tombstones
        policy = AdmissionPolicy() if parts.policy is None else parts.policy
        self._touched = policy.touched
        counts = NearMetrics(registry or Registry(), name, self)
        self._hits, self._misses = counts.hits, counts.misses
        self._refreshes = RefreshDraw(
            self._early,
            grace_ns=self._grace_ns,
            lease_ns=lifetimes.refresh_lease.ns,
            asked_for=counts.refreshes,
            capped=counts.capped,
        )
        self._sampling, self._sample_at = Sampling(parts.sample_every, self._chance), 0
        store = NearStore(
            bytes_max=bytes_max,
            bounds=bounds,
            tombstones=self._tombstones,
            policy=policy,
            grace_ns=self._grace_ns,
            usable_ns=max(stale.ns if stale else 0, self._grace_ns),
            evictions=counts.evictions,
        )
        super().__init__(name, store, counts, now_ns=clock.monotonic_ns if clock else time.monotonic_ns, events=events)
        tell_forks(self)

    def get(self, key: str) -> bytes | None:
        """The value while it is fresh or in its grace. None: load it and `put` it, be it missing or due for refresh."""
        try:
            kept = self._at_hand[key]
        except KeyError:
            return self._late(None, self._misses, takes=True)
        if self._now_ns() < kept.quiet_until_ns:
            self._touched(kept)
            hits = self._hits
            hits.value = count = hits.value + 1
            if count >= self._sample_at:
                self._sample_at = count + self._sampling.tell(kept.key)
            return kept.value
        return self._late(kept, self._misses, takes=True)

    def hit(self, key: str) -> bytes | None:
        """What `get` answers, without counting a miss: for callers who go on with `read` at once."""
        try:
            kept = self._at_hand[key]
        except KeyError:
            return self._late(None, None, takes=False)
        if self._now_ns() < kept.quiet_until_ns:
            self._touched(kept)
            hits = self._hits
            hits.value = count = hits.value + 1
            if count >= self._sample_at:
                self._sample_at = count + self._sampling.tell(kept.key)
            return kept.value
        return self._late(kept, None, takes=False)

    def read(self, key: str) -> Entry | None:
        """All there is to know of `key`, counted as a read. One reader among many is told to refresh it."""
        now_ns = self._now_ns()
        with self._lock:
            entry = self._store.entry(key, now_ns) if self._enabled else None
            if entry is None or not entry.answerable:
                self._misses.value += 1
                return entry
            kept = self._at_hand.get(key)
            if kept is None:
                self._hits.value += 1
                return entry
            refresh = now_ns >= kept.quiet_until_ns and self._refreshes.draw(kept, now_ns, takes=True)
        self._count(kept)
        return entry._replace(refresh=True) if refresh else entry

    def begin(self, key: str) -> FillToken:
        """To be called before a load of `key` begins, and given to the `put` of what it loaded."""
        return self._tombstones.token(key, self._now_ns())

    def put(
        self,
        key: str,
        value: bytes | None,
        version: int = 0,
        *,
        token: FillToken | None = None,
        ttl: Duration | None = None,
        load: Duration | None = None,
        age: Duration | None = None,
    ) -> bool:
        """Keep `value`; None keeps the knowledge that there is nothing, which is never served stale.

        Answers whether it was taken: not when the key was invalidated since `token`, nor when a newer version is
        known. `load` is how long loading took, by default since `token`; `age` is since it was certainly true.
        """
        now_ns = self._now_ns()
        load_ns = load.ns if load else now_ns - token.begun_ns if token else 0
        full_ns = ttl.ns if ttl else self._ttl_ns if value is not None else self._absent_ttl_ns
        ttl_ns = int(full_ns * (1 - self._jitter_ratio * self._chance.random()))
        since_ns = now_ns - age.ns if age else now_ns
        fill = Fill(value, version, since_ns, ttl_ns, self._early.quiet_ns(ttl_ns, load_ns), load_ns)
        with self._lock:
            if not self._enabled:
                return False
            refusal = self._store.put(key, fill, token, now_ns)
            if refusal is not None:
                self._counts.refused[refusal].value += 1
        return refusal is None

    @property
    def sampled(self) -> Sampled | None:
        """The listener that is told of one hit among `sample_every`, the next one included."""
        return self._sampling.sampled

    @sampled.setter
    def sampled(self, sampled: Sampled | None) -> None:
        self._sampling.sampled, self._sample_at = sampled, 0

    def after_fork(self) -> None:
        """As of the store; and no two children draw the same lots."""
        self._chance.seed(self._seed ^ os.getpid())
        self._early.reseed(self._seed ^ os.getpid())
        super().after_fork()

    def _count(self, kept: Kept) -> None:
        self._touched(kept)
        self._hits.value = count = self._hits.value + 1
        if count >= self._sample_at:
            self._sample_at = count + self._sampling.tell(kept.key)

    def _late(self, kept: Kept | None, misses: Counter | None, *, takes: bool) -> bytes | None:
        """A hit that needs a second thought: near its expiry, or in its grace."""
        now_ns = self._now_ns()
        if kept is None or now_ns >= kept.fresh_until_ns + self._grace_ns:
            if misses is not None:
                misses.value += 1
            return None
        with self._lock:
            if now_ns >= kept.quiet_until_ns and self._refreshes.draw(kept, now_ns, takes=takes):
                return None
            value = kept.value
        self._count(kept)
        return value
