"""The way out of a wrong cache and back: who may read where, and when."""

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.memory_shelf import MemoryShelf

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.audit import Auditor, ReadBudget, RecentKeys
from tenfold.protect.reads.downgrade import CacheGuard, Downgrade, FreshRung, Phase, Repair
from tenfold.protect.reads.downgrade.repair import RepairStalled
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import EVERYTHING, Demand, NotAsked, ReadLadder, ReadShed, Step
from tenfold.protect.reads.near import NearCache
from tenfold.protect.testing import MemoryRung, run_in_virtual_time
from tenfold.telemetry import EventLog

KEYS = [f"key-{number}" for number in range(2_000)]
MS, SECOND = Duration.from_ms(1), Duration.from_s(1)


def opened(clock: VirtualClock, events: EventLog | None = None, **options: object) -> Downgrade:
    return Downgrade("price", clock=clock, events=events, **options)  # type: ignore[arg-type]


def share_at_cache(downgrade: Downgrade) -> float:
    return sum(downgrade.route(key).cache for key in KEYS) / len(KEYS)


def returned(downgrade: Downgrade, clock: VirtualClock) -> None:
    """Through the repair and every share of the return."""
    clock.advance(SECOND)
    assert downgrade.repair_began()
    downgrade.repaired()
    while downgrade.phase is Phase.RETURNING:
        clock.advance(SECOND)
        downgrade.judge(300, 0)


def test_a_normal_day_asks_everybody() -> None:
    """The same constant for every read."""
    downgrade = opened(VirtualClock())
    assert all(
        downgrade.route(key, tier, strict) is EVERYTHING for key in KEYS for tier, strict in ((0, True), (3, False))
    )


def test_reads_leave_by_shares_and_are_all_gone_within_100_ms() -> None:
    """The same keys stay until they leave; time alone makes the steps."""
    clock = VirtualClock()
    downgrade = opened(clock)
    downgrade.begin("test")
    shares, staying = [], set(KEYS)
    for _ in range(3):
        at_cache = {key for key in KEYS if downgrade.route(key).cache}
        assert at_cache <= staying
        staying = at_cache
        shares.append(len(at_cache) / len(KEYS))
        clock.advance(Duration.from_ms(30))
    assert shares == [pytest.approx(0.75, abs=0.04), pytest.approx(0.5, abs=0.04), 0]
    assert downgrade.everybody_left


def test_a_strict_read_leaves_at_once_and_stays_away_until_the_end() -> None:
    """Neither cache nor near cache, in every phase but the normal one."""
    clock = VirtualClock()
    downgrade = opened(clock)
    downgrade.begin("test")
    seen = []
    while downgrade.phase is not Phase.NORMAL:
        seen.append(downgrade.phase)
        assert not any(downgrade.route(key, 0, True).cache or downgrade.route(key, 0, True).near for key in KEYS[:50])
        clock.advance(Duration.from_ms(500))
        if downgrade.repair_began():
            assert not downgrade.route("a", 0, True).cache
            downgrade.repaired()
        downgrade.judge(300, 0)
    assert set(seen) == {Phase.DOWNGRADED, Phase.RETURNING}
    assert downgrade.route("a", 0, True) is EVERYTHING


def test_reads_return_by_shares_while_the_samples_are_clean() -> None:
    """10, 25, 50, 100 %, each for a second and a few hundred clean samples at least."""
    clock, events = VirtualClock(), EventLog("test")
    downgrade = opened(clock, events)
    downgrade.begin("test")
    clock.advance(SECOND)
    assert downgrade.repair_began()
    downgrade.repaired(keys=10, wrong=1)
    shares = []
    while downgrade.phase is Phase.RETURNING:
        shares.append(downgrade.cache_share())
        assert share_at_cache(downgrade) == pytest.approx(shares[-1], abs=0.04)
        downgrade.judge(300, 0)
        assert downgrade.cache_share() == shares[-1], "not before a second has passed"
        clock.advance(SECOND)
        downgrade.judge(0, 0)
    assert shares == [0.1, 0.25, 0.5, 1.0]
    kinds = [event.kind for event in events]
    assert kinds == ["downgrade-begun", "downgrade-repairing", *["downgrade-returning"] * 4, "downgrade-ended"]
    assert list(events)[-1].detail["samples"] == 300


