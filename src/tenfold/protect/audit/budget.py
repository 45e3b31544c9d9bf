"""How much an audit may read: moved to `tenfold.protect.limit`."""

from tenfold.protect.limit import ReadBudget

__all__ = ["ReadBudget"]
