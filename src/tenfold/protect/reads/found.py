"""A value as it travels between the places that it is read from."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

UNKNOWN = 0


class Found(NamedTuple):
    """A value, how new it certainly is, and when it was certainly true.

    `version` grows with every change of the key, whoever tells it: a row's own number, or the position in the
    database's log (LSN) that the value was read at or after. `true_at_ns` is the wall-clock time, in ns since 1970, at
    which the truth itself said so. UNKNOWN (0) is older than all others.
    """

    value: bytes
    version: int = UNKNOWN
    true_at_ns: int = UNKNOWN


ReadMany = Callable[[Sequence[str]], Awaitable[Mapping[str, Found]]]
"""Answers what lies there for these keys, in one round trip; keys that are not there are left out."""
