from collections import Counter
from random import Random

import pytest

from tenfold.kernel import Duration
from tenfold.plan.model import Journey, Slo, Tier
from tenfold.rehearse.load.feed import Feed
from tenfold.rehearse.load.memory import RING, Memory, resolve
from tenfold.rehearse.load.request import Script
from tenfold.rehearse.load.targeter import Targeter
from tenfold.rehearse.load.template import TemplateInvalid


def script(name: str, share: float, path: str) -> Script:
    slo = Slo(p99=Duration.from_ms(50))
    return Script(name, Journey(tier=Tier.P0, share=share, method="GET", path=path, slo=slo), {"Host": "h"})


def targeter(seed: int = 1, memory: Memory | None = None) -> Targeter:
    scripts = [
        script("price", 0.6, "/p/${unique}"),
        script("image", 0.3, "/i"),
        script("status", 0.1, "/o/${order.id}"),
    ]
    return Targeter(scripts, Feed([{}], Random(1)), memory or Memory(Random(1)), seed, "token")


def test_journeys_are_drawn_by_their_shares() -> None:
    """The mix is the plan's."""
    memory = Memory(Random(1))
    memory.keep("order.id", 5)
    made = targeter(memory=memory)
    counts = Counter(made.make(0).script.name for _ in range(20_000))
    assert abs(counts["price"] / 20_000 - 0.6) < 0.02
    assert abs(counts["image"] / 20_000 - 0.3) < 0.02
    assert abs(counts["status"] / 20_000 - 0.1) < 0.02


def test_an_arrival_that_needs_an_answer_nobody_has_takes_another_journey() -> None:
    """The rate stays what it was, and nothing is made up."""
    made = targeter()
    counts = Counter(made.make(0).script.name for _ in range(3000))
    assert counts["status"] == 0
    assert abs(counts["price"] / 3000 - 2 / 3) < 0.05


def test_the_same_seed_makes_the_same_requests_and_keys_never_meet() -> None:
    """A run can be repeated; two requests of a run are never the same."""
    first, again, other = targeter(seed=1), targeter(seed=1), targeter(seed=2)
    payloads = [first.make(n).payload for n in range(500)]
    assert payloads == [again.make(n).payload for n in range(500)]
    assert payloads != [other.make(n).payload for n in range(500)]
    keys = {first.make(n).key for n in range(2000)}
    assert len(keys) == 2000
    assert all(len(key) == 24 for key in keys)


def test_journeys_that_all_need_each_other_are_refused() -> None:
    """None of them could be the first."""
    with pytest.raises(TemplateInvalid, match="none can be the first"):
        Targeter([script("status", 1, "/o/${order.id}")], Feed([{}], Random(1)), Memory(Random(1)), 1, "t")


def test_memory_keeps_the_newest_and_only_what_can_stand_in_a_request() -> None:
    """Bounded, and no answer can smuggle anything into a later request."""
    memory = Memory(Random(1))
    for number in range(3 * RING):
        assert memory.keep("order.id", number)
    assert all(int(memory.draw("order.id") or b"-1") >= 2 * RING for _ in range(1000))
    oddities: list[object] = ["a b", "a\r\nX: y", "", None, True, {}, "x" * 300]
    for odd in oddities:
        assert not memory.keep("order.id", odd)
    assert memory.draw("unknown.id") is None


def test_a_pointer_finds_what_the_plan_wants_remembered() -> None:
    """RFC 6901, as far as it goes."""
    document = {"id": 7, "a/b": [{"c~d": "x"}]}
    assert resolve(document, "/id") == 7
    assert resolve(document, "/a~1b/0/c~0d") == "x"
    assert resolve(document, "/a~1b/9") is None
    assert resolve("text", "/id") is None
