"""A length of time, exact in integer nanoseconds."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from tenfold.kernel.errors import TenfoldError

NS_PER_UNIT = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}

_WRITTEN = re.compile(r"\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-zµ]+)\s*")


class DurationInvalid(TenfoldError):
    """A text that is no length of time."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time; `ns` is exact, the other views are floats for people and for engines that want them."""

    ns: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what people write: `250 ms`, `1.5 s`, `5 min`. A unit is required. Raises DurationInvalid."""
        written = _WRITTEN.fullmatch(text)
        if written is None or written["unit"] not in NS_PER_UNIT:
            units = ", ".join(NS_PER_UNIT)
            raise DurationInvalid(f"'{text}' is no length of time; a number and one of {units} may stand here.")
        return cls(int(Decimal(written["amount"]) * NS_PER_UNIT[written["unit"]]))

    @classmethod
    def from_s(cls, seconds: float) -> Self:
        return cls(round(seconds * 1e9))

    @classmethod
    def from_ms(cls, milliseconds: float) -> Self:
        return cls(round(milliseconds * 1e6))

    @property
    def s(self) -> float:
        return self.ns / 1e9

    @property
    def ms(self) -> float:
        return self.ns / 1e6

    def __str__(self) -> str:
        """The largest unit in which the length is a whole number: `90 s`, `250 ms`."""
        for unit, ns in reversed(NS_PER_UNIT.items()):
            if self.ns % ns == 0 and self.ns >= ns:
                return f"{self.ns // ns} {unit}"
        return f"{self.ns} ns"
