"""Figure 10: misses of the near cache's policy on cache traces, theine, LRU and plain W-TinyLFU beside it.

    python -m benchmarks.protect.misses

Traces are files of one key per line, `*.txt` or `*.txt.xz`, in the folder that TENFOLD_CACHE_TRACES names, else in
`../shared/data/cache-traces` beside the checkout; of longer ones the first million requests. To them come made traces,
whose makers stand below. Each is played to caches of several sizes, shares of its distinct keys. A value is the
geometric mean over sizes (and traces) of ours / theine's; peers' values are the same measure: their misses / theine's.

All four see the same requests in the same order and have no other source of chance than theine's, which is seeded: one
round says it all, so `--rounds` changes only how often the time of a miss is taken.
"""

import lzma
import math
import os
import random
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from statistics import median

import theine

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.runner import run
from tenfold.protect.reads.near import AdmissionPolicy, Resident

FIGURE = 10
MEAN_MAX, TRACE_MAX, MISS_US_MAX = 1.0, 1.05, 5.0
SHARES = (0.01, 0.05, 0.2, 0.5)
REQUESTS_MAX = 1_000_000
MADE = 100_000
FOLDER = Path(__file__).parents[3] / "shared" / "data" / "cache-traces"

Trace = list[str]


def ours(trace: Trace, size: int) -> int:
    """Our policy, driven as the near cache drives it."""
    policy, table, misses = AdmissionPolicy(), dict[str, Resident](), 0
    for key in trace:
        resident = table.get(key)
        if resident is not None:
            policy.touched(resident)
            continue
        misses += 1
        table[key] = resident = Resident(key, 1)
        policy.came(resident)
        if len(table) > size:
            del table[policy.evict().key]
    return misses


def with_theine(trace: Trace, size: int) -> int:
    random.seed(FIGURE)  # it spreads reads over its buffers by chance
    cache: theine.Cache[int, bool] = theine.Cache(size)
    misses = 0
    for number in map(int, trace):  # the hash of a number is the same in every process
        if not cache.get(number)[1]:
            misses += 1
            cache.set(number, True)
    cache.close()
    return misses


def with_lru(trace: Trace, size: int) -> int:
    table, misses = OrderedDict[str, None](), 0
    for key in trace:
        if key in table:
            table.move_to_end(key)
            continue
        misses += 1
        table[key] = None
        if len(table) > size:
            table.popitem(last=False)
    return misses


