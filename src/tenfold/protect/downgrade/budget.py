"""What a replica may be asked while it carries a cache's reads: moved to `tenfold.protect.limit` as TierBudget."""

from tenfold.protect.limit import RESERVED
from tenfold.protect.limit import TierBudget as ReplicaBudget

__all__ = ["RESERVED", "ReplicaBudget"]
