"""The read ladder: who is asked, who answers, who is filled. Time is the loop's and costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker, NearCache, ReadLadder, Step
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import Answer, LadderBounds, LadderClosed, LadderExhausted
from tenfold.protect.reads.ladder.fills import Fills
from tenfold.protect.reads.near import Lifetimes
from tenfold.protect.testing import MemoryRung, run_in_virtual_time
from tenfold.telemetry import EventLog, Registry, render


class House:
    """near → main → standby → database, on virtual time."""

    def __init__(self, clock: VirtualClock, *, inflight_max: int = 64, fills_max: int = 1024) -> None:
        self.registry = Registry()
        self.events = EventLog("test", clock=clock)
        self.near = NearCache(
            "price",
            bytes_max=1 << 20,
            ttl=Duration.from_s(1),
            stale=Duration.from_s(60),
            lifetimes=Lifetimes(jitter_ratio=0),
            clock=clock,
        )
        self.main, self.standby = MemoryRung("main"), MemoryRung("standby")
        self.in_step = False
        self.database = MemoryRung("database", {"a": b"1"})
        self.breaker = Breaker("main", clock=clock)
        self.ladder = ReadLadder(
            "price",
            near=self.near,
            steps=[
                Step(self.main, breaker=self.breaker, fills=True, inflight_max=inflight_max),
                Step(self.standby, breaker=Breaker("standby", clock=clock), fills=True, mirrors=lambda: self.in_step),
                Step(self.database),
            ],
            clock=clock,
            registry=self.registry,
            events=self.events,
            bounds=LadderBounds(fills_max=fills_max),
        )

    def metrics(self) -> str:
        return render(self.registry).decode()


def in_house(
    test: Callable[[House, VirtualClock], Awaitable[None]], *, inflight_max: int = 64, fills_max: int = 1024
) -> None:
    """Run `test`; whatever it does, no task may be left when the ladder is closed."""

    async def main(clock: VirtualClock) -> None:
        house = House(clock, inflight_max=inflight_max, fills_max=fills_max)
        await test(house, clock)
        await house.ladder.close()
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)


def test_a_lower_rungs_answer_fills_every_rung_above_that_had_nothing() -> None:
    """The near cache at once, the others in the background."""

    async def test(house: House, clock: VirtualClock) -> None:
        read_at_ns = clock.wall_ns()
        assert await house.ladder.read("a") == Answer(b"1", "database")
        assert house.ladder.near_hit("a") == b"1"
        assert (await house.ladder.read("a")).rung == "near"
        await asyncio.sleep(0.01)
        assert house.main.values == house.standby.values == {"a": Found(b"1", true_at_ns=read_at_ns)}

    in_house(test)


def test_a_rung_that_fails_is_passed_over_and_not_filled() -> None:
    """The reader sees an answer and no error."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.broken = True
        house.standby.values["a"] = b"1"
        assert (await house.ladder.read("a")).rung == "standby"
        await asyncio.sleep(0.01)
        assert house.main.values == {}
        assert 'reads_total{ladder="price",rung="main",outcome="failed"} 1' in house.metrics()

    in_house(test)


def test_a_rung_that_hangs_costs_its_timeout_until_its_breaker_opens() -> None:
    """Fifty milliseconds, five times; then nothing."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.hung = True
        for number in range(10):
            house.database.values[str(number)] = b"1"
            began_ns = clock.monotonic_ns()
            assert (await house.ladder.read(str(number))).value == b"1"
            waited_ms = (clock.monotonic_ns() - began_ns) / 1e6
            assert 50 <= waited_ms < 51 if number < 5 else waited_ms == 0
        assert house.breaker.state is BreakerState.OPEN
        assert len(house.main.reads) == 5

    in_house(test)


def test_a_rung_that_comes_back_is_found_by_a_probe() -> None:
    """One read at a time finds out; then all go there again."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.broken = True
        for number in range(5):
            await house.ladder.read(str(number))
        house.main.broken = False
        house.main.values["b"] = b"2"
        assert (await house.ladder.read("b")).value is None
        clock.advance(Duration.from_s(1))
        assert (await house.ladder.read("b")).rung == "main"
        assert house.breaker.state is BreakerState.CLOSED

    in_house(test)


def test_a_full_rung_is_passed_over_without_a_word_to_its_breaker() -> None:
    """The bulkhead: two in flight, the others go on at once."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.hung = True
        house.database.values = {str(number): b"1" for number in range(10)}
        reads = [asyncio.create_task(house.ladder.read(str(number))) for number in range(10)]
        await asyncio.gather(*reads)
        assert len(house.main.reads) == 2
        assert 'rung="main",outcome="full"} 8' in house.metrics()

    in_house(test, inflight_max=2)


def test_concurrent_reads_of_one_key_climb_once() -> None:
    """A thousand readers, one question to each rung."""

    async def test(house: House, clock: VirtualClock) -> None:
        answers = await asyncio.gather(*(house.ladder.read("a") for _ in range(1000)))
        assert {answer.value for answer in answers} == {b"1"}
        assert house.database.reads == house.main.reads == ["a"]

    in_house(test)


def test_the_last_rungs_word_that_there_is_nothing_is_believed_for_a_short_time() -> None:
    """Then it is asked again."""

    async def test(house: House, clock: VirtualClock) -> None:
        assert await house.ladder.read("x") == Answer(None, "database")
        answer = await house.ladder.read("x")
        assert (answer.value, answer.rung, answer.stale) == (None, "near", False)
        assert house.ladder.near_hit("x") is None
        clock.advance(Duration.from_s(1))
        house.database.values["x"] = b"1"
        assert (await house.ladder.read("x")).value == b"1"

    in_house(test)


def test_when_no_rung_can_say_the_stale_value_is_the_answer() -> None:
    """It says how old it is, and an event says that it happened."""

    async def test(house: House, clock: VirtualClock) -> None:
        await house.ladder.read("a")
        for rung in (house.main, house.standby, house.database):
            rung.broken = True
        clock.advance(Duration.from_s(5))
        assert await house.ladder.read("a") == Answer(b"1", "near", Duration.from_s(5), stale=True)
        assert [event.kind for event in house.events] == ["ladder-exhausted"]

    in_house(test)


def test_when_no_rung_can_say_and_nothing_is_stale_the_error_names_every_cause() -> None:
    """A miss above and a failure below is not "there is nothing"."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.standby.hung = house.database.broken = True
        with pytest.raises(LadderExhausted) as raised:
            await house.ladder.read("a")
        assert raised.value.causes == {
            "main": "miss",
            "standby": "timeout (TimeoutError)",
            "database": "failed (RungBroken)",
        }

    in_house(test)