def test_no_more_reads_return_on_too_few_samples_however_long_it_takes() -> None:
    """An hour with a hundred clean keys is not proof enough; two hundred more are."""
    clock = VirtualClock()
    downgrade = opened(clock)
    downgrade.begin("test")
    clock.advance(SECOND)
    assert downgrade.repair_began()
    downgrade.repaired()
    clock.advance(Duration.from_s(3_600))
    downgrade.judge(100, 0)
    assert downgrade.cache_share() == 0.1
    downgrade.judge(200, 0)
    assert downgrade.cache_share() == 0.25


def test_a_cache_that_is_still_wrong_is_left_again_and_rests_longer_each_time() -> None:
    """No flip-flop: two seconds, then four, then eight, up to the bound."""
    clock, events = VirtualClock(), EventLog("test")
    downgrade = opened(clock, events, rest_max=Duration.from_s(8))
    downgrade.begin("test")
    clock.advance(SECOND)
    for rest_s in (2, 4, 8, 8):
        assert downgrade.repair_began()
        downgrade.repaired()
        downgrade.judge(300, 15)
        assert downgrade.phase is Phase.DOWNGRADED
        assert list(events)[-1].detail | {"reason": "still wrong", "mismatches": 15} == list(events)[-1].detail
        clock.advance(Duration.from_s(rest_s - 0.001))
        assert not downgrade.repair_began()
        clock.advance(MS)


def test_a_repair_that_fails_is_tried_again_later() -> None:
    """The reads stay where they are."""
    clock = VirtualClock()
    downgrade = opened(clock)
    downgrade.begin("test")
    clock.advance(SECOND)
    assert downgrade.repair_began()
    downgrade.repair_failed("ConnectionError")
    assert (downgrade.phase, downgrade.repair_due) == (Phase.DOWNGRADED, False)
    clock.advance(Duration.from_s(2))
    assert downgrade.repair_due


def test_a_hand_holds_it_until_it_is_released() -> None:
    """Nothing returns by itself, whatever the repair says."""
    clock, events = VirtualClock(), EventLog("test")
    downgrade = opened(clock, events)
    assert downgrade.begin("li.wei", hold=True, reason="prices look wrong")
    clock.advance(Duration.from_s(3600))
    assert not downgrade.repair_began()
    assert downgrade.held_by == "li.wei"
    downgrade.release("li.wei")
    returned(downgrade, clock)
    assert downgrade.phase is Phase.NORMAL
    begun = next(iter(events))
    assert begun.detail == {"by": "li.wei", "held": True, "reason": "prices look wrong"}
    assert "downgrade-released" in [event.kind for event in events]


def test_a_hold_that_comes_while_the_repair_runs_keeps_the_reads_away() -> None:
    """The repair ends, and nobody returns."""
    clock = VirtualClock()
    downgrade = opened(clock)
    downgrade.begin("auditor")
    clock.advance(SECOND)
    assert downgrade.repair_began()
    assert not downgrade.begin("li.wei", hold=True)
    downgrade.repaired()
    assert (downgrade.phase, downgrade.repair_due) == (Phase.DOWNGRADED, False)


def test_a_person_who_knows_better_ends_it_at_once() -> None:
    """And the word of a repair that still runs moves nothing."""
    clock, events = VirtualClock(), EventLog("test")
    downgrade = opened(clock, events)
    downgrade.begin("auditor")
    clock.advance(SECOND)
    downgrade.repair_began()
    downgrade.end("li.wei")
    downgrade.repaired()
    assert downgrade.phase is Phase.NORMAL
    assert list(events)[-1].detail | {"by": "li.wei", "proven": False} == list(events)[-1].detail


