"""How much may be asked: at a time, a second, and on top. Limits decide; limiters guard.

limit          what every limit must do; the fixed one
gradient       the adaptive limit: as many at a time as are served without waiting
baseline       how long a call takes that waits for nobody, and why that cannot drift
aimd           a limit for what refuses by itself
vegas          the classic, for comparison
window         samples gathered, since one call says little
end            what the end of a call says to a limit
limiter        guards a dependency by a limit
bucket         the token bucket as one number
rates          a token bucket for each key, bounded
budget         a bulkhead and a token bucket in one; by tier
"""

from tenfold.protect.calls.limit.aimd import AimdLimit
from tenfold.protect.calls.limit.baseline import Baseline
from tenfold.protect.calls.limit.bucket import Rate
from tenfold.protect.calls.limit.budget import RESERVED, Budget, BudgetSpent, TierBudget
from tenfold.protect.calls.limit.end import End, end_of
from tenfold.protect.calls.limit.gradient import GradientLimit
from tenfold.protect.calls.limit.limit import FixedLimit, Limit
from tenfold.protect.calls.limit.limiter import Limiter, LimitReached, Permit
from tenfold.protect.calls.limit.rates import RateExceeded, RateLimits
from tenfold.protect.calls.limit.vegas import VegasLimit
from tenfold.protect.calls.limit.window import Summary, Window

__all__ = [
    "RESERVED",
    "AimdLimit",
    "Baseline",
    "Budget",
    "BudgetSpent",
    "End",
    "FixedLimit",
    "GradientLimit",
    "Limit",
    "LimitReached",
    "Limiter",
    "Permit",
    "Rate",
    "RateExceeded",
    "RateLimits",
    "Summary",
    "TierBudget",
    "VegasLimit",
    "Window",
    "end_of",
]
