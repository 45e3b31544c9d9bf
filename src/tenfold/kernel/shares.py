"""Which keys belong to a share of all keys: the same ones in every process, whatever its hash seed."""

import zlib

KEY_HASHES = 1 << 32
"""A key belongs to a share (0..1) when its hash lies below `share * KEY_HASHES`: a smaller share lies in a larger."""


def key_hash(key: str, salt: int = 0) -> int:
    """32 bits, evenly spread: a CRC of similar keys is not, so it is mixed (MurmurHash3's finalizer)."""
    mixed = zlib.crc32(key.encode(), salt)
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return mixed ^ mixed >> 16
