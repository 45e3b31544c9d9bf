"""What a process says about how often its switches are read, so that a dry run can tell what a change would touch."""

from typing import Annotated

import msgspec

LOADS = "switch-loads"
PLACES_MAX = 1000
"""So many places of all switches are told one by one, those read most."""
SWITCHES_MAX = 100
"""Of so many switches it is told how often they are read from the other places."""

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


class LoadReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest `seconds` of one process, every read counted once: by switch and place in `loads`; by switch in
    `elsewhere_per_s`, from places that are not told apart; those of any other switch in `unnamed_per_s`.
    """

    seconds: float
    loads: list[Load]
    elsewhere_per_s: dict[str, Rate] = {}
    unnamed_per_s: Rate = 0.0
