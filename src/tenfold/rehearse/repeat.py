"""What the machine spoiled is tried once more: a step or drill may be repeated, within a bound of time for the run."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from tenfold.kernel import Duration
from tenfold.rehearse.verdict import DrillVerdict, StepVerdict

REPEATS_LIMIT = Duration.from_s(120)
"""For all repeats of one run together: a person waits for it."""

_Found = TypeVar("_Found", StepVerdict, DrillVerdict)


class Repeats:
    """The time that is left for repeats."""

    def __init__(self, limit: Duration = REPEATS_LIMIT) -> None:
        self._left_ns = limit.ns

    async def tried(
        self, once: Callable[[], Awaitable[_Found]], length: Duration, on_repeat: Callable[[_Found], None]
    ) -> _Found:
        """Do it, and once more when the machine was the limit; both tries are in what is answered.

        A fault that is still in place is not injected again.
        """
        first = await once()
        reverted = not isinstance(first, DrillVerdict) or first.reverted
        if first.limited_by != "machine" or not reverted or self._left_ns < length.ns:
            return first
        self._left_ns -= length.ns
        on_repeat(first)
        return msgspec.structs.replace(await once(), earlier=[first])
