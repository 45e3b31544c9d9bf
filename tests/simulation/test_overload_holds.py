"""Ten times as much is asked as can be served, on virtual time; each run prints its seed when it fails."""

import random
from collections.abc import Callable

import pytest
from benchmarks.protect.vegas import VegasLimit
from tests.simulation.overload_world import OverloadWorld, Seen

from tenfold.kernel import Duration
from tenfold.protect.calls.limit import FixedLimit, GradientLimit

S = Duration.from_s
MIX_LIGHT = (0.2, 0.2, 0.3, 0.3)


def overloaded(world: OverloadWorld, times: float = 10, length_s: float = 20, settle_s: float = 4) -> Seen:
    return world.offer(times * world.capacity_per_s, S(length_s), settle=S(settle_s))


@pytest.mark.parametrize("seed", range(3))
def test_ten_times_the_load_costs_neither_goodput_nor_the_best_tier_nor_time(seed: int) -> None:
    """The promises of figure 9, with an adaptive limit that knows nothing beforehand."""
    world = OverloadWorld(seed, GradientLimit())
    unloaded_ms = world.offer(world.capacity_per_s / 10, S(20)).p99_ms()
    seen = overloaded(world)
    assert seen.goodput_ratio(world.capacity_per_s, S(16)) >= 0.95, seed
    assert seen.answered_ratio(0) >= 0.999, seed
    assert seen.p99_ms() <= 2 * unloaded_ms, seed
    assert seen.answered_ratio(3) < seen.answered_ratio(1) < seen.answered_ratio(0), seed


def test_a_vegas_style_limit_takes_its_own_queue_for_the_nature_of_things_and_ours_does_not() -> None:
    """The same minutes of overload: one grows without end, the other stays."""
    ours, vegas = OverloadWorld(7, GradientLimit()), OverloadWorld(7, VegasLimit())
    for world in (ours, vegas):
        world.offer(4 * world.capacity_per_s, S(60), mix=MIX_LIGHT)
    assert ours.shedder.limit.value <= 2 * ours.slots
    assert vegas.shedder.limit.value > 3 * vegas.slots


@pytest.mark.parametrize("seed", range(2))
def test_calls_of_very_different_length_do_not_make_the_limit_collapse(seed: int) -> None:
    """Exponential lengths: a limit that believes in lucky windows sheds what could be served."""
    world = OverloadWorld(seed, GradientLimit())
    world.service_of = lambda chance: chance.expovariate(1)
    seen = world.offer(4 * world.capacity_per_s, S(60), mix=MIX_LIGHT, settle=S(10))
    assert seen.goodput_ratio(world.capacity_per_s, S(50)) >= 0.93, seed


@pytest.mark.parametrize("seed", range(2))
def test_a_web_application_serves_its_orders_when_the_mix_turns_from_hits_to_orders(seed: int) -> None:
    """Hits of 0.05 ms, orders of 20 ms, and a house that could serve six times as much as comes."""
    world, orders = OverloadWorld(seed, GradientLimit(), slots=64, service_ms=1.0), 0.05
    world.service_of = lambda chance: chance.uniform(15, 25) if chance.random() < orders else 0.05
    world.offer(200, S(20), mix=(0, 1))
    orders = 0.2
    seen = world.offer(2_500, S(10), mix=(0, 1), settle=S(3))
    assert seen.answered_ratio(1) >= 0.99, seed


def slower(world: OverloadWorld) -> None:
    world.service_ms *= 2


def fewer(world: OverloadWorld) -> None:
    world.slots //= 2


def more(world: OverloadWorld) -> None:
    world.slots *= 3


@pytest.mark.parametrize("change", [slower, fewer, more])
def test_the_limit_finds_the_new_truth_under_unbroken_overload(change: Callable[[OverloadWorld], None]) -> None:
    """Without the traffic ever being stopped to look."""
    world = OverloadWorld(11, GradientLimit())
    per_s = 10 * world.capacity_per_s
    world.offer(per_s, S(15), mix=MIX_LIGHT)
    change(world)
    seen = world.offer(per_s, S(30), mix=MIX_LIGHT, settle=S(15))
    assert seen.goodput_ratio(world.capacity_per_s, S(15)) >= 0.95


def test_it_begins_in_the_middle_of_the_rush_and_is_not_fooled() -> None:
    """A process that starts when everybody is there has never seen the dependency alone."""
    world = OverloadWorld(13, GradientLimit())
    seen = overloaded(world)
    assert seen.goodput_ratio(world.capacity_per_s, S(16)) >= 0.95
    assert world.shedder.limit.value <= 2 * world.slots


def test_a_noisy_store_cannot_starve_the_others_of_its_tier() -> None:
    """Half of all requests are one store's; what its tier is served is shared by stores, not by noise."""

    def store(chance: random.Random) -> str:
        return "noisy" if chance.random() < 0.5 else str(chance.randrange(10))

    world = OverloadWorld(17, FixedLimit(20))
    seen = world.offer(2 * world.capacity_per_s, S(60), mix=(0.0, 1.0), tenant=store, settle=S(10))
    shares = seen.by_tenant[1]
    others = [shares[str(number)] for number in range(10)]
    offered_each = 0.05 * sum(seen.offered.values())
    assert shares["noisy"] <= 2 * sum(others) / len(others)
    assert min(others) >= 0.8 * offered_each


def test_shields_are_asked_to_leave_and_return_when_the_rush_is_over() -> None:
    """The pressure rises with the rush, and falls to nothing after it."""
    world = OverloadWorld(19, GradientLimit())
    overloaded(world, length_s=5)
    assert max(world.levels) >= 0.5
    world.offer(0.3 * world.capacity_per_s, S(20))
    assert world.levels[-1] == 0.0
