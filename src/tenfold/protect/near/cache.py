"""The near cache: values in the process itself, the last line of every hot read."""

import os
import random
import threading
import time
from collections.abc import Callable

from tenfold.kernel import Clock, Duration
from tenfold.kernel.forks import tell_forks
from tenfold.protect.near.absent import Absences
from tenfold.protect.near.counts import Counts
from tenfold.protect.near.early import EarlyRefresh
from tenfold.protect.near.entry import Entry, Kept
from tenfold.protect.near.policy import Policy
from tenfold.protect.near.store import Fill, Store
from tenfold.protect.near.tombstones import FillToken, Tombstones
from tenfold.telemetry import Counter, EventLog, Registry

Sampled = Callable[[str, int], int | None]
"""Told a key that was hit and how many hits it stands for; may answer of how many hits to hear one. Never raises."""

ABSENT_TTL = Duration.from_s(1)
REFRESH_LEASE = Duration.from_s(1)
_DUE = -1
_NOTHING: dict[str, Kept] = {}


class NearCache:
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
        self.name = name
        self._ttl_ns, self._absent_ttl_ns = ttl.ns, absent_ttl.ns
        self._grace_ns = grace.ns if grace else 0
        self._lease_ns = refresh_lease.ns
        self._jitter_ratio = jitter_ratio
        self._now_ns = clock.monotonic_ns if clock else time.monotonic_ns
        self._seed, self._chance = seed, random.Random(seed)
        self._early = early or EarlyRefresh(seed=seed)
        self._tombstones = Tombstones() if tombstones is None else tombstones
        policy = Policy() if policy is None else policy
        self._touched = policy.touched
        self._counts = Counts(registry or Registry(), self)
        self._hits, self._misses = self._counts.hits, self._counts.misses
        self._store = Store(
            bytes_max=bytes_max,
            entries_max=entries_max,
            absences=Absences(entries_max=int(entries_max * absent_ratio), bytes_max=int(bytes_max * absent_ratio)),
            tombstones=self._tombstones,
            policy=policy,
            grace_ns=self._grace_ns,
            usable_ns=max(stale.ns if stale else 0, self._grace_ns),
            evictions=self._counts.evictions,
        )
        self._lock = threading.Lock()
        self._enabled = True
        self._sampled: Sampled | None = None
        self._sample_every, self._sample_at, self._gap = sample_every, 0, 1
        self._events = events
        self._point()
        tell_forks(self)

    # Reading

    def get(self, key: str) -> bytes | None:
        """The value while it is fresh or in its grace. None: load it and `put` it, be it missing or due for refresh."""
        try:
            kept = self._at_hand[key]
        except KeyError:
            return self._late(None, self._misses, claims=True)
        if self._now_ns() < kept.quiet_until_ns:
            self._touched(kept)
            hits = self._hits
            hits.value = count = hits.value + 1
            if count >= self._sample_at:
                self._sample(kept, count)
            return kept.value
        return self._late(kept, self._misses, claims=True)

    def hit(self, key: str) -> bytes | None:
        """What `get` answers, without counting a miss: for callers who go on with `read` at once."""
        try:
            kept = self._at_hand[key]
        except KeyError:
            return self._late(None, None, claims=False)
        if self._now_ns() < kept.quiet_until_ns:
            self._touched(kept)
            hits = self._hits
            hits.value = count = hits.value + 1
            if count >= self._sample_at:
                self._sample(kept, count)
            return kept.value
        return self._late(kept, None, claims=False)

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
            refresh = now_ns >= kept.quiet_until_ns and self._draw(kept, now_ns, self._claim_ns(kept, now_ns))
        self._count(kept)
        return entry._replace(refresh=True) if refresh else entry

    def entry(self, key: str) -> Entry | None:
        """What lies here for `key`, fresh or stale or known to be nothing; counts nothing, asks nobody to refresh."""
        with self._lock:
            return self._store.entry(key, self._now_ns()) if self._enabled else None

    # Filling

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
        ttl_ns = self._jittered_ns(ttl.ns if ttl else self._ttl_ns if value is not None else self._absent_ttl_ns)
        since_ns = now_ns - age.ns if age else now_ns
        fill = Fill(value, version, since_ns, ttl_ns, self._early.quiet_ns(ttl_ns, load_ns), load_ns)
        with self._lock:
            if not self._enabled:
                return False
            refusal = self._store.put(key, fill, token, now_ns)
            if refusal is not None:
                self._counts.refused[refusal].value += 1
        return refusal is None

    # Forgetting

    def invalidate(self, key: str, version: int = 0) -> None:
        """`key` has changed: what is older than `version` is wrong; with version 0, all that was loaded so far."""
        with self._lock:
            self._counts.invalidations.value += 1
            self._store.invalidate(key, version, self._now_ns())

    def drop(self, key: str) -> None:
        """Forget `key`, without a word on whether it was true; it is no error when it is not here."""
        with self._lock:
            self._store.drop(key)

    def clear(self) -> None:
        """Forget everything, and whatever is being loaded now."""
        with self._lock:
            self._store.clear()
            self._point()

    def doubt(self) -> None:
        """Invalidations may have been missed: what lies here, or is being loaded, is no longer answered as fresh."""
        with self._lock:
            was_proven = self._store.proven
            self._store.doubt()
            self._point()
        if was_proven:
            self._tell("near-doubted")

    def prove(self) -> None:
        """Every invalidation is heard again: what is loaded from now on is fresh."""
        with self._lock:
            was_proven = self._store.proven
            if not was_proven:
                self._store.prove()
        if not was_proven:
            self._tell("near-proven")

    # The switch, and what may be seen

    @property
    def enabled(self) -> bool:
        """False: nothing is answered and nothing is kept; invalidations are still heard. Costs a hit nothing."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        with self._lock:
            changed, self._enabled = enabled != self._enabled, enabled
            self._point()
        if changed:
            self._tell("near-on" if enabled else "near-off")

    def on(self) -> None:
        self.enabled = True

    def off(self) -> None:
        self.enabled = False

    @property
    def sampled(self) -> Sampled | None:
        """Who is told of one hit among `sample_every`, the next one included."""
        return self._sampled

    @sampled.setter
    def sampled(self, sampled: Sampled | None) -> None:
        self._sampled, self._sample_at, self._gap = sampled, 0, 1

    def keys(self, *, unproven: bool = False) -> list[str]:
        """What values lie here, or only those in doubt; a moment's view."""
        with self._lock:
            table = self._store.table
            return [*table.unproven] if unproven else [*table.proven, *table.unproven]

    @property
    def proven(self) -> bool:
        """Whether every invalidation is heard, as far as anybody has said."""
        return self._store.proven

    @property
    def held_bytes(self) -> int:
        return self._store.held_bytes

    @property
    def absent_entries(self) -> int:
        return len(self._store.absences)

    def __len__(self) -> int:
        return len(self._store)

    def count_hit(self) -> None:
        """Count a hit that was answered from `entry`."""
        self._hits.value += 1

    def count_miss(self) -> None:
        """Count a miss that `hit` left uncounted."""
        self._misses.value += 1

    def after_fork(self) -> None:
        """After a fork: a lock that another thread held will never be released, and what it guards may be torn."""
        torn, self._lock = self._lock.locked(), threading.Lock()
        self._chance.seed(self._seed ^ os.getpid())
        self._early.reseed(self._seed ^ os.getpid())
        if torn:
            self.clear()

    # What a hit does besides

    def _count(self, kept: Kept) -> None:
        self._touched(kept)
        self._hits.value = count = self._hits.value + 1
        if count >= self._sample_at:
            self._sample(kept, count)

    def _sample(self, kept: Kept, count: int) -> None:
        """Tell of one hit. The next is as many hits away as chance says, else readers in step would hide keys."""
        if self._sampled is not None:
            self._sample_every = self._sampled(kept.key, self._gap) or self._sample_every
        self._gap = 1 + int(self._chance.random() * (2 * self._sample_every - 1))
        self._sample_at = count + self._gap

    def _late(self, kept: Kept | None, misses: Counter | None, *, claims: bool) -> bytes | None:
        """A hit that needs a second thought: near its expiry, or in its grace."""
        now_ns = self._now_ns()
        if kept is None or now_ns >= kept.fresh_until_ns + self._grace_ns:
            if misses is not None:
                misses.value += 1
            return None
        with self._lock:
            until_ns = self._claim_ns(kept, now_ns) if claims else _DUE
            if now_ns >= kept.quiet_until_ns and self._draw(kept, now_ns, until_ns):
                return None
            value = kept.value
        self._count(kept)
        return value

    def _draw(self, kept: Kept, now_ns: int, until_ns: int) -> bool:
        """Whether this reader is the one who refreshes; the entry is quiet until `until_ns` then."""
        if kept.quiet_until_ns != _DUE:
            remaining_ns = kept.fresh_until_ns - now_ns
            if remaining_ns > 0 and not self._early.wins(remaining_ns, kept.load_ns):
                return False
            if not self._early.permits(now_ns):
                self._counts.capped.value += 1
                return False
            self._counts.refreshes.value += 1
        kept.quiet_until_ns = until_ns
        return True

    def _claim_ns(self, kept: Kept, now_ns: int) -> int:
        return min(now_ns + self._lease_ns, kept.fresh_until_ns + self._grace_ns)

    # What changes at once for every reader

    def _point(self) -> None:
        """Have hits look where they may: at what is proven, or at nothing while this is off."""
        self._at_hand = self._store.table.proven if self._enabled else _NOTHING

    def _jittered_ns(self, ttl_ns: int) -> int:
        return int(ttl_ns * (1 - self._jitter_ratio * self._chance.random()))

    def _tell(self, kind: str) -> None:
        if self._events is not None:
            unproven = len(self._store.table.unproven)
            self._events.emit(kind, self.name, entries=len(self), unproven=unproven)
