"""When customers arrive: not when the last answer came, but when they come.

A Poisson process of which the total is fixed. A segment of rate λ and length T holds exactly λT arrivals (fractions are
carried into the next segment), each at a moment of its own, anywhere in the segment:

    rate │            ┌─────────┐
         │  ┌─────────┤         ├────
         └──┴─────────┴─────────┴──── time
            │  ││ │   ││|│||│││ |   │     gaps between neighbours: exponential, mean 1/λ

That is what a Poisson process looks like to one who knows its total, so bursts and lulls are those of independent
customers, and yet the rate that a verdict quotes is the rate that was promised, free of its own noise.

After `lib/pacer.go` of tsenart/vegeta: a pure function of what has passed, so that its tests never sleep.
"""

from collections.abc import Iterable, Iterator
from math import expm1, log
from random import Random

from tenfold.rehearse.load.messages import Segment


def arrivals(segments: Iterable[Segment], random: Random) -> Iterator[int]:
    """When each arrival of a stage is due, in nanoseconds from its start, ascending; the same for the same `random`."""
    begin_ns, owed = 0, 0.0
    for segment in segments:
        owed += segment.rate_rps * segment.duration_ns / 1e9
        count = int(owed + 1e-6)
        owed -= count
        for offset_ns in moments(count, segment.duration_ns, random):
            yield begin_ns + offset_ns
        begin_ns += segment.duration_ns


def moments(count: int, length_ns: int, random: Random) -> Iterator[int]:
    """`count` independent uniform moments in `length_ns`, in order, without holding or sorting them.

    The earliest of n uniform moments in what is left lies where (1 - U)^(1/n) of it remains.
    """
    at_ns = 0.0
    for left in range(count, 0, -1):
        at_ns -= (length_ns - at_ns) * expm1(log(1.0 - random.random()) / left)
        yield int(at_ns)
