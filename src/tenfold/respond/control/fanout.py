"""One change told to many processes: encoded once, the same bytes to all; who is too slow is cut off.

Whoever was cut off connects again and is told what it missed, so nothing is lost by it but time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tenfold.channel import Process
from tenfold.telemetry import Registry

BEHIND_BYTES_MAX = 1 << 20
TURNS = 10
"""Beats go round: each follower has its turn, so that not all answer in the same moment."""
STREAMS_MAX = 2000


class FollowerQueue:
    """One stream: what waits to be sent on it, to a bound."""

    def __init__(self, process: Process, turn: int, first: bytes) -> None:
        self.process = process
        self.turn = turn
        self.cut_off = False
        self._waiting = [first]
        self._behind_bytes = 0
        self._news = asyncio.Event()
        self._news.set()

    def offer(self, line: bytes) -> bool:
        """False when the follower is too far behind; it is then cut off."""
        self._behind_bytes += len(line)
        if self._behind_bytes > BEHIND_BYTES_MAX:
            self.cut_off = True
            self._waiting.clear()
        else:
            self._waiting.append(line)
        self._news.set()
        return not self.cut_off

    async def next(self) -> bytes:
        """All that waits, once something does; nothing when the follower was cut off."""
        await self._news.wait()
        self._news.clear()
        text = b"".join(self._waiting)
        self._waiting.clear()
        self._behind_bytes = 0
        return text


class Fanout:
    """The followers of one control node, in one event loop."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._followers: dict[FollowerQueue, asyncio.Task[None] | None] = {}
        self._joined = 0
        registry = registry or Registry()
        registry.gauge("tenfold_control_streams", "Processes that follow the control node now.").child().ask(
            lambda: float(len(self._followers))
        )
        self._cut_off = registry.counter(
            "tenfold_control_streams_cut_total", "Streams cut off because their process was too slow."
        ).child()

    def __len__(self) -> int:
        return len(self._followers)

    @property
    def full(self) -> bool:
        return len(self._followers) >= STREAMS_MAX

    def __iter__(self) -> Iterator[FollowerQueue]:
        return iter(list(self._followers))

    @contextmanager
    def follower(self, process: Process, first: bytes, sending: "asyncio.Task[None] | None") -> Iterator[FollowerQueue]:
        """A place for as long as the block lasts; `sending` is the task that writes and is ended at a cut-off."""
        follower = FollowerQueue(process, self._joined % TURNS, first)
        self._joined += 1
        self._followers[follower] = sending
        try:
            yield follower
        finally:
            self._followers.pop(follower, None)

    def publish(self, line: bytes, *, turn: int | None = None) -> None:
        """Tell everybody, or those whose turn it is."""
        for follower, sending in list(self._followers.items()):
            if turn is None or follower.turn == turn:
                self._offer(follower, line, sending)

    def _offer(self, follower: FollowerQueue, line: bytes, sending: "asyncio.Task[None] | None") -> None:
        if not follower.cut_off and not follower.offer(line):
            self._cut_off.inc()
            if sending is not None:
                sending.cancel()

    def close(self) -> None:
        """End every stream."""
        for sending in list(self._followers.values()):
            if sending is not None:
                sending.cancel()
