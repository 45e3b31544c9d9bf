"""One rehearsal told to many viewers: each gets the newest, as fast as it can take it, and none can hold up the run.

A viewer's queue is one flag: there is something newer than what you have. When it comes to fetch, it gets the newest
frame and every sample that it has not seen, so a slow viewer skips frames (counted) and loses no point of a chart.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from tenfold.rehearse.view.progress import RunProgress, Sample
from tenfold.telemetry import Registry

SAMPLES_MAX = 1200
"""Five minutes at four a second: a whole rehearsal."""
VIEWERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Frame:
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
        self._viewers: set[Viewer] = set()
        self._last_left = asyncio.Event()
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
        self._wake_viewers()

    def close(self) -> None:
        """End every viewer's stream: the run is over and nothing newer will come."""
        self.closed = True
        self._wake_viewers()

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    @property
    def full(self) -> bool:
        return len(self._viewers) >= VIEWERS_MAX

    async def see_viewers_off(self, *, patience_s: float) -> None:
        """Close, and leave behind whoever has not taken the farewell in time: it would hold its server open."""
        self.close()
        if self._viewers:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._last_left.wait(), patience_s)
        for viewer in self._viewers:
            if viewer.serving is not None:
                viewer.serving.cancel()

    @contextmanager
    def viewer(self, serving: "asyncio.Task[Any] | None" = None) -> Iterator["Viewer"]:
        """A place among the viewers for as long as the block lasts; `serving` is the task that writes to it."""
        viewer = Viewer(self, serving)
        self._viewers.add(viewer)
        self._last_left.clear()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._last_left.set()

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

    def _wake_viewers(self) -> None:
        for viewer in self._viewers:
            viewer.wake()

    def _declare_metrics(self) -> None:
        viewers = self.registry.gauge("tenfold_console_viewers", "Pages that follow this run now.")
        viewers.child().ask(lambda: float(self.viewers))
        self.frames = self.registry.counter("tenfold_console_frames_total", "Frames sent to viewers.").child()
        self.skipped = self.registry.counter(
            "tenfold_console_frames_skipped_total", "Frames that a viewer was too slow for."
        ).child()


class Viewer:
    """One page that follows the run: knows what it has seen, and is told that there is more."""

    def __init__(self, publisher: Publisher, serving: "asyncio.Task[Any] | None" = None) -> None:
        self.serving = serving
        self._publisher = publisher
        self._news = asyncio.Event()
        self._number = 0
        self._samples_until = -1.0

    def wake(self) -> None:
        self._news.set()

    async def next(self, *, patience_s: float) -> Frame | None:
        """The newest frame that this viewer has not seen; None when `patience_s` pass or the run is over first."""
        if self._number == self._publisher.number and not self._publisher.closed:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), patience_s)
            except TimeoutError:
                return None
        return self._take() if self._number < self._publisher.number else None

    def _take(self) -> Frame:
        publisher, first = self._publisher, self._number == 0
        publisher.skipped.inc(0 if first else publisher.number - self._number - 1)
        publisher.frames.inc()
        body = publisher.body_after(self._samples_until)
        self._number = publisher.number
        self._samples_until = publisher.newest_sample_at
        return Frame(number=self._number, first=first, body=body)
