"""What the control node and a process say to each other.

The node's stream is one JSON document a line (NDJSON), the same bytes to every process. It begins with a Snapshot or
with what was Missed; then comes every Change as it is accepted, and a Beat at least each second. Every change names the
epoch before it, so a process that lost one knows it by the next line. A process answers with Acks and Reports.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Raw, UnsetType

TOPIC = r"^[a-z0-9][a-z0-9._-]{0,63}$"
Topic = Annotated[str, msgspec.Meta(pattern=TOPIC)]
ACKS_MAX = 4096
REPORTS_MAX = 256
"""So many at once."""
REPORT_BYTES_MAX = 64 << 10
Epoch = Annotated[int, msgspec.Meta(ge=0)]


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="line", tag="change"):
    """One accepted change of one key, and so also the record of that key until the next one.

    `previous` is the epoch before this one, whatever key it was of. An `ephemeral` change is known to the control
    node until it ends and no longer. `at_ns` is the node's wall clock. Without `value` the key is gone.
    """

    epoch: Epoch
    topic: str
    key: str
    value: Raw | UnsetType = UNSET
    previous: Epoch = 0
    ephemeral: bool = False
    at_ns: int = 0
    by: str = ""
    reason: str = ""

    @property
    def json(self) -> bytes | None:
        """The value as JSON; None when the key is gone."""
        return None if self.value is UNSET else bytes(self.value)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="snapshot"):
    """Everything at `epoch`. `incarnation` names the store, `boot` the life of the node that speaks.

    `replaces`: somebody has said that this store takes the place of whatever a process holds of an earlier one.
    """

    incarnation: str
    boot: str
    epoch: Epoch
    records: tuple[Change, ...] = ()
    replaces: bool = False


class Missed(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="missed"):
    """All that leads from the epoch `after`, which the process said it has, to `epoch`.

    For a process that knew an earlier boot, `changes` hold every ephemeral record there is: it forgets its own.
    """

    incarnation: str
    boot: str
    after: Epoch
    epoch: Epoch
    changes: tuple[Change, ...] = ()


class Beat(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="beat"):
    """The node is there, and this is its newest epoch."""

    epoch: Epoch


class AppliedEpoch(msgspec.Struct, frozen=True, array_like=True):
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
    applied: Annotated[list[AppliedEpoch], msgspec.Meta(max_length=ACKS_MAX)]
    incarnation: str


class Report(msgspec.Struct, frozen=True):
    """What one process says about a topic; the newest of a topic replaces the one before."""

    topic: Topic
    payload: Raw


class Reports(msgspec.Struct, frozen=True):
    """The body of `POST /control/v1/reports`."""

    process: str
    reports: Annotated[list[Report], msgspec.Meta(max_length=REPORTS_MAX)]


Line = Change | Snapshot | Missed | Beat

_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_ENCODER = msgspec.json.Encoder()


def encode(line: Line) -> bytes:
    """The line with its line feed."""
    return _ENCODER.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """Raises msgspec.DecodeError, or ValueError for what is no UTF-8."""
    return _DECODER.decode(text)
