"""How much may be asked of one place: moved to `tenfold.protect.limit`."""

from tenfold.protect.limit import Budget

__all__ = ["Budget"]
