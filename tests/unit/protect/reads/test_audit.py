"""What an audit samples, suspects and counts, and when it sounds the alarm."""

import asyncio
import random
from collections.abc import Mapping, Sequence

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.audit import (
    Auditor,
    BatchComparison,
    Cusum,
    Freshness,
    Ratios,
    ReadBudget,
    RecentKeys,
    Settled,
    Sprt,
    SprtDecision,
    each_of,
)
from tenfold.protect.reads.found import Found
from tenfold.protect.testing import MemoryRung
from tenfold.telemetry import EventLog, Registry

SECOND = Duration.from_s(1)
SETTLE = Duration.from_ms(500)
TICK = Duration.from_ms(20)


class House:
    """A cache and a database in memory, and an auditor over all their keys."""

    def __init__(self, keys: int = 1_000) -> None:
        self.clock, self.events, self.registry = VirtualClock(), EventLog("test"), Registry()
        self.database = {f"key-{number}": Found(b"%d" % number) for number in range(keys)}
        self.cache = dict(self.database)
        self.recent = RecentKeys(chance=random.Random(1))
        for key in self.database:
            self.recent.saw(key)
        self.broken = False
        self.round_trips = 0
        self.auditor = Auditor(
            "price",
            cache=self.read_cache,
            database=self.read_database,
            keys=self.recent,
            settle=SETTLE,
            budget=ReadBudget(clock=self.clock),
            clock=self.clock,
            registry=self.registry,
            events=self.events,
        )

    async def read_cache(self, keys: Sequence[str]) -> Mapping[str, Found]:
        return {key: self.cache[key] for key in keys if key in self.cache}

    async def read_database(self, keys: Sequence[str]) -> Mapping[str, Found]:
        self.round_trips += 1
        if self.broken:
            raise ConnectionError
        return {key: self.database[key] for key in keys if key in self.database}

    def make_wrong(self, ratio: float) -> None:
        for key in list(self.database)[: round(ratio * len(self.database))]:
            self.cache[key] = Found(b"wrong", 1 << 60)

    def steps(self, length: Duration, tick: Duration = TICK) -> list[Settled]:
        async def run() -> list[Settled]:
            verdicts = []
            for _ in range(length.ns // tick.ns):
                verdicts.append(await self.auditor.step())
                self.clock.advance(tick)
            return [settled for settled in verdicts if settled is not None]

        return asyncio.run(run())

    def count(self, name: str) -> int:
        return self.registry.counter(name, "", ("audit",)).child("price").value


def test_a_cache_that_is_right_is_never_suspected() -> None:
    """A minute of samples, no pending batch, no mismatch."""
    house = House()
    verdicts = house.steps(Duration.from_s(60))
    assert sum(settled.samples for settled in verdicts) > 10_000
    assert not any(settled.wrong or settled.alarm for settled in verdicts)
    assert not house.auditor.waits


def test_five_percent_wrong_are_an_alarm_within_two_seconds_and_the_evidence_is_told() -> None:
    """Whatever versions the wrong entries carry; the event names examples, and few."""
    house = House()
    house.make_wrong(0.05)
    assert any(settled.alarm for settled in house.steps(Duration.from_s(2)))
    alarm = next(event for event in house.events if event.kind == "audit-alarm")
    assert alarm.subject == "price"
    assert alarm.detail["mismatches"] >= 8
    assert alarm.detail["level"] >= alarm.detail["threshold"]
    assert 1 <= len(alarm.detail["examples"]) <= 8
    assert house.count("tenfold_audit_mismatches_total") >= 8


def test_a_mismatch_that_is_gone_after_the_wait_counts_for_nothing() -> None:
    """A write that the cache heard of a little late."""
    house = House()
    house.make_wrong(0.5)
    house.steps(Duration.from_ms(400))
    assert house.auditor.waits
    house.cache = dict(house.database)
    verdicts = house.steps(Duration.from_s(2))
    assert verdicts
    assert not any(settled.wrong for settled in verdicts)


def test_nothing_is_judged_while_the_replica_is_not_proven_to_be_newer() -> None:
    """A replica that hangs makes no alarm, however long it hangs, and few batches wait for it."""
    house = House()
    proven_ns = 0
    house.auditor = Auditor(
        "price",
        cache=house.read_cache,
        database=house.read_database,
        keys=house.recent,
        proven_ns=lambda: proven_ns,
        settle=SETTLE,
        budget=ReadBudget(clock=house.clock),
        clock=house.clock,
    )
    house.make_wrong(1.0)
    assert house.steps(Duration.from_s(60)) == []
    assert house.round_trips <= 16
    proven_ns = house.clock.monotonic_ns()
    assert any(settled.alarm for settled in house.steps(Duration.from_s(2)))


def test_a_few_wrong_keys_that_are_read_all_the_time_are_no_large_scale() -> None:
    """Each is counted once while the evidence lasts: four of a hundred keys, wrong for ten minutes, always sampled."""
    house = House(keys=100)
    house.make_wrong(0.04)
    verdicts = house.steps(Duration.from_s(600), tick=Duration.from_ms(200))
    assert any(settled.wrong for settled in verdicts)
    assert not any(settled.alarm for settled in verdicts)


def test_keys_that_the_cache_does_not_have_are_no_samples() -> None:
    """They are said to be absent, and the database is not asked for them."""
    house = House()
    house.cache.clear()
    verdicts = house.steps(SECOND)
    assert {settled.samples for settled in verdicts} == {0}
    assert min(settled.absent for settled in verdicts) > 100
    assert house.round_trips == 0


def test_a_deleted_row_that_lies_in_the_cache_is_a_mismatch() -> None:
    """Nothing is also an answer of the database."""
    house = House()
    for key in list(house.database)[:100]:
        del house.database[key]
    assert any(settled.alarm for settled in house.steps(Duration.from_s(2)))


def test_a_database_that_cannot_be_read_proves_nothing_and_is_counted() -> None:
    """No verdict, no exception, and the audit goes on when it is back."""
    house = House()
    house.make_wrong(0.05)
    house.broken = True
    assert house.steps(Duration.from_s(5)) == []
    assert house.count("tenfold_audit_failures_total") >= 5
    assert [event.kind for event in house.events] == ["audit-blind"]
    house.broken = False
    assert any(settled.alarm for settled in house.steps(Duration.from_s(2)))


def test_an_audit_stays_below_its_floor_when_nobody_reads() -> None:
    """Five round trips a second and what was saved up, however much looks wrong."""
    house = House()
    house.make_wrong(0.5)
    house.steps(Duration.from_s(60))
    assert 100 <= house.round_trips <= 60 * 5 + 4


def test_an_audit_takes_one_read_of_a_hundred_when_many_read() -> None:
    """The floor does not come on top."""
    clock = VirtualClock()
    reads = 0
    budget = ReadBudget(reads=lambda: reads, clock=clock)
    taken = 0
    for _ in range(6_000):
        clock.advance(Duration.from_ms(10))
        reads += 20
        taken += budget.take()
    assert taken == pytest.approx(reads * 0.01, abs=5)


def test_what_is_kept_back_is_there_when_something_looks_wrong() -> None:
    """A take that keeps two leaves two for one that keeps none."""
    budget = ReadBudget(clock=VirtualClock())
    assert [budget.take(keep=2) for _ in range(4)] == [True, True, False, False]
    assert [budget.take() for _ in range(4)] == [True, True, False, False]


def test_a_suspect_whose_value_changes_in_either_place_is_looked_at_again_and_then_given_up() -> None:
    """Three looks; a key that is written all the time is neither right nor wrong."""
    batch = BatchComparison({"a": Found(b"0")}, {"a": Found(b"1")}, 0)
    for look in range(1, 3):
        batch.look_again({"a": Found(b"%d" % look)}, {"a": Found(b"%d" % (look + 1))}, look)
        assert batch.suspects == ["a"]
    batch.look_again({"a": Found(b"3")}, {"a": Found(b"4")}, 3)
    assert (batch.suspects, batch.right, batch.wrong, batch.unclear) == ([], 0, [], 1)


def test_a_suspect_is_wrong_only_when_neither_side_has_changed() -> None:
    """The database has changed: a write is under way, of which the cache may not have heard yet; and the reverse."""
    cached, stored = {"a": Found(b"0"), "b": Found(b"0")}, {"a": Found(b"1"), "b": Found(b"1")}
    batch = BatchComparison(cached, stored, 0)
    batch.look_again(cached | {"b": Found(b"2")}, stored | {"a": Found(b"2")}, 1)
    assert (batch.suspects, batch.wrong) == (["a", "b"], [])
    batch.look_again(cached | {"b": Found(b"2")}, stored | {"a": Found(b"2")}, 2)
    assert [pair.key for pair in batch.wrong] == ["a", "b"]


def test_a_suspect_that_has_left_the_cache_is_no_evidence() -> None:
    """Whoever removed it put it right."""
    batch = BatchComparison({"a": Found(b"0")}, {}, 0)
    batch.look_again({}, {}, 1)
    assert (batch.suspects, batch.right, batch.wrong, batch.unclear) == ([], 0, [], 1)


def test_recent_keys_forget_the_oldest_and_give_each_once() -> None:
    """Bounded, and a sample has no key twice."""
    recent = RecentKeys(keys_max=10, chance=random.Random(1))
    for number in range(100):
        recent.saw(f"key-{number % 95}")
    assert len(recent) == 10
    sample = recent.sample(50)
    assert len(sample) == len(set(sample)) == 10
    assert RecentKeys().sample(5) == []


def test_a_replica_is_proven_by_what_it_has_replayed_and_by_nothing_else() -> None:
    """Position 20 was written at 2: only with it replayed are its answers as new as that."""
    freshness = Freshness()
    freshness.primary_was_at(10, 1)
    freshness.primary_was_at(20, 2)
    freshness.replica_is_at(19)
    assert freshness.proven_ns() == 1
    freshness.replica_is_at(20)
    assert freshness.proven_ns() == 2
    freshness.primary_was_at(20, 30)
    freshness.replica_is_at(20)
    assert freshness.proven_ns() == 30


def test_a_replica_that_was_rebuilt_and_is_behind_is_not_believed_for_what_it_once_was() -> None:
    """Its position went back: what the primary writes from now on is owed again."""
    freshness = Freshness()
    freshness.replica_is_at(50)
    freshness.replica_is_at(5)
    freshness.primary_was_at(50, 7)
    assert freshness.proven_ns() == 0


def test_marks_of_a_replica_that_hangs_are_bounded() -> None:
    """A day of marks costs what a minute does."""
    freshness = Freshness()
    for number in range(100_000):
        freshness.primary_was_at(number + 1, number)
    freshness.replica_is_at(1_000_000)
    assert freshness.proven_ns() == 1_023


def test_the_return_is_decided_once_and_stands() -> None:
    """A few hundred clean samples are enough; what comes later changes nothing."""
    test = Sprt()
    assert test.record(100, 0) is SprtDecision.UNDECIDED
    assert test.record(200, 0) is SprtDecision.USUAL
    assert test.record(100, 100) is SprtDecision.USUAL
    assert Sprt().record(256, 13) is SprtDecision.WRONG


def test_an_alarm_needs_more_than_a_handful_of_keys() -> None:
    """Seven wrong keys and nothing else are not yet enough, eight are."""
    test = Cusum()
    assert not test.record(7, 7)
    assert test.record(1, 1)


def test_ratios_that_cannot_be_told_apart_are_refused() -> None:
    """What is usual must be rarer than what is wrong."""
    with pytest.raises(ValueError, match="usual"):
        Ratios(usual=0.02, wrong=0.02)


def test_a_rung_is_read_for_many_keys_at_once() -> None:
    """Absent keys are left out."""
    rung = MemoryRung("database", {"a": b"1", "b": b"2"})

    async def read() -> Mapping[str, Found]:
        return await each_of(rung)(["a", "b", "c"])

    assert asyncio.run(read()) == {"a": Found(b"1"), "b": Found(b"2")}
