"""What is consumed, what a stream must do, and how it fails."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tenfold.kernel import Duration, TenfoldError


class Message(NamedTuple):
    """One message as one consumer has it. `deliveries` counts this one: more than 1 means that somebody had it
    before and did not acknowledge it, so its effect may be there already."""

    id: str
    body: bytes
    deliveries: int = 1


class StreamUnreachable(TenfoldError):
    """The stream did not answer. What was being published may or may not be there: publish it again."""


class Stream(Protocol):
    """At least once, in the order of publishing for whoever is alone in a group.

    A group begins with the oldest message there is. What a consumer was given and did not acknowledge within the
    stream's idle limit is given to the next one that asks; after the stream's deliveries limit it becomes a dead
    letter. Every method raises StreamUnreachable. `tests/conformance/test_streams.py` holds engines to it.
    """

    async def publish(self, bodies: Sequence[bytes]) -> list[str]:
        """Append all bodies, a thousand and more in one round trip; answers their ids, which ascend."""
        ...

    async def consume(self, group: str, consumer: str, *, count: int, block: Duration) -> list[Message]:
        """Up to `count` messages, abandoned ones first; waits up to `block` for the first, then answers none."""
        ...

    async def ack(self, group: str, ids: Sequence[str]) -> None:
        """These are done for `group`; acknowledging twice is no error."""
        ...

    async def dead_letters(self, count: int) -> list[Message]:
        """The oldest `count` messages that were given up. `deliveries` says how often they had been tried."""
        ...

    async def close(self) -> None: ...
