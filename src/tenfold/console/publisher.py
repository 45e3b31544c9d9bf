"""One rehearsal told to many viewers: each gets the newest, as fast as it can take it, and none can hold up the run.

snapshot   the first event of a connection: everything known, with the history of samples
progress   what is newest, with the samples since the event before
alive      nothing is new
closed     the run is over; nothing newer will come from this server

A viewer's queue is one flag: there is something newer than what you have. When it comes to fetch, it gets the newest
frame and every sample that it has not seen, so a slow viewer skips frames (counted) and loses no point of a chart.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from tenfold.rehearse.view.progress import RunProgress, Sample
from tenfold.serving.events import CLOSED, HEARTBEAT_S, RETRY, Viewers, event
from tenfold.telemetry import Registry

SAMPLES_MAX = 1200
"""Five minutes at four a second: a whole rehearsal."""
VIEWERS_MAX, VIEWERS_KEPT = 1000, 50
"""Of whoever opens the page; and more for people who are signed in."""


@dataclass(frozen=True, slots=True)
class ProgressFrame:
    """What one viewer is sent at once. `first` frames carry the whole history, the others what is new."""

    number: int
    first: bool
    body: bytes
    """JSON: `{"progress": …, "samples": […]}`."""


class Publisher:
    """Holds the newest progress and the history of its samples; lives in one event loop."""

    def __init__(self, registry: Registry | None = None, *, samples_max: int = SAMPLES_MAX) -> None:
        self.registry = registry or Registry()
        self.closed = False
        self.number = 0
        self.latest: RunProgress | None = None
        self._head = b"null"
        self._samples: deque[Sample] = deque(maxlen=samples_max)
        self._encoded: dict[float, bytes] = {}
        self._viewers = Viewers(VIEWERS_MAX, VIEWERS_KEPT)
        self._declare_metrics()

    def publish(self, progress: RunProgress) -> None:
        """Make `progress` the newest. It is copied: the caller may go on changing its own."""
        if self.latest is not None and self.latest.run_id != progress.run_id:
            self._samples.clear()
        known_until = self._samples[-1].at if self._samples else -1.0
        self._samples.extend(sample for sample in progress.samples if sample.at > known_until)
        self.latest = msgspec.structs.replace(progress, samples=[])
        self._head = msgspec.json.encode(self.latest)
        self._encoded.clear()
        self.number += 1
        self._viewers.wake()

    def close(self) -> None:
        """End every viewer's stream: the run is over and nothing newer will come."""
        self.closed = True
        self._viewers.wake()

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def full(self, *, signed_in: bool = False) -> bool:
        return self._viewers.full(signed_in=signed_in)

    async def see_viewers_off(self, *, patience_s: float) -> None:
        """Close, and leave behind each viewer that has not taken the farewell in time."""
        self.close()
        await self._viewers.see_off(patience_s=patience_s)

    @contextmanager
    def viewer(self, serving: "asyncio.Task[Any] | None" = None) -> Iterator["Viewer"]:
        """A place among the viewers for as long as the block lasts; `serving` is the task that writes to it."""
        with self._viewers.join(serving) as news:
            yield Viewer(self, news)

    def samples_after(self, at: float) -> list[Sample]:
        return [sample for sample in self._samples if sample.at > at]

    def body_after(self, at: float) -> bytes:
        """The newest progress with the samples after `at` seconds; encoded once for all viewers that are as far."""
        if at not in self._encoded:
            samples = msgspec.json.encode(self.samples_after(at))
            self._encoded[at] = b'{"progress":' + self._head + b',"samples":' + samples + b"}"
        return self._encoded[at]

    @property
    def newest_sample_at(self) -> float:
        return self._samples[-1].at if self._samples else -1.0

    def _declare_metrics(self) -> None:
        viewers = self.registry.gauge("tenfold_console_viewers", "Pages that follow this run now.")
        viewers.child().ask(lambda: float(self.viewers))
        self.frames = self.registry.counter("tenfold_console_frames_total", "Frames sent to viewers.").child()
        self.skipped = self.registry.counter(
            "tenfold_console_frames_skipped_total", "Frames that a viewer was too slow for."
        ).child()


class Viewer:
    """One page that follows the run: knows what it has seen, and is told that there is more."""

    def __init__(self, publisher: Publisher, news: asyncio.Event) -> None:
        self._publisher = publisher
        self._news = news
        self._number = 0
        self._samples_until = -1.0

    async def next(self, *, patience_s: float) -> ProgressFrame | None:
        """The newest frame that this viewer has not seen; None when `patience_s` pass or the run is over first."""
        if self._number == self._publisher.number and not self._publisher.closed:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), patience_s)
            except TimeoutError:
                return None
        return self._take() if self._number < self._publisher.number else None

    def _take(self) -> ProgressFrame:
        publisher, first = self._publisher, self._number == 0
        publisher.skipped.inc(0 if first else publisher.number - self._number - 1)
        publisher.frames.inc()
        body = publisher.body_after(self._samples_until)
        self._number = publisher.number
        self._samples_until = publisher.newest_sample_at
        return ProgressFrame(number=self._number, first=first, body=body)


async def progress_events(
    publisher: Publisher, serving: "asyncio.Task[Any] | None" = None, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """What one viewer is sent, until the publisher closes or the viewer leaves; `serving` is the task that sends."""
    with publisher.viewer(serving) as viewer:
        yield RETRY
        while (frame := await viewer.next(patience_s=heartbeat_s)) is not None or not publisher.closed:
            yield encode(frame) if frame is not None else event("alive")
        yield CLOSED


def encode(frame: ProgressFrame) -> bytes:
    return event("snapshot" if frame.first else "progress", frame.body, number=frame.number)
