"""One tracker in a process of its own: fed with different keys, and its resident memory looked at all the while.

`TRACKERS` names everything in `tenfold.protect` that remembers something by key. A new one is a function here: it
makes the tracker, and answers what remembers one key, and how many bytes it promises to stay within.
"""

import argparse
import gc
import mmap
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Breakers
from tenfold.protect.reads.audit import RecentKeys
from tenfold.protect.reads.hot import Sketch
from tenfold.protect.reads.near import Lifetimes, NearBounds, NearCache, NearParts, Tombstones

MIB = 1 << 20
LOOK_EVERY = 10_000
TTL = Duration.from_s(3_600)


class Tracker(NamedTuple):
    remember: Callable[[str], object]
    bytes_max: int


class Watched(msgspec.Struct):
    """By how much resident memory grew at most while different keys were remembered."""

    bytes_max: int
    grown_bytes_max: int
    keys: int


def near_values() -> Tracker:
    """Values of a few hundred sizes, so that memory falls to pieces as it does in life: the worst case of several."""
    near = NearCache("near", bytes_max=64 * MIB, bounds=NearBounds(entries_max=sys.maxsize), ttl=TTL)
    return Tracker(lambda key: near.put(key, bytes(40 + hash(key) % 800)), 64 * MIB)


def near_absences() -> Tracker:
    """Keys that lead to nothing: half of what the cache may hold is allowed to them here, to see them alone."""
    near = NearCache(
        "near",
        bytes_max=64 * MIB,
        ttl=TTL,
        bounds=NearBounds(entries_max=sys.maxsize, absent_ratio=0.5),
        lifetimes=Lifetimes(absent_ttl=TTL),
    )
    return Tracker(lambda key: near.put(key, None), 32 * MIB)


def near_tombstones() -> Tracker:
    tombstones = Tombstones(number_max=200_000, lifetime=TTL)
    near = NearCache("near", bytes_max=MIB, ttl=TTL, parts=NearParts(tombstones=tombstones))
    return Tracker(near.invalidate, tombstones.bytes_max)


def hot_keys() -> Tracker:
    """Each key once: none is hot, all have to be looked at. The bound is the issue's: 1 MB a process."""
    sketch = Sketch(fade=Duration.from_ms(100))
    return Tracker(lambda key: sketch.add(key, 1.0), 1_000_000)


def recent_keys() -> Tracker:
    """What audits draw from; a key of this benchmark is an object of 64 to 80 bytes, and one place in the ring."""
    recent = RecentKeys(keys_max=200_000)
    return Tracker(recent.saw, 200_000 * 96)


def breaker_keys() -> Tracker:
    """Each key a store in trouble."""
    breakers = Breakers(keys_max=16_384)
    return Tracker(lambda key: breakers.of("stock", "read", key).failed("refused"), 16_384 * 2_048)


TRACKERS: dict[str, Callable[[], Tracker]] = {
    "near cache, values of 40 to 840 bytes": near_values,
    "near cache, keys that lead to nothing": near_absences,
    "near cache, tombstones": near_tombstones,
    "hot keys, sketch": hot_keys,
    "audit, recent keys": recent_keys,
    "breakers, key classes in trouble": breaker_keys,
}


def watch(name: str, keys: int) -> Watched:
    """Have it remember `keys` different keys, and look at resident memory after each 10,000."""
    make = TRACKERS[name]
    make().remember("warm")
    gc.collect()
    before_bytes = resident_bytes()
    tracker = make()
    most_bytes = before_bytes
    for first in range(0, keys, LOOK_EVERY):
        for number in range(first, min(first + LOOK_EVERY, keys)):
            tracker.remember(f"price/{number % 997}/{number}")
        most_bytes = max(most_bytes, resident_bytes())
    return Watched(tracker.bytes_max, most_bytes - before_bytes, keys)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=TRACKERS)
    parser.add_argument("--keys", type=int, required=True)
    options = parser.parse_args(argv)
    sys.stdout.buffer.write(msgspec.json.encode(watch(options.name, options.keys)))


if __name__ == "__main__":
    main()
