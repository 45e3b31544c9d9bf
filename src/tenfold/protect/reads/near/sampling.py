"""One hit among many is told of, so that who is asked for most can be known at next to no cost."""

import random
from collections.abc import Callable

Sampled = Callable[[str, int], int | None]
"""Told a key that was hit and how many hits it stands for; may answer of how many hits to hear one. Never raises."""


class Sampling:
    """Says after how many hits the next is told, and tells it: every `every`-th on average.

    As many hits away as chance says, else readers in step would hide keys.
    """

    def __init__(self, every: int, chance: random.Random) -> None:
        self._every = every
        self._chance = chance
        self._gap = 1
        self._sampled: Sampled | None = None

    @property
    def sampled(self) -> Sampled | None:
        return self._sampled

    @sampled.setter
    def sampled(self, sampled: Sampled | None) -> None:
        """The next hit is told already."""
        self._sampled, self._gap = sampled, 1

    def tell(self, key: str) -> int:
        """A hit of `key` is told; answers how many hits away the next is."""
        if self._sampled is not None:
            self._every = self._sampled(key, self._gap) or self._every
        self._gap = 1 + int(self._chance.random() * (2 * self._every - 1))
        return self._gap
