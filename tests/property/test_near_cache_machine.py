"""The near cache against a plain dictionary and a list of what was invalidated, on virtual time."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.near import EarlyRefresh, FillToken, Lifetimes, NearCache, NearParts, Tombstones

TTL, ABSENT_TTL, GRACE, STALE, LEASE = (Duration.from_ms(ms) for ms in (1_000, 300, 400, 3_000, 250))
FOREVER = Duration.from_s(1 << 30)
DUE = -1
KEYS = st.sampled_from(["a", "b", "c", "价"])
VERSIONS = st.integers(0, 4)
VALUES = st.one_of(st.none(), st.binary(max_size=70))


@dataclass
class Lies:
    """What the model says lies in the cache."""

    value: bytes | None
    version: int
    put_at_ns: int
    ttl_ns: int
    quiet_until_ns: int
    proven: bool

    def is_usable(self, now_ns: int) -> bool:
        stale_ns = STALE.ns if self.value is not None else 0
        return now_ns < self.put_at_ns + self.ttl_ns + stale_ns

    def is_fresh(self, now_ns: int) -> bool:
        return self.proven and now_ns < self.put_at_ns + self.ttl_ns

    def answerable_until_ns(self) -> int:
        return self.put_at_ns + self.ttl_ns + (GRACE.ns if self.value is not None else 0)

    def is_answerable(self, now_ns: int) -> bool:
        return self.proven and now_ns < self.answerable_until_ns()


@dataclass
class Load:
    """A load that has begun: its token, and how many things had happened then."""

    key: str
    token: FillToken
    happened: int


class NearCacheMachine(RuleBasedStateMachine):
    loads: Bundle[Load] = Bundle("loads")

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.cache = NearCache(
            "model",
            bytes_max=1 << 20,
            ttl=TTL,
            grace=GRACE,
            stale=STALE,
            lifetimes=Lifetimes(jitter_ratio=0.0, absent_ttl=ABSENT_TTL, refresh_lease=LEASE),
            parts=NearParts(
                early=EarlyRefresh(beta=0.0, per_s_max=1e9, burst=1_000_000),
                tombstones=Tombstones(number_max=1_000_000, lifetime=FOREVER),
            ),
            clock=self.clock,
        )
        self.lies: dict[str, Lies] = {}
        self.happened: list[tuple[str | None, int]] = []
        """Invalidations in their order: key (None: all) and version."""
        self.proven = True
        self.enabled = True

    @property
    def now_ns(self) -> int:
        return self.clock.monotonic_ns()

    @rule(ms=st.one_of(st.integers(0, 500), st.sampled_from([250, 300, 400, 1_000, 1_300, 4_000])))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(Duration.from_ms(ms))

    @rule(target=loads, key=KEYS)
    def a_load_begins(self, key: str) -> Load:
        return Load(key, self.cache.begin(key), len(self.happened))

    @rule(load=loads, value=VALUES, version=VERSIONS)
    def a_load_ends(self, load: Load, value: bytes | None, version: int) -> None:
        self.put(load.key, value, version, load)

    @rule(key=KEYS, value=VALUES, version=VERSIONS)
    def a_value_is_pushed(self, key: str, value: bytes | None, version: int) -> None:
        self.put(key, value, version, None)

    @rule(key=KEYS, version=VERSIONS)
    def a_key_is_invalidated(self, key: str, version: int) -> None:
        self.cache.invalidate(key, version)
        self.happened.append((key, version))
        if not version or self.held_version(key) < version:
            self.lies.pop(key, None)

    @rule(key=KEYS)
    def a_key_is_dropped(self, key: str) -> None:
        self.cache.drop(key)
        self.lies.pop(key, None)

    @rule()
    def everything_is_cleared(self) -> None:
        self.cache.clear()
        self.happened.append((None, 0))
        self.lies.clear()

    @rule()
    def doubt_begins(self) -> None:
        self.cache.doubt()
        self.happened.append((None, 0))
        self.proven = False
        self.lies = {key: lies for key, lies in self.lies.items() if lies.value is not None}
        for lies in self.lies.values():
            lies.proven = False

    @rule()
    def doubt_ends(self) -> None:
        self.cache.prove()
        if not self.proven:
            self.happened.append((None, 0))
        self.proven = True

    @rule(enabled=st.booleans())
    def the_switch_is_set(self, enabled: bool) -> None:
        self.cache.enabled = self.enabled = enabled

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self.cache.get(key) == self.plain_answer(key, self.now_ns + LEASE.ns)

    @rule(key=KEYS)
    def hit(self, key: str) -> None:
        assert self.cache.hit(key) == self.plain_answer(key, DUE)

    @rule(key=KEYS)
    def read(self, key: str) -> None:
        entry, lies = self.cache.read(key), self.lies.get(key)
        self.compare(key)
        is_due = self.enabled and lies is not None and lies.value is not None and lies.is_answerable(self.now_ns)
        is_due = is_due and self.now_ns >= lies.quiet_until_ns  # type: ignore[union-attr]
        assert (entry is not None and entry.refresh) == is_due
        if is_due:
            self.claim(lies, self.now_ns + LEASE.ns)  # type: ignore[arg-type]

    @rule(key=KEYS)
    def compare(self, key: str) -> None:
        entry, lies = self.cache.entry(key), self.lies.get(key)
        if lies is None or not self.enabled or not lies.is_usable(self.now_ns):
            assert entry is None
            return
        assert entry is not None
        assert (entry.value, entry.version, entry.proven) == (lies.value, lies.version, lies.proven)
        assert entry.age.ns == self.now_ns - lies.put_at_ns
        assert entry.fresh == lies.is_fresh(self.now_ns)
        assert entry.answerable == lies.is_answerable(self.now_ns)
        assert not entry.refresh

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        present = [lies for lies in self.lies.values() if lies.value is not None]
        assert len(self.cache) - self.cache.absent_entries == len(present)

    def put(self, key: str, value: bytes | None, version: int, load: Load | None) -> None:
        token = load.token if load else None
        taken = self.cache.put(key, value, version, token=token)
        assert taken == (self.enabled and not self.is_refused(key, version, load))
        if not taken:
            return
        ttl_ns = TTL.ns if value is not None else ABSENT_TTL.ns
        self.lies[key] = Lies(value, version, self.now_ns, ttl_ns, self.now_ns + ttl_ns, self.proven)
        if value is None and not self.proven:
            del self.lies[key]  # in doubt there is no knowing that there is nothing

    def is_refused(self, key: str, version: int, load: Load | None) -> bool:
        if version and version < self.held_version(key):
            return True
        since_all = self.happened[self.last_of_all() :]
        named = max((named for invalidated, named in since_all if invalidated == key), default=0)
        if version and version < named:
            return True
        if load is None:
            return False
        since_load = self.happened[load.happened :]
        return any(
            invalidated is None or (invalidated == key and not (version and named and by))
            for invalidated, by in since_load
        )

    def last_of_all(self) -> int:
        return max((place + 1 for place, (key, _) in enumerate(self.happened) if key is None), default=0)

    def held_version(self, key: str) -> int:
        lies = self.lies.get(key)
        return lies.version if lies is not None and lies.is_usable(self.now_ns) else 0

    def plain_answer(self, key: str, claimed_until_ns: int) -> bytes | None:
        lies = self.lies.get(key)
        if lies is None or lies.value is None or not self.enabled or not lies.is_answerable(self.now_ns):
            return None
        if self.now_ns >= lies.quiet_until_ns:
            self.claim(lies, claimed_until_ns)
            return None
        return lies.value

    @staticmethod
    def claim(lies: Lies, until_ns: int) -> None:
        lies.quiet_until_ns = min(until_ns, lies.answerable_until_ns())


NearCacheMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestNearCacheMachine = NearCacheMachine.TestCase
