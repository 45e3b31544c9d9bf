"""Laws of the hot keys: the counts' error, the merge's order, and that nobody is answered what is older than a hold."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.hot import HotKey, HotKeys, HotReport, HotSet, Seen, Sketch
from tenfold.protect.reads.hot.pinned_key import digest_of
from tenfold.protect.reads.near import NearCache, NearParts
from tenfold.respond.merges import HotKeyMerge

MS = 1_000_000
HOLD_MS = 1_000
KEYS = st.integers(0, 60).map(lambda number: f"k{number}")


@given(st.lists(st.tuples(KEYS, st.integers(1, 20)), max_size=400), st.integers(4, 32))
def test_a_count_is_never_too_high_and_too_low_by_a_known_part_at_most(
    reads: list[tuple[str, int]], keys_max: int
) -> None:
    """Whatever comes in whatever order: true - 2/keys_max of all ≤ count ≤ true, and the total is exact."""
    sketch = Sketch(fade=Duration.from_s(1), keys_max=keys_max)
    truth: Counter[str] = Counter()
    for key, weight in reads:
        sketch.add(key, weight)
        truth[key] += weight
        assert len(sketch) <= keys_max
    assert abs(sketch.total - truth.total()) < 1e-6 * (1 + truth.total())
    for key, true in truth.items():
        assert sketch.count(key) <= true + 1e-6
        assert sketch.count(key) >= true - 2 / keys_max * truth.total() - 1e-6


@given(st.lists(st.tuples(st.text(max_size=400), st.integers(0, 10**10)), max_size=200))
def test_the_sketch_keeps_to_its_bytes_whatever_the_keys_are(reads: list[tuple[str, int]]) -> None:
    """Keys come from outside, in any script and length, and time in any steps."""
    sketch = Sketch(fade=Duration.from_s(1), bytes_max=8_000)
    for key, now_ns in reads:
        sketch.pass_time(now_ns)
        sketch.add(key, 1)
        assert sketch.held_bytes <= 8_000
        assert sketch.total >= 0


REPORTS = st.builds(
    HotReport,
    name=st.just("price"),
    process=st.sampled_from(["a", "b", "c", "d"]),
    total=st.floats(0, 1e6),
    grain=st.floats(0.5, 100),
    reads=st.dictionaries(KEYS, st.floats(0, 1e6), max_size=20),
    seen=st.dictionaries(
        KEYS, st.builds(Seen, st.integers(0, 5), st.sampled_from(["", "x", "y"]), st.integers(1, 9)), max_size=3
    ),
)


@given(st.lists(REPORTS, max_size=12, unique_by=lambda report: report.process), st.randoms(use_true_random=False))
def test_the_hot_set_does_not_depend_on_the_order_of_reports(reports: list[HotReport], chance: object) -> None:
    """Reports race each other; what the fleet holds hot must not depend on who won, and stands in one order."""
    shuffled = list(reports)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    sets = []
    for order in (reports, shuffled):
        fleet = HotKeyMerge(hot_max=8)
        for report in order:
            fleet.took(report.process, report, 1_000 * MS)
        fleet.changes(1_001 * MS, wall_ms=0)
        sets.append(fleet.hot("price"))
    assert sets[0] == sets[1] == sorted(sets[0])
    assert len(sets[0]) <= 8


@given(st.lists(st.tuples(REPORTS, st.integers(0, 3_000)), max_size=20))
def test_whatever_was_reported_is_forgotten_in_the_end(reports: list[tuple[HotReport, int]]) -> None:
    """A name that nobody reports leaves no set, no report and no sight behind; its record is taken away once."""
    fleet, now_ns = HotKeyMerge(), 0
    told: dict[str, object] = {}
    for report, after_ms in reports:
        now_ns += after_ms * MS
        fleet.took(report.process, report, now_ns)
        told |= fleet.changes(now_ns, wall_ms=0)
    for _ in range(40):
        now_ns += 250 * MS
        told |= fleet.changes(now_ns, wall_ms=0)
    assert told.get("price") is None
    assert fleet._names == {}


class HeldValues(RuleBasedStateMachine):
    """Two processes and the truth: it changes, they read it, and hear of each other early, late or never."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.truth = 1
        self.was_true_until_ms: dict[int, int] = {}
        self.nears = [
            NearCache(
                "price", bytes_max=1 << 20, ttl=Duration.from_ms(100), clock=self.clock, parts=NearParts(seed=seed)
            )
            for seed in (0, 1)
        ]
        self.hots = [HotKeys("price", clock=self.clock, hold=Duration.from_ms(HOLD_MS)) for _ in range(2)]
        for near, hot in zip(self.nears, self.hots, strict=True):
            hot.attach(near, lambda key: None)
            for _ in range(30):
                hot.saw("hot")
        self.sights: list[tuple[int, Seen]] = []

    @property
    def now_ms(self) -> int:
        return self.clock.wall_ns() // MS

    @rule(length_ms=st.integers(0, 700))
    def time_passes(self, length_ms: int) -> None:
        self.clock.advance(Duration.from_ms(length_ms))

    @rule()
    def the_value_changes(self) -> None:
        self.was_true_until_ms[self.truth] = self.now_ms
        self.truth += 1
        self.clock.advance(Duration.from_ms(1))

    @rule(who=st.integers(0, 1))
    def somebody_reads(self, who: int) -> None:
        value = f"{self.truth}".encode()
        token = self.nears[who].begin("hot")
        ttl = self.hots[who].found("hot", value, self.truth)
        self.nears[who].put("hot", value, self.truth, token=token, ttl=ttl)
        self.sights.append((who, Seen(self.truth, digest_of(value), self.now_ms, self.now_ms)))

    @rule(back=st.integers(0, 5), who=st.integers(0, 1))
    def somebody_hears(self, back: int, who: int) -> None:
        """Of what the other saw; also late, twice, and in the wrong order."""
        heard = [seen for by, seen in self.sights if by != who]
        if heard:
            hot = HotKey("hot", 0.2, heard[max(0, len(heard) - 1 - back)], "another")
            self.hots[who].notified(HotSet(self.now_ms, [hot]))

    @invariant()
    def nobody_is_answered_what_is_older_than_a_hold(self) -> None:
        for near in self.nears:
            entry = near.entry("hot")
            if entry is None or not entry.fresh or entry.value is None:
                continue
            until_ms = self.was_true_until_ms.get(int(entry.value), self.now_ms)
            assert self.now_ms - until_ms <= HOLD_MS
            assert entry.version == int(entry.value)

    @invariant()
    def who_has_heard_of_a_newer_value_does_not_answer_the_older(self) -> None:
        for hot, near in zip(self.hots, self.nears, strict=True):
            entry, held = near.entry("hot"), hot._pinner._pinned.get("hot")
            if entry is not None and held is not None:
                assert entry.version >= held.seen.version


HeldValues.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHeldValues = HeldValues.TestCase