def test_the_lowest_tier_is_given_up_first_when_the_budget_is_short() -> None:
    """P3 at 40 % left, P2 at 30, P1 at 10, P0 with the last; strict reads alike, and the near cache stays."""
    clock = VirtualClock()
    budget = TierBudget(1_000, rate_max=100, burst=100, clock=clock)
    downgrade = opened(clock, budget=budget, leaving=(0.0,))
    downgrade.begin("test")
    given_up_at: dict[int, int] = {}
    for taken in range(101):
        for tier in range(4):
            route = downgrade.route("a", tier)
            assert route.near
            assert not route.cache
            assert route.database == downgrade.route("a", tier, True).database
            if not route.database:
                given_up_at.setdefault(tier, taken)
        budget.take()
    assert given_up_at == {3: 40, 2: 70, 1: 90, 0: 100}


def test_a_budget_that_nobody_uses_admits_every_tier() -> None:
    """However small it is."""
    budget = TierBudget(1, rate_max=1, burst=1, clock=VirtualClock())
    assert all(budget.admits(tier) for tier in range(5))
    budget.take()
    assert not any(budget.admits(tier) for tier in range(5))


def test_a_lagging_replica_is_not_asked_but_looked_at_now_and_then() -> None:
    """And is asked again when a look finds it near."""

    async def main(clock: VirtualClock) -> None:
        lag = SECOND
        replica = MemoryRung("replica", {"a": b"1"})
        rung = FreshRung(replica, lag=lambda: lag, lag_max=Duration.from_ms(800), clock=clock)
        for _ in range(100):
            with pytest.raises(NotAsked, match="replica"):
                await rung.read("a")
            clock.advance(Duration.from_ms(10))
        assert len(replica.reads) == 10
        lag = Duration(0)
        assert await rung.read("a") == Found(b"1")

    run_in_virtual_time(main)


def test_a_child_of_a_fork_is_not_locked_out() -> None:
    """Another thread of the parent was changing the phase in that moment."""
    downgrade = opened(VirtualClock())
    with ThreadPoolExecutor(1) as other:
        other.submit(downgrade._lock.acquire).result()
        child = os.fork()
        if child == 0:
            downgrade.begin("child")
            os._exit(0 if downgrade.phase is Phase.DOWNGRADED else 1)
        assert os.waitpid(child, 0)[1] == 0
        other.submit(downgrade._lock.release).result()
    assert downgrade.phase is Phase.NORMAL


