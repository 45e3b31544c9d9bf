"""Whoever finds the keys that everybody asks for, as a ladder needs it."""

from collections.abc import Callable
from typing import Protocol

from tenfold.kernel import Duration
from tenfold.protect.reads.near import NearCache


class Hot(Protocol):
    """`tenfold.protect.reads.hot.HotKeys` is one."""

    def attach(self, near: NearCache, refresh: Callable[[str], None]) -> None:
        """Called once: the near cache to watch and to hold keys in, and how to have one read anew."""

    def saw(self, key: str) -> object:
        """A reader climbs for it."""

    def found(self, key: str, value: bytes | None, version: int, age: Duration) -> Duration | None:
        """A climb ended so, true `age` ago; answers how long to keep it near, None as always."""
