"""What the node believes of what a process says of itself. Pure: a reason for what it does not, nothing otherwise."""

import msgspec

from tenfold.channel import Process
from tenfold.channel.messages import AppliedEpoch
from tenfold.respond.control.log import is_one_line

NUMBER_MAX = (1 << 53) - 1
"""What every JSON reader holds."""
FAILURES_MAX = 1_000_000
NAME_LENGTH_MAX = 128
"""Of each part of a process's name."""
WHY_LENGTH_MAX = 200


class Heard(msgspec.Struct, frozen=True):
    """What became of a batch: `foreign` says why all of it is refused, `refused` why parts of it are, each its place in
    the batch and a reason; the others were taken.
    """

    known: bool = True
    foreign: str = ""
    refused: list[str] = []


def refusal_of_process(process: Process) -> str:
    """Names are bounded, and draw nothing but themselves on a page or terminal."""
    names = (process.id, process.service, process.instance, process.store, process.host)
    if not process.id or not process.service:
        return "A process says its id and its service."
    if any(len(name) > NAME_LENGTH_MAX or not is_one_line(name) for name in names):
        return f"Each part of a process's name is one line of at most {NAME_LENGTH_MAX} characters."
    return "" if 0 <= process.pid <= NUMBER_MAX else "A process id is a positive number."


def refusal_of_ack(applied: AppliedEpoch, *, oldest: int, newest: int) -> str:
    """`oldest` is the first epoch that a process can still have been told of, `newest` the last that was given."""
    if not 0 <= applied.epoch <= newest:
        return f"epoch {_number(applied.epoch)} was never given; the newest is {newest}"
    if applied.epoch < oldest:
        return f"epoch {applied.epoch} is older than what is told; that begins at {oldest}"
    if not 0 <= applied.held_ns <= NUMBER_MAX:
        return "the time that it was held back is no time"
    if not 0 <= applied.failures <= FAILURES_MAX:
        return f"the failures are no count up to {FAILURES_MAX}"
    return ""


def in_short(why: str) -> str:
    """Somebody else's reason, as it is kept and shown."""
    return "".join(letter if letter.isprintable() else " " for letter in why[:WHY_LENGTH_MAX])


def _number(number: int) -> str:
    """Text of a bound length, whatever was stated."""
    return str(number) if abs(number) <= NUMBER_MAX else "beyond all numbers"