class Cellar:
    """A cache, the database behind it, and a repair."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.database = {key: Found(key.encode(), 7) for key in KEYS}
        self.shelf = MemoryShelf(self.database)
        self.lag = Duration(0)
        self.stalled = False
        self.repair = Repair(
            "price", cache=self.shelf, database=self.read_database, proven_ns=self.proven_ns, clock=clock
        )

    def proven_ns(self) -> int:
        return 0 if self.stalled else self.clock.monotonic_ns() - self.lag.ns

    async def read_database(self, keys: Sequence[str]) -> Mapping[str, Found]:
        return {key: self.database[key] for key in keys if key in self.database}


def test_a_repair_puts_right_what_is_wrong_and_touches_nothing_else() -> None:
    """Wrong values are replaced, what is no longer in the database is removed."""

    async def main(clock: VirtualClock) -> None:
        cellar = Cellar(clock)
        for key in KEYS[:100]:
            cellar.shelf.values[key] = Found(b"wrong", 1 << 60)
        del cellar.database[KEYS[100]]
        done = await cellar.repair.run()
        assert done == (2_000, 101, 101, 0)
        assert cellar.shelf.values == cellar.database

    run_in_virtual_time(main)


def test_a_repair_never_overrules_what_came_while_it_looked() -> None:
    """A write between the last look and the replacement: compare and set leaves the newer value alone."""

    async def main(clock: VirtualClock) -> None:
        cellar = Cellar(clock)
        cellar.shelf.values["key-1"] = Found(b"wrong")
        read = cellar.read_database
        looks = 0

        async def written_meanwhile(keys: Sequence[str]) -> Mapping[str, Found]:
            nonlocal looks
            found = await read(keys)
            looks += "key-1" in keys
            if looks == 2:
                cellar.shelf.values["key-1"] = Found(b"newer", 9)
            return found

        cellar.repair = Repair("price", cache=cellar.shelf, database=written_meanwhile, clock=clock)
        done = await cellar.repair.run()
        assert (done.wrong, done.replaced) == (1, 0)
        assert cellar.shelf.values["key-1"] == Found(b"newer", 9)

    run_in_virtual_time(main)


def test_a_repair_believes_no_replica_that_is_not_proven_to_be_newer() -> None:
    """It gives up after its patience, and has changed nothing."""

    async def main(clock: VirtualClock) -> None:
        cellar = Cellar(clock)
        cellar.shelf.values["key-1"] = Found(b"newer than the replica")
        cellar.stalled = True
        with pytest.raises(RepairStalled):
            await cellar.repair.run()
        assert cellar.shelf.values["key-1"] == Found(b"newer than the replica")
        assert clock.monotonic_ns() <= Duration.from_s(11).ns

    run_in_virtual_time(main)


def test_few_batches_of_a_repair_wait_however_much_is_wrong() -> None:
    """Everything is: at most so many wait for their proof, and the scan waits for them."""

    async def main(clock: VirtualClock) -> None:
        cellar = Cellar(clock)
        for key in KEYS:
            cellar.shelf.values[key] = Found(b"wrong")
        waited: list[int] = []

        async def watched(keys: Sequence[str]) -> Mapping[str, Found]:
            waited.append(len(repair._pending))
            return await cellar.read_database(keys)

        repair = Repair("price", cache=cellar.shelf, database=watched, batch=100, pending_max=3, clock=clock)
        assert (await repair.run()).replaced == len(KEYS)
        assert max(waited) == 2, "the third to come is waited for at once"

    run_in_virtual_time(main)


def test_a_repair_keeps_to_its_rate() -> None:
    """2,000 keys at 1,000 a second: the last batch begins after 1.8 s, and is waited for."""

    async def main(clock: VirtualClock) -> None:
        cellar = Cellar(clock)
        cellar.shelf.values["key-1999"] = Found(b"wrong")
        repair = Repair("price", cache=cellar.shelf, database=cellar.read_database, keys_per_s_max=1_000, clock=clock)
        await repair.run()
        assert clock.monotonic_ns() / 1e9 == pytest.approx(2.3, abs=0.1)

    run_in_virtual_time(main)


class House:
    """near → cache → database behind a guard, with a reader's ladder that goes where the downgrade says."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.events = clock, EventLog("test", clock=clock)
        self.database = MemoryRung("database", {key: Found(key.encode()) for key in KEYS})
        self.shelf = MemoryShelf({key: Found(key.encode()) for key in KEYS})
        self.cache = MemoryRung("main")
        self.cache.values = self.shelf.values  # type: ignore[assignment]  # one dict seen from both sides
        self.near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_s(30), clock=clock)
        self.recent = RecentKeys(chance=random.Random(1))
        self.budget = TierBudget(256, clock=clock)
        self.downgrade = Downgrade("price", budget=self.budget, clock=clock, events=self.events)
        auditor = Auditor(
            "price",
            cache=self.shelf.read_many,
            database=self.read_database,
            keys=self.recent,
            budget=ReadBudget(clock=clock),
            clock=clock,
        )
        repair = Repair("price", cache=self.shelf, database=self.read_database, clock=clock)
        self.guard = CacheGuard(auditor=auditor, downgrade=self.downgrade, repair=repair, distrust=self.near.clear)
        self.ladder = ReadLadder(
            "price",
            near=self.near,
            steps=[Step(self.cache, fills=True), Step(self.database, budget=self.budget)],
            gate=self.downgrade,
            saw=self.recent.saw,
            clock=clock,
        )

    async def read_database(self, keys: Sequence[str]) -> Mapping[str, Found]:
        found = {key: await self.database.read(key) for key in keys}
        return {key: one for key, one in found.items() if one is not None}

    def make_wrong(self, ratio: float) -> None:
        for key in KEYS[: round(ratio * len(KEYS))]:
            self.shelf.values[key] = Found(b"wrong", 1 << 60)

    async def read_all(self, demand: Demand, keys: Sequence[str] = KEYS) -> set[str]:
        """The keys whose answer was wrong."""
        answers = {key: await self.ladder.read(key, demand) for key in keys}
        return {key for key, answer in answers.items() if answer.value != key.encode()}

    async def until(self, phase: Phase, limit: Duration) -> float:
        began_ns = self.clock.monotonic_ns()
        while self.downgrade.phase is not phase:
            assert self.clock.monotonic_ns() - began_ns < limit.ns, f"not {phase} within {limit}"
            await asyncio.sleep(0.005)
        return (self.clock.monotonic_ns() - began_ns) / 1e9


