"""What a rung writes: one value with its stamp, kept for so long."""

from typing import NamedTuple

from tenfold.engines.valkey.connection import Command
from tenfold.protect.reads.valkey.envelope import SET_UNLESS_NEWER


class Write(NamedTuple):
    """`late`: it was read or written elsewhere before, so it must not replace what is newer."""

    key: str
    packed: bytes
    ttl_ms: int
    late: bool = False

    @property
    def command(self) -> Command:
        if self.late:
            return "EVAL", SET_UNLESS_NEWER, 1, self.key, self.packed, self.ttl_ms
        return "SET", self.key, self.packed, "PX", self.ttl_ms
