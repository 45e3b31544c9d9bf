"""What a process says about how often its switches are read, so that a dry run can tell what a change would touch."""

from typing import Annotated

import msgspec

LOADS = "switch-loads"
PLACES_MAX = 1000
"""So many places of all switches are told one by one, those read most."""

Rate = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class Load(msgspec.Struct, frozen=True, array_like=True):
    """One switch read from one place: by reads that name a subject or do not, with attributes or without."""

    switch: str
    reads_per_s: Rate
    service: str = ""
    store: str = ""
    instance: str = ""
    subject: bool = False
    attributes: bool = False


class LoadReport(msgspec.Struct, frozen=True):
    """The newest `seconds` of one process."""

    seconds: float
    loads: list[Load]
