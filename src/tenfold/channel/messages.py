"""What a process says to the control node: what it has applied, and what it reports."""

from typing import Annotated

import msgspec

TOPIC = r"^[a-z0-9][a-z0-9._-]{0,63}$"
Topic = Annotated[str, msgspec.Meta(pattern=TOPIC)]


class Applied(msgspec.Struct, frozen=True, array_like=True):
    """One epoch is in force here. `held_ns` is how long this word waited to be sent, so that the node, who knows
    when it accepted the change and when the word came, can tell how long the change took without a common clock.
    `failures` counts the subscribers that raised. `refused` says why the change of that epoch is not in force here, in
    spite of all; nothing when it is.
    """

    epoch: int
    held_ns: int
    failures: int = 0
    refused: str = ""


class Acks(msgspec.Struct, frozen=True):
    """The body of `POST /control/v1/acks`. `incarnation` is of the store whose epochs these are."""

    process: str
    applied: list[Applied]
    incarnation: str = ""


class Report(msgspec.Struct, frozen=True):
    """What one process says about a topic; the newest of a topic replaces the one before."""

    topic: Topic
    payload: msgspec.Raw


class Reports(msgspec.Struct, frozen=True):
    """The body of `POST /control/v1/reports`."""

    process: str
    reports: list[Report]
