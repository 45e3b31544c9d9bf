"""Where a downgrade stands."""

import enum


class Phase(enum.Enum):
    NORMAL = "normal"
    DOWNGRADED = "downgraded"
    """Reads leave the cache, or have left it."""
    REPAIRING = "repairing"
    RETURNING = "returning"
    """Reads come back, share by share."""
