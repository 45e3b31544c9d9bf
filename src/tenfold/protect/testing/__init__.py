"""For your tests: a rung in memory that can be broken on purpose, and an event loop whose time costs nothing."""

from tenfold.protect.testing.memory import MemoryRung, RungBroken
from tenfold.protect.testing.virtual_time import run_in_virtual_time

__all__ = ["MemoryRung", "RungBroken", "run_in_virtual_time"]
