"""What a read comes to."""

from collections.abc import Mapping
from typing import NamedTuple

from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.reads.found import UNKNOWN

NOW = Duration(0)


class Answer(NamedTuple):
    """`value` None: it is certain that there is nothing.

    `rung` says who answered; `age` how long ago the truth certainly said so, as far as the rungs tell; `stale` that it
    is older than the near cache's `ttl`, because it is being refreshed or no rung could answer; `version` is `Found`'s.
    """

    value: bytes | None
    rung: str
    age: Duration = NOW
    stale: bool = False
    version: int = UNKNOWN


class LadderExhausted(TenfoldError):
    """No rung could answer, and the near cache held nothing usable. `causes` says why, rung by rung."""

    def __init__(self, ladder: str, key: str, causes: Mapping[str, str]) -> None:
        why = ", ".join(f"{rung}: {cause}" for rung, cause in causes.items())
        super().__init__(f"Ladder '{ladder}' has no answer for '{key}' ({why}).")
        self.causes = dict(causes)


class LadderClosed(TenfoldError):
    """The ladder was closed; it reads no more."""


class ReadShed(TenfoldError):
    """The read was given up so that others, of a tier that matters more, are answered."""
