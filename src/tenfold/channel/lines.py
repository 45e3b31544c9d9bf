"""What the control node says on a stream: one JSON document a line (NDJSON), the same bytes to every process.

A stream begins with a Snapshot or with what was Missed; then comes every Change as it is accepted, and a Beat at
least each second. Every change names the epoch before it, so a process that lost one knows it by the next line.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Raw, UnsetType

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


Line = Change | Snapshot | Missed | Beat

_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_ENCODER = msgspec.json.Encoder()


def encode(line: Line) -> bytes:
    """The line with its line feed."""
    return _ENCODER.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """Raises msgspec.DecodeError, or ValueError for what is no UTF-8."""
    return _DECODER.decode(text)
