"""What an examination of a cluster found."""

from typing import NamedTuple


class Health(NamedTuple):
    """Whether somebody answers reads, and whether a primary of a known history is confirmed.

    `renewals`: how often the history, and with it the data, has been found to be a new one.
    """

    readable: bool
    primary: bool
    renewals: int = 0
