"""How much may be asked: at a time, a second, and on top. Limits decide; limiters guard.

limit          what every limit must do, and hears of a call; the fixed one, and one for what refuses by itself
gradient       the adaptive limit: as many at a time as are served without waiting
baseline       how long a call takes that waits for nobody, and why that cannot drift
window         samples gathered, since one call says little
limiter        guards a dependency by a limit
bucket         the token bucket as one number
rates          a token bucket for each key, bounded
budget         a bulkhead and a token bucket in one; by tier
"""

from tenfold.protect.calls.limit.baseline import Baseline
from tenfold.protect.calls.limit.bucket import Rate
from tenfold.protect.calls.limit.budget import RESERVED, Budget, BudgetSpent, TierBudget
from tenfold.protect.calls.limit.gradient import GradientLimit
from tenfold.protect.calls.limit.limit import AimdLimit, End, FixedLimit, Limit, end_of
from tenfold.protect.calls.limit.limiter import Limiter, LimitReached, Permit
from tenfold.protect.calls.limit.rates import RateExceeded, RateLimits
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
    "Window",
    "end_of",
]