def test_a_mirror_is_not_asked_for_what_the_rung_above_has_missed() -> None:
    """It lacks the same; what the database answers is filled where it was missed."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.in_step = True
        assert (await house.ladder.read("a")).rung == "database"
        await asyncio.sleep(0.1)
        assert (list(house.main.values), list(house.standby.values)) == (["a"], [])
        assert (house.standby.reads, house.database.reads) == ([], ["a"])

    in_house(test)


def test_a_mirror_is_asked_when_the_rung_above_cannot_say() -> None:
    async def test(house: House, clock: VirtualClock) -> None:
        house.in_step = True
        house.main.broken = True
        house.standby.values = {"a": b"2"}
        assert (await house.ladder.read("a")).rung == "standby"

    in_house(test)


def test_fills_are_bounded_and_what_is_dropped_is_counted() -> None:
    """Ten wait for a rung that takes nothing, forty are dropped at once, the ten when their time is over."""

    async def never(found: Mapping[str, Found]) -> None:
        await asyncio.Event().wait()

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.fill = never  # type: ignore[method-assign]
        house.database.values = {str(number): b"1" for number in range(50)}
        await asyncio.gather(*(house.ladder.read(str(number)) for number in range(50)))
        assert 'tenfold_fills_dropped_total{ladder="price",rung="main"} 40' in house.metrics()
        await asyncio.sleep(0.2)
        assert 'tenfold_fills_dropped_total{ladder="price",rung="main"} 50' in house.metrics()
        assert 'tenfold_fills_total{ladder="price",rung="main"} 0' in house.metrics()

    in_house(test, fills_max=10)


class JustOpened(Breaker):
    """Closed when it is looked at, open when it is asked: another thread's reads lean on the same server."""

    __slots__ = ()

    def admit(self) -> int:
        return 0


def test_a_fill_that_the_breaker_does_not_admit_is_not_written() -> None:
    """Whatever its state was a moment ago."""
    rung, registry = MemoryRung("main"), Registry()
    fills = Fills(Step(rung, breaker=JustOpened("main")), "price", registry=registry, waiting_max=1)
    asyncio.run(fills.write("a", Found(b"1")))
    assert rung.values == {}
    assert 'tenfold_fills_dropped_total{ladder="price",rung="main"} 1' in render(registry).decode()


def test_a_reader_who_leaves_leaves_the_others_their_answer() -> None:
    """Through the whole ladder."""

    async def test(house: House, clock: VirtualClock) -> None:
        readers = [asyncio.create_task(house.ladder.read("a")) for _ in range(10)]
        await asyncio.sleep(0)
        readers[0].cancel()
        answers = await asyncio.gather(*readers, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert all(isinstance(answer, Answer) for answer in answers[1:])

    in_house(test)


def test_a_rung_that_cancels_its_reader_has_failed() -> None:
    """A pool that is closed under a read cancels what waits for it; that is no cancellation of ours."""

    async def test(house: House, clock: VirtualClock) -> None:
        async def cancel(key: str, not_before: int = 0) -> Found | None:
            raise asyncio.CancelledError

        house.main.read = cancel  # type: ignore[method-assign]
        assert (await house.ladder.read("a")).rung == "database"
        assert 'rung="main",outcome="failed"} 1' in house.metrics()

    in_house(test)


def test_whoever_reads_when_the_ladder_is_closed_is_told() -> None:
    """Not left waiting, and not cancelled."""

    async def test(house: House, clock: VirtualClock) -> None:
        house.main.hung = True
        reader = asyncio.create_task(house.ladder.read("a"))
        await asyncio.sleep(0.01)
        await house.ladder.close()
        with pytest.raises(LadderClosed):
            await reader

    in_house(test)


def test_a_closed_ladder_reads_no_more() -> None:
    """What it holds near is still there."""

    async def test(house: House, clock: VirtualClock) -> None:
        await house.ladder.read("a")
        await house.ladder.close()
        assert (await house.ladder.read("a")).rung == "near"
        with pytest.raises(LadderClosed):
            await house.ladder.read("b")

    in_house(test)


def test_a_ladder_needs_no_near_cache_and_no_breaker() -> None:
    """One rung is a ladder."""

    async def main(clock: VirtualClock) -> None:
        ladder = ReadLadder("bare", steps=[Step(MemoryRung("only", {"a": b"1"}))], clock=clock)
        assert ladder.near_hit("a") is None
        assert await ladder.read("a") == Answer(b"1", "only")
        assert await ladder.read("b") == Answer(None, "only")
        await ladder.close()

    run_in_virtual_time(main)
