"""A number with its unit, as people write it: `300 /s`, `99.9 %`, `96 MiB`, `1.5 s`. Exact until it must be a float."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tenfold.kernel.duration import NS_PER_UNIT

_LENGTH_MAX = 40
"""Longer than any figure a person writes; keeps hostile digits from becoming hostile integers."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of magnitude. `worth` says how many of the base unit one of each unit is."""

    worth: Mapping[str, Fraction]

    @property
    def pattern(self) -> str:
        """What may be written, as a regular expression that Python and JSON Schema both read."""
        units = "|".join(re.escape(unit) for unit in self.worth)
        return rf"^([0-9]+(?:\.[0-9]+)?) *({units})$"

    def read(self, text: str) -> Fraction | None:
        """How many of the base unit `text` states; None when it is no such quantity."""
        stated = re.fullmatch(self.pattern, text) if len(text) <= _LENGTH_MAX else None
        return Fraction(stated[1]) * self.worth[stated[2]] if stated else None


DURATION = Quantity({unit: Fraction(ns) for unit, ns in NS_PER_UNIT.items()})
"""In nanoseconds."""

RATE = Quantity({"/s": Fraction(1), "/min": Fraction(1, 60), "/h": Fraction(1, 3600)})
"""In events a second."""

SHARE = Quantity({"%": Fraction(1, 100)})
"""As a ratio: 1 is the whole."""

SIZE = Quantity({"B": Fraction(1), "KiB": Fraction(2**10), "MiB": Fraction(2**20), "GiB": Fraction(2**30)})
"""In bytes."""
