"""The read ladder: asks rung by rung until one answers.

rung       what a place to read from must do, how it may be used, and what an attempt at it came to
guarded    one rung behind its breaker, its timeout and its bulkhead
fills      writes values back into a rung in the background, to a bound
ladder     the ladder itself
"""

from tenfold.protect.ladder.ladder import Answer, LadderClosed, LadderExhausted, ReadLadder
from tenfold.protect.ladder.rung import TIMEOUT, Attempt, Outcome, Rung, Step

__all__ = [
    "TIMEOUT",
    "Answer",
    "Attempt",
    "LadderClosed",
    "LadderExhausted",
    "Outcome",
    "ReadLadder",
    "Rung",
    "Step",
]
