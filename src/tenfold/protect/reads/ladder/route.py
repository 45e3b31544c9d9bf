"""Which places a read may be answered from, as whoever watches over the caches decides."""

from typing import NamedTuple, Protocol


class Route(NamedTuple):
    """`near`: the near cache may answer; `cache`: steps that fill may; `database`: the other steps may.

    A read that neither cache nor database may answer is shed.
    """

    near: bool = True
    cache: bool = True
    database: bool = True


EVERYTHING = Route()


class Gate(Protocol):
    """Asked at the beginning of every read, so it costs next to nothing."""

    def route(self, key: str, tier: int, strict: bool) -> Route: ...