def test_a_cache_that_goes_wrong_is_left_repaired_and_used_again_unattended() -> None:
    """Found within two seconds; strict reads are right from then on; the near cache forgets what it learnt there."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        guarding = asyncio.create_task(house.guard.run())
        house.make_wrong(0.05)
        assert await house.read_all(Demand())
        assert await house.until(Phase.DOWNGRADED, Duration.from_s(2)) <= 2
        strict = Demand(strict=True)
        assert not await house.read_all(strict)
        await asyncio.sleep(0.1)
        assert not await house.read_all(Demand())
        while house.downgrade.phase is not Phase.NORMAL:
            assert clock.monotonic_ns() < Duration.from_s(30).ns
            assert not await house.read_all(strict, KEYS[:150])
            await asyncio.sleep(0.5)
        assert not await house.read_all(Demand())
        assert house.shelf.values["key-1"].value == b"key-1"
        house.guard.close()
        await guarding
        await house.ladder.close()
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)


def test_the_near_cache_forgets_what_it_learnt_from_the_cache_when_reads_leave_it() -> None:
    """Held by hand, so that nothing is repaired: what it answers from then on is the database's."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        guarding = asyncio.create_task(house.guard.run())
        house.make_wrong(0.05)
        assert len(await house.read_all(Demand(), KEYS[:150])) == 100
        house.downgrade.begin("li.wei", hold=True)
        await asyncio.sleep(0.1)
        assert not await house.read_all(Demand(), KEYS[:150])
        assert (await house.ladder.read(KEYS[0])).rung == "near"
        house.guard.close()
        await guarding
        await house.ladder.close()

    run_in_virtual_time(main)


def test_a_few_wrong_keys_are_mended_one_by_one_and_nobody_leaves() -> None:
    """Three of two thousand."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        guarding = asyncio.create_task(house.guard.run())
        house.make_wrong(0.0015)
        for key in KEYS:
            house.recent.saw(key)
        await asyncio.sleep(30)
        assert house.downgrade.phase is Phase.NORMAL
        assert list(house.events) == []
        assert all(house.shelf.values[key].value == key.encode() for key in KEYS)
        house.guard.close()
        await guarding
        await house.ladder.close()

    run_in_virtual_time(main)


def test_an_alarm_is_not_followed_when_it_is_by_hand_only() -> None:
    """And a hand still can."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        house.downgrade.automatic = False
        guarding = asyncio.create_task(house.guard.run())
        house.make_wrong(0.5)
        for key in KEYS:
            house.recent.saw(key)
        await asyncio.sleep(10)
        assert house.downgrade.phase is Phase.NORMAL
        house.downgrade.begin("li.wei")
        await house.until(Phase.NORMAL, Duration.from_s(30))
        assert not await house.read_all(Demand())
        house.guard.close()
        await guarding
        await house.ladder.close()

    run_in_virtual_time(main)


def test_an_empty_cache_is_returned_to() -> None:
    """What is not there is not wrong there."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        guarding = asyncio.create_task(house.guard.run())
        for key in KEYS:
            house.recent.saw(key)
        house.downgrade.begin("li.wei")
        house.cache.values.clear()
        await house.until(Phase.RETURNING, Duration.from_s(5))
        await house.until(Phase.NORMAL, Duration.from_s(15))
        house.guard.close()
        await guarding

    run_in_virtual_time(main)


def test_a_read_of_a_low_tier_is_shed_and_the_near_cache_answers_it_when_it_can() -> None:
    """Nothing near: ReadShed."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        house.downgrade.begin("li.wei", hold=True)
        await asyncio.sleep(0.1)
        for _ in range(200):
            house.budget.take()
        with pytest.raises(ReadShed):
            await house.ladder.read("key-1", Demand(tier=3))
        assert (await house.ladder.read("key-1", Demand(tier=0))).rung == "database"
        assert (await house.ladder.read("key-1", Demand(tier=3))).rung == "near"
        await house.ladder.close()

    run_in_virtual_time(main)
