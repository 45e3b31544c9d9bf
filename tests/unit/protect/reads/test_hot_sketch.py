"""The sketch, the noise, the pace and the detector: what is hot is found soon, and chance is not."""

import random

import pytest

from tenfold.kernel import Duration
from tenfold.protect.reads.hot import Detector, Sketch
from tenfold.protect.reads.hot.noise import READS_MIN, bar
from tenfold.protect.reads.hot.sample_weight import WEIGHT_MAX, SampleWeight

MS = 1_000_000
S = 1_000 * MS


def feed(detector: Detector, keys: list[str], *, from_ns: int, every_ns: int) -> dict[str, int]:
    """Show `keys` one after another; answers when each became hot, after how many nanoseconds."""
    risen: dict[str, int] = {}
    for place, key in enumerate(keys):
        now_ns = from_ns + place * every_ns
        if detector.saw(key, 1, now_ns):
            risen[key] = now_ns - from_ns
    return risen


def uniform(number: int, chance: random.Random) -> list[str]:
    return [f"cold/{chance.randrange(100_000)}" for _ in range(number)]


def test_a_count_fades_to_a_third_in_one_fade() -> None:
    """What came one time constant ago counts 1/e of what comes now, in the count and in the total alike."""
    sketch = Sketch(fade=Duration.from_s(1))
    sketch.pass_time(5 * S)
    sketch.add("a", 100)
    sketch.pass_time(6 * S)
    assert sketch.count("a") == pytest.approx(36.79, rel=1e-3)
    assert sketch.total == pytest.approx(36.79, rel=1e-3)


def test_a_pause_of_an_hour_leaves_nothing_and_breaks_nothing() -> None:
    """The numbers grow with time inside; they are brought back before they overflow."""
    sketch = Sketch(fade=Duration.from_s(1))
    for hour in range(5):
        sketch.pass_time(hour * 3600 * S)
        assert sketch.add("a", 1) == pytest.approx(1)
        assert sketch.total == pytest.approx(1)


def test_the_grain_says_how_coarse_the_counts_are() -> None:
    """Reads that stand for ten are ten times as coarse as single ones: their variance over their mean."""
    fine, coarse = Sketch(fade=Duration.from_s(1)), Sketch(fade=Duration.from_s(1))
    for number in range(100):
        fine.add(f"{number}", 1)
        coarse.add(f"{number}", 10)
    assert fine.grain == pytest.approx(1)
    assert coarse.grain == pytest.approx(10)


def test_when_full_the_median_is_taken_off_everyone() -> None:
    """Who stays pays like who goes, or a few old giants would keep every newcomer out for ever."""
    sketch = Sketch(fade=Duration.from_s(1), keys_max=4)
    for key, count in (("a", 9), ("b", 4), ("c", 3), ("d", 1)):
        sketch.add(key, count)
    sketch.add("e", 2)
    assert {key: sketch.count(key) for key in "abcde"} == {"a": 5, "b": 0, "c": 0, "d": 0, "e": 2}


def test_the_sketch_keeps_to_its_bytes() -> None:
    """A thousand keys of two hundred letters where there is room for two dozen."""
    sketch = Sketch(fade=Duration.from_s(1), bytes_max=8_000)
    for number in range(1_000):
        sketch.add(f"{number:0200d}", 1)
        assert sketch.held_bytes <= 8_000


def test_a_key_of_a_kilobyte_takes_no_room() -> None:
    """Keys come from outside; one that is absurdly long counts in the total alone."""
    sketch = Sketch(fade=Duration.from_s(1))
    assert sketch.add("k" * 1_024, 1) == 0
    assert (len(sketch), sketch.total) == (0, 1)


def test_the_bar_comes_down_to_the_share_when_much_was_seen() -> None:
    """Far above it after a few reads, where chance rules; within a tenth after a million."""
    assert bar(100, 0.01) >= READS_MIN
    assert bar(1_000, 0.01) > 2 * 10
    assert bar(1_000_000, 0.01) < 1.1 * 10_000


def test_coarser_counts_need_more_of_them() -> None:
    """A single sample that stands for fifty reads proves nothing of its key."""
    assert bar(1_000, 0.005, grain=50) > 4 * 50


@pytest.mark.parametrize("reads_per_s", [1_000, 3_000, 20_000])
def test_a_key_from_0_to_20_percent_rises_within_100_ms(reads_per_s: int) -> None:
    """At a thousand reads a second as at twenty thousand, after two seconds of background."""
    detector, chance = Detector(), random.Random(1)
    every_ns = S // reads_per_s
    feed(detector, uniform(2 * reads_per_s, chance), from_ns=0, every_ns=every_ns)
    mixed = ["hot" if chance.random() < 0.2 else key for key in uniform(reads_per_s, chance)]
    risen = feed(detector, mixed, from_ns=2 * S, every_ns=every_ns)
    assert list(risen) == ["hot"]
    assert risen["hot"] <= 100 * MS


def test_nothing_is_hot_where_all_are_read_alike() -> None:
    """A hundred thousand reads of as many keys: no one stands out, whatever chance does."""
    detector = Detector()
    assert feed(detector, uniform(100_000, random.Random(2)), from_ns=0, every_ns=100_000) == {}


def test_a_quiet_process_has_no_hot_keys() -> None:
    """Three reads a second of one key are all there are, and still not worth a refresh."""
    detector = Detector()
    assert feed(detector, ["only"] * 60, from_ns=0, every_ns=S // 3) == {}


def test_a_key_stays_hot_through_a_lull_and_leaves_after_it() -> None:
    """Patience: a second without reads is a lull, four are the end."""
    detector = Detector()
    feed(detector, ["hot"] * 1_000, from_ns=0, every_ns=MS)
    assert "hot" in detector.hot(2 * S)
    assert "hot" not in detector.hot(5 * S)


def test_a_key_that_is_read_on_and_on_stays_hot() -> None:
    """Longer than the patience: reads renew it."""
    detector = Detector()
    risen = feed(detector, ["hot"] * 10_000, from_ns=0, every_ns=MS)
    assert risen["hot"] <= 100 * MS, "it rose once, and never again"
    assert "hot" in detector.hot(10 * S)


def test_no_more_keys_are_hot_than_may_be() -> None:
    """Twenty keys of 5 % each and room for eight: eight are hot."""
    detector = Detector(hot_max=8)
    feed(detector, [f"k{place % 20}" for place in range(20_000)], from_ns=0, every_ns=MS // 2)
    assert len(detector.hot(10 * S)) == 8


def test_the_pace_keeps_samples_at_about_two_thousand_a_second() -> None:
    """At a million hits a second one sample stands for hundreds; at a thousand each hit is one."""
    for hits_per_s, at_least, at_most in ((1_000, 1, 1), (20_000, 8, 12), (1_000_000, 400, 600)):
        pace, now_ns, weight = SampleWeight(), 0, 1
        for _ in range(2_000):
            now_ns += weight * S // hits_per_s
            weight = pace.sampled(weight, now_ns)
        assert at_least <= weight <= at_most


def test_the_pace_never_exceeds_its_bound_and_comes_back() -> None:
    """A burst without end gives the largest weight; the first quiet window gives one."""
    pace = SampleWeight()
    assert [pace.sampled(1, S + place) for place in range(130)][-1] <= 4
    assert pace.sampled(10**9, S + 21 * MS) == WEIGHT_MAX
    assert pace.sampled(1, 3 * S) == 1
