"""What a caller may insist on of a ladder's answer, and who then answers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Demand, NearCache, ReadLadder, Step
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import LadderExhausted, ReadShed, Route
from tenfold.protect.reads.near import Lifetimes
from tenfold.protect.testing import MemoryRung, run_in_virtual_time

S_NS = 1_000_000_000


class Gate:
    """Answers the route it is told to."""

    def __init__(self) -> None:
        self.open = Route()

    def route(self, key: str, tier: int, strict: bool) -> Route:
        return self.open if tier or strict else Route()


class Lagging:
    """near → cache → replica → primary: the replica is ten seconds and five versions behind."""

    def __init__(self, clock: VirtualClock) -> None:
        now_ns = clock.wall_ns()
        self.gate = Gate()
        self.near = NearCache(
            "price", bytes_max=1 << 20, ttl=Duration.from_s(60), lifetimes=Lifetimes(jitter_ratio=0), clock=clock
        )
        self.cache = MemoryRung("cache", {"a": Found(b"30 s ago", 70, now_ns - 30 * S_NS)})
        self.replica = MemoryRung("replica", {"a": Found(b"10 s ago", 95, now_ns - 10 * S_NS)})
        self.primary = MemoryRung("primary", {"a": Found(b"now", 100, now_ns)})
        self.ladder = ReadLadder(
            "price",
            near=self.near,
            steps=[Step(self.cache, fills=True), Step(self.replica), Step(self.primary)],
            gate=self.gate,
            clock=clock,
        )


def in_lagging(test: Callable[[Lagging], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        place = Lagging(clock)
        await test(place)
        await place.ladder.close()

    run_in_virtual_time(main)


@pytest.mark.parametrize(
    ("demand", "rung"),
    [
        (Demand(), "cache"),
        (Demand(max_stale=Duration.from_s(40)), "cache"),
        (Demand(max_stale=Duration.from_s(20)), "replica"),
        (Demand(max_stale=Duration.from_s(5)), "primary"),
        (Demand(not_before=70), "cache"),
        (Demand(not_before=71), "replica"),
        (Demand(not_before=96), "primary"),
    ],
)
def test_the_first_rung_that_is_new_enough_answers(demand: Demand, rung: str) -> None:
    """By age or by version; whoever demands nothing takes the first answer."""

    async def test(place: Lagging) -> None:
        answer = await place.ladder.read("a", demand)
        assert answer.rung == rung
        assert demand.accepts(answer.version, answer.age.ns)

    in_lagging(test)


def test_what_a_demand_brought_down_replaces_what_was_too_old() -> None:
    """In the near cache and in the cache that could not answer."""

    async def test(place: Lagging) -> None:
        assert (await place.ladder.read("a")).value == b"30 s ago"
        assert (await place.ladder.read("a", Demand(not_before=100))).value == b"now"
        await asyncio.sleep(0.01)
        assert (await place.ladder.read("a")) == (b"now", "near", Duration.from_ms(10), False, 100)
        assert place.cache.values["a"] == place.primary.values["a"]

    in_lagging(test)


def test_a_demand_that_nobody_can_meet_is_no_answer() -> None:
    """Not even when everybody has an older one; the error says why, rung by rung."""

    async def test(place: Lagging) -> None:
        await place.ladder.read("a")
        with pytest.raises(LadderExhausted, match="cache: old, replica: old, primary: old"):
            await place.ladder.read("a", Demand(not_before=101))

    in_lagging(test)


def test_those_who_demand_more_do_not_join_a_climb_that_demands_less() -> None:
    """Both at once, each gets what it asked for; those who ask the same share."""

    async def test(place: Lagging) -> None:
        newest = Demand(not_before=100)
        answers = await asyncio.gather(*(place.ladder.read("a", demand) for demand in (Demand(), newest, newest)))
        assert [answer.rung for answer in answers] == ["cache", "primary", "primary"]
        assert len(place.primary.reads) == 1

    in_lagging(test)


def test_a_gate_that_closes_the_caches_leads_past_near_and_cache() -> None:
    """A strict read goes to the databases while others are still answered near."""

    async def test(place: Lagging) -> None:
        await place.ladder.read("a")
        place.gate.open = Route(near=False, cache=False)
        assert (await place.ladder.read("a", Demand(strict=True))).rung == "replica"
        assert len(place.cache.reads) == 1
        assert (await place.ladder.read("a")).rung == "near"

    in_lagging(test)


def test_a_read_that_no_place_may_answer_is_shed_unless_it_lies_near() -> None:
    """ReadShed asks nobody; a value at hand is given away all the same."""

    async def test(place: Lagging) -> None:
        place.gate.open = Route(near=True, cache=False, database=False)
        with pytest.raises(ReadShed, match="tier 3"):
            await place.ladder.read("a", Demand(tier=3))
        assert place.cache.reads == place.replica.reads == []
        await place.ladder.read("a")
        assert (await place.ladder.read("a", Demand(tier=3))).rung == "near"

    in_lagging(test)


def test_a_strict_read_is_never_answered_by_what_is_stale() -> None:
    """A day when nobody can say: whoever takes anything gets the old value, the strict one an error."""

    async def main(clock: VirtualClock) -> None:
        near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_s(1), stale=Duration.from_s(60), clock=clock)
        rung = MemoryRung("primary", {"a": b"1"})
        ladder = ReadLadder("price", near=near, steps=[Step(rung)], clock=clock)
        await ladder.read("a")
        clock.advance(Duration.from_s(2))
        rung.broken = True
        assert (await ladder.read("a")).stale
        with pytest.raises(LadderExhausted):
            await ladder.read("a", Demand(strict=True))
        await ladder.close()

    run_in_virtual_time(main)


def test_a_value_in_its_grace_is_answered_at_once_and_read_anew_once() -> None:
    """Stale while revalidate: a hundred readers wait for nobody, and the rung is asked by one."""

    async def main(clock: VirtualClock) -> None:
        near = NearCache(
            "price",
            bytes_max=1 << 20,
            ttl=Duration.from_s(1),
            grace=Duration.from_s(5),
            lifetimes=Lifetimes(jitter_ratio=0),
            clock=clock,
        )
        rung = MemoryRung("primary", {"a": b"1"})
        ladder = ReadLadder("price", near=near, steps=[Step(rung)], clock=clock)
        await ladder.read("a")
        rung.values["a"] = b"2"
        clock.advance(Duration.from_s(2))
        answers = [await ladder.read("a") for _ in range(100)]
        assert {answer.value for answer in answers[:1]} == {b"1"}
        await asyncio.sleep(0.01)
        assert (await ladder.read("a")).value == b"2"
        assert rung.reads == ["a", "a"]
        await ladder.close()

    run_in_virtual_time(main)


def test_what_an_invalidation_named_does_not_come_back_from_a_rung_that_has_not_heard() -> None:
    """Cache and replica still hold the old version; the climb goes on to whoever is as new as the invalidation."""

    async def test(place: Lagging) -> None:
        await place.ladder.read("a")
        place.near.invalidate("a", version=100)
        answer = await place.ladder.read("a")
        assert (answer.value, answer.rung) == (b"now", "primary")
        await asyncio.sleep(0.01)
        assert place.cache.values["a"] == place.primary.values["a"]

    in_lagging(test)
