"""How hot the keys were that left: bounded memory of what is not held any more."""

from array import array
from zlib import crc32

CELLS_PER_RESIDENT = 4
CELLS_MIN = 64
SCATTER = 0x9E3779B1
"""Knuth's multiplier: takes the second cell of a key from other bits than the first."""


def mark_of(key: str) -> int:
    """32 bits for a key, the same in every process, whatever its hash seed."""
    return crc32(key.encode())


class HeatSketch:
    """Heat by the mark of a key, in two rows of cells; each keeps the largest heat of those who share it.

    What is read is therefore never below what was kept, and above it only when both cells are shared (a count-min
    sketch, Cormode 2005, with maxima for sums: a key leaves with all of its heat). 32 to 64 bytes a resident.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everybody."""
        self._first = array("f", bytes(4 * CELLS_MIN))
        self._second = self._first[:]
        self._mask = CELLS_MIN - 1
        self.residents_max = CELLS_MIN // CELLS_PER_RESIDENT

    def fit(self, residents: int) -> None:
        """Grow with the cache. A row is doubled by writing it twice: every mark finds its heat in both halves."""
        while residents > self.residents_max:
            self._first += self._first
            self._second += self._second
            self._mask = 2 * self._mask + 1
            self.residents_max *= 2

    def fade(self) -> None:
        """Forget everybody, in the same memory: the scale of heat begins anew."""
        self._first = array("f", bytes(4 * len(self._first)))
        self._second = self._first[:]

    def keep(self, mark: int, heat: float) -> None:
        """The key of that `mark` leaves the cache with `heat`."""
        cell = mark & self._mask
        if self._first[cell] < heat:
            self._first[cell] = heat
        cell = (mark * SCATTER >> 16) & self._mask
        if self._second[cell] < heat:
            self._second[cell] = heat

    def heat_of(self, mark: int) -> float:
        """The heat that `mark` left with, or more; 0 when it never did."""
        return min(self._first[mark & self._mask], self._second[(mark * SCATTER >> 16) & self._mask])

    @property
    def held_bytes(self) -> int:
        return self._first.itemsize * (len(self._first) + len(self._second))
