"""The read ladder: asks rung by rung until one answers.

answer     what a read comes to
demand     what a caller insists on of an answer, and which places it may be answered from
rung       what a place to read from must do, how it may be used, and what an attempt at it came to
guarded    one rung behind its breaker, its timeout and its budget
fills      writes values back into a rung in the background, to a bound
refreshes  reads anew in the background what will soon be asked for, to a bound; hot keys as a ladder needs them
refill     reads anew, in batches, what a near cache held
climb      one climb, rung by rung, and back down
ladder     the ladder itself
blocking   the ladder for code that knows no `await`
"""

from tenfold.protect.reads.ladder.answer import Answer, LadderClosed, LadderExhausted, ReadShed
from tenfold.protect.reads.ladder.blocking import BlockingLadder
from tenfold.protect.reads.ladder.climb import Lease, RungFound
from tenfold.protect.reads.ladder.demand import ANY, EVERYTHING, Demand, Gate, Route
from tenfold.protect.reads.ladder.ladder import LadderBounds, ReadLadder
from tenfold.protect.reads.ladder.refill import Refill
from tenfold.protect.reads.ladder.rung import TIMEOUT, Attempt, NotAsked, Outcome, Rung, Step

__all__ = [
    "ANY",
    "EVERYTHING",
    "TIMEOUT",
    "Answer",
    "Attempt",
    "BlockingLadder",
    "Demand",
    "Gate",
    "LadderBounds",
    "LadderClosed",
    "LadderExhausted",
    "Lease",
    "NotAsked",
    "Outcome",
    "ReadLadder",
    "ReadShed",
    "Refill",
    "Route",
    "Rung",
    "RungFound",
    "Step",
]
