"""What is kept coherent: whatever holds values and can be told that they are wrong."""

from typing import Protocol


class Target(Protocol):
    """Told by one reader at a time, in the reader's thread; must be quick, must not raise. `NearCache` is one.

    After `prove` it may answer as fresh what it *began to load* since then, and nothing older: what it had before, or
    was loading, may have missed an invalidation.
    """

    def invalidate(self, key: str, version: int = 0) -> None:
        """`key` has changed; what is as new as `version` is right. Version 0: whatever is there is wrong."""
        ...

    def doubt(self) -> None:
        """From now on invalidations may be missed: nothing may be answered as fresh."""
        ...

    def prove(self) -> None:
        """From now on every invalidation is heard."""
        ...
