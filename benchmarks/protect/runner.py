"""What every module here ends in: measure, and say the figures as JSON."""

import argparse
import sys
from collections.abc import Callable, Sequence

import msgspec

from benchmarks.figures import Figure

ROUNDS = 5

Measure = Callable[[int], list[Figure]]
"""Given how many rounds to take turns, answers figures: medians over the rounds."""


def run(measure: Measure, argv: Sequence[str] | None = None) -> None:
    """Print what `measure` answers, a JSON array, on standard output; everything else belongs on standard error."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="how often they take turns (5)")
    options = parser.parse_args(argv)
    figures = measure(options.rounds)
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
