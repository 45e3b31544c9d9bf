"""Independent seeds derived from one, so that a whole run can be repeated from the one it prints."""

import hashlib


def derive_seed(seed: int, *purpose: str) -> int:
    """A 64-bit seed for one purpose: the same for the same words, unrelated for any other."""
    words = "\x1f".join((str(seed), *purpose))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest())
