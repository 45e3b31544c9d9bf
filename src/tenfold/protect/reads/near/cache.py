"""The near cache: values in the process itself, the last line of every hot read."""

import os
import random
import time

from tenfold.kernel import Clock, Duration
from tenfold.kernel.forks import tell_forks
from tenfold.protect.reads.near.absent import Absences
from tenfold.protect.reads.near.counts import Counts
from tenfold.protect.reads.near.early import EarlyRefresh
from tenfold.protect.reads.near.entry import Entry, Kept
from tenfold.protect.reads.near.lifetimes import Lifetimes
from tenfold.protect.reads.near.policy import Policy
from tenfold.protect.reads.near.refreshes import Refreshes
from tenfold.protect.reads.near.sampling import Sampled, Sampling
from tenfold.protect.reads.near.shared import SharedStore
from tenfold.protect.reads.near.store import Fill, Store
from tenfold.protect.reads.near.tombstones import FillToken, Tombstones
from tenfold.telemetry import Counter, EventLog, Registry

ABSENT_TTL = Duration.from_s(1)
REFRESH_LEASE = Duration.from_s(1)


class NearCache(SharedStore):
    """Values by key: fresh for `ttl`, then answered at once for `grace` while one reader refreshes them, and kept for
    `stale` after `ttl` for the day when nobody else can answer.

    Bounded by `bytes_max`, overhead included, and by `entries_max`; `policy` says who leaves. What leads to nothing
    has its own ttl and a quota, `absent_ratio` of both bounds. Lifetimes are shortened by up to `jitter_ratio`, so
    that what came together does not expire together. Where it is known how long a load took (`put` with `token` or
    `load`), one reader refreshes `early`, before expiry; a refresh that has not come after `refresh_lease` is asked
    for again.

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
        entries_max: int = 100_000,
        jitter_ratio: float = 0.1,
        absent_ttl: Duration = ABSENT_TTL,
        absent_ratio: float = 0.1,
        refresh_lease: Duration = REFRESH_LEASE,
        sample_every: int = 64,
        policy: Policy | None = None,
        early: EarlyRefresh | None = None,
        tombstones: Tombstones | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        seed: int = 0,
    ) -> None:
        grace_ns = self._grace_ns = grace.ns if grace else 0
        self._seed, self._chance = seed, random.Random(seed)
        self._early = early or EarlyRefresh(seed=seed)
        self._lifetimes = Lifetimes(ttl, absent_ttl, jitter_ratio=jitter_ratio, chance=self._chance)
        self._tombstones = Tombstones() if tombstones is None else tombstones
        policy = Policy() if policy is None else policy
        self._touched = policy.touched
        counts = Counts(registry or Registry(), name, self)
        self._hits, self._misses = counts.hits, counts.misses
        self._refreshes = Refreshes(
            self._early, grace_ns=grace_ns, lease_ns=refresh_lease.ns, asked_for=counts.refreshes, capped=counts.capped
        )
        self._sampling, self._sample_at = Sampling(sample_every, self._chance), 0
        store = Store(
            bytes_max=bytes_max,
            entries_max=entries_max,
            absences=Absences(entries_max=int(entries_max * absent_ratio), bytes_max=int(bytes_max * absent_ratio)),
            tombstones=self._tombstones,
            policy=policy,
            grace_ns=grace_ns,
            usable_ns=max(stale.ns if stale else 0, grace_ns),
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
        ttl_ns = self._lifetimes.draw_ns(value, ttl)
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
        """Who is told of one hit among `sample_every`, the next one included."""
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