def with_tinylfu(trace: Trace, size: int) -> int:
    """Plain W-TinyLFU: a window of 1 %, a segmented LRU of 20 and 80 %, counts to 15 without error, halved for age."""
    window, probation, protected = OrderedDict[str, None](), OrderedDict[str, None](), OrderedDict[str, None]()
    window_max = max(1, size // 100)
    protected_max = int(0.8 * (size - window_max))
    counts, counted, misses = dict[str, int](), 0, 0
    for key in trace:
        counts[key] = min(15, counts.get(key, 0) + 1)
        counted += 1
        if counted >= 10 * size:
            counts = {counted_key: count >> 1 for counted_key, count in counts.items() if count > 1}
            counted //= 2
        if key in window:
            window.move_to_end(key)
        elif key in protected:
            protected.move_to_end(key)
        elif key in probation:
            del probation[key]
            protected[key] = None
            if len(protected) > protected_max:
                probation[protected.popitem(last=False)[0]] = None
        else:
            misses += 1
            window[key] = None
            if len(window) > window_max:
                candidate, _ = window.popitem(last=False)
                if len(window) + len(probation) + len(protected) < size:
                    probation[candidate] = None
                    continue
                line = probation or protected
                victim = next(iter(line), None)
                if victim is not None and counts.get(candidate, 0) > counts.get(victim, 0):
                    del line[victim]
                    probation[candidate] = None
    return misses


CONTENDERS: dict[str, Callable[[Trace, int], int]] = {
    "tenfold": ours,
    "theine": with_theine,
    "lru": with_lru,
    "w-tinylfu": with_tinylfu,
}


def ranks(chance: random.Random, keys: int, skew: float) -> Iterator[int]:
    """Ranks 0 … keys - 1 for ever, Zipf."""
    weights = list(accumulate((rank + 1) ** -skew for rank in range(keys)))
    numbers = range(keys)
    while True:
        yield from chance.choices(numbers, cum_weights=weights, k=1000)


def zipf(chance: random.Random) -> Iterable[int]:
    return ranks(chance, 20_000, 0.9)


def drifting(chance: random.Random) -> Iterable[int]:
    """Zipf whose ranking moves on by one key every ten requests."""
    return (rank + number // 10 for number, rank in enumerate(ranks(chance, 10_000, 0.9)))


def loop(_chance: random.Random) -> Iterable[int]:
    return (number % 1500 for number in range(MADE))


def scans(chance: random.Random) -> Iterable[int]:
    """Zipf, and after each 8,000 requests 4,000 keys that are asked for once."""
    ranking = ranks(chance, 10_000, 0.8)
    for number in range(MADE):
        yield number + 10_000 if number % 12_000 >= 8_000 else next(ranking)


def recent(chance: random.Random) -> Iterable[int]:
    """What came lately is what is asked for: keys around a head that moves on by one every twenty requests."""
    return (int(number / 20 - abs(chance.gauss(0, 800))) + 10_000 for number in range(MADE))


def sudden(chance: random.Random) -> Iterable[int]:
    """Zipf, with other keys after each 20,000 requests."""
    return (rank + number // 20_000 * 10_000 for number, rank in enumerate(ranks(chance, 5_000, 0.9)))


MAKERS = (zipf, drifting, loop, scans, recent, sudden)


def stored() -> Iterator[tuple[str, Trace]]:
    folder = Path(os.environ.get("TENFOLD_CACHE_TRACES", FOLDER))
    paths = sorted((*folder.glob("*.txt"), *folder.glob("*.txt.xz")))
    if not paths:
        sys.stderr.write(f"no traces in {folder}: made traces only; TENFOLD_CACHE_TRACES names another folder\n")
    for path in paths:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rt") as lines:
            yield path.name.split(".")[0], [line.strip() for line in islice(lines, REQUESTS_MAX)]


def made() -> Iterator[tuple[str, Trace]]:
    for maker in MAKERS:
        yield f"made-{maker.__name__}", [str(key) for key in islice(maker(random.Random(FIGURE)), MADE)]


Ratios = dict[str, list[float]]
"""By contender: its misses / theine's, a number for each size."""


def play(trace: Trace) -> Ratios:
    """Every contender in every size, taking turns."""
    distinct = len(set(trace))
    ratios: Ratios = {name: [] for name in CONTENDERS}
    for share in SHARES:
        misses = {name: contender(trace, max(10, int(share * distinct))) for name, contender in CONTENDERS.items()}
        for name, count in misses.items():
            ratios[name].append(count / misses["theine"])
    return ratios


def geometric_mean(ratios: Iterable[float]) -> float:
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


def figure_of(name: str, ratios: list[Ratios], target: float) -> Figure:
    means = {who: geometric_mean(ratio for each in ratios for ratio in each[who]) for who in CONTENDERS}
    value = means.pop("tenfold")
    return Figure(figure=FIGURE, name=name, value=value, unit="ratio", target=target, held=value <= target, peers=means)


def figures_of(kind: str, played: dict[str, Ratios]) -> list[Figure]:
    """The mean, and then each trace, the worst first."""
    each = [figure_of(f"misses / theine's, {name}", [ratios], TRACE_MAX) for name, ratios in played.items()]
    each.sort(key=lambda figure: -figure.value)
    worst = each[0]
    return [
        figure_of(f"misses / theine's, {kind}: geometric mean", list(played.values()), MEAN_MAX),
        Figure(
            figure=FIGURE,
            name=f"misses / theine's, {kind}: worst trace ({worst.name.split()[-1]})",
            value=worst.value,
            unit="ratio",
            target=TRACE_MAX,
            held=worst.held,
            peers=worst.peers,
        ),
        *each,
    ]


def miss_us() -> float:
    """What a miss costs the policy on a trace of misses and hits, its share of the hits' cost included."""
    trace = [str(key) for key in islice(ranks(random.Random(FIGURE), 20_000, 0.9), MADE)]
    policy, table, misses = AdmissionPolicy(), dict[str, Resident](), 0
    began_s = time.process_time()
    for key in trace:
        resident = table.get(key)
        if resident is not None:
            policy.touched(resident)
            continue
        misses += 1
        table[key] = resident = Resident(key, 1)
        policy.came(resident)
        if len(table) > 1000:
            del table[policy.evict().key]
    return (time.process_time() - began_s) / misses * 1e6


def cost(rounds: int) -> Figure:
    times_us = [miss_us() for _ in range(max(rounds, 1))]
    value = median(times_us)
    return Figure(
        figure=FIGURE,
        name="a miss: came, evict, and the hits since the last one (half of all requests)",
        value=value,
        unit="us",
        target=MISS_US_MAX,
        held=value <= MISS_US_MAX,
        spread=spread_of(times_us),
        rounds=times_us,
    )


def measure(rounds: int) -> list[Figure]:
    given = {name: play(trace) for name, trace in stored()}
    own = {name: play(trace) for name, trace in made()}
    return [*(figures_of("given traces", given) if given else []), *figures_of("made traces", own), cost(rounds)]


if __name__ == "__main__":
    run(measure)
