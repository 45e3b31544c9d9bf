"""How a value lies on the server, its version and time of truth before it, and the command that writes it."""

import struct
from typing import NamedTuple

from tenfold.engines.valkey.connection import Command
from tenfold.protect.reads.found import Found

_STAMP = struct.Struct(">QQ")
"""Version and time of truth, big-endian."""


def pack(found: Found) -> bytes:
    return _STAMP.pack(found.version, found.true_at_ns) + found.value


def unpack(packed: bytes | None) -> Found | None:
    """What was packed; what is too short to have been packed is not ours, and nothing."""
    if packed is None or len(packed) < _STAMP.size:
        return None
    return Found(packed[_STAMP.size :], *_STAMP.unpack_from(packed))


SET_UNLESS_NEWER = """
local function version(stamped) return struct.unpack('>I4I4', stamped) end
local here = redis.call('GETRANGE', KEYS[1], 0, 7)
if #here == 8 then
  local high, low = version(here)
  local new_high, new_low = version(ARGV[1])
  if high > new_high or (high == new_high and low > new_low) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""A late write that does not replace what is newer. Halves, because a number of Lua is exact to 53 bits only."""


def as_new(packed: bytes | None, other: bytes) -> bool:
    """True when what lies here is no older than the other."""
    here, there = unpack(packed), unpack(other)
    return here is not None and (there is None or here.version >= there.version)


class Write(NamedTuple):
    """One value to be kept for so long. `late`: it was read or written elsewhere before, and replaces nothing newer."""

    key: str
    packed: bytes
    ttl_ms: int
    late: bool = False

    @property
    def command(self) -> Command:
        if self.late:
            return "EVAL", SET_UNLESS_NEWER, 1, self.key, self.packed, self.ttl_ms
        return "SET", self.key, self.packed, "PX", self.ttl_ms
