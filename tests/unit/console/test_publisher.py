"""One run told to many viewers, none of whom can hold it up."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from tenfold.console.publisher import VIEWERS_MAX, ProgressFrame, Publisher
from tenfold.rehearse.view.progress import RunProgress, Sample

PATIENT_S = 5.0


def progress(*sample_times: float, run_id: str = "run-1", phase: str = "steps") -> RunProgress:
    samples = [
        Sample(at=at, rate_rps=100.0, target_rps=100.0, p50_ms=1.0, p99_ms=2.0, errors=0, inflight=1)
        for at in sample_times
    ]
    return RunProgress(run_id=run_id, plan="shop", title="Shop", began_at="", phase=phase, samples=samples)


def times(frame: ProgressFrame | None) -> list[float]:
    assert frame is not None
    return [sample["at"] for sample in json.loads(frame.body)["samples"]]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_new_viewer_gets_the_whole_history_at_once() -> None:
    """Whoever opens the page in the middle of a run sees it from its beginning."""

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(progress(1.0, 2.0))
        publisher.publish(progress(2.0, 3.0))
        with publisher.viewer() as viewer:
            frame = await viewer.next(patience_s=PATIENT_S)
            assert frame is not None
            assert frame.first
            assert times(frame) == [1.0, 2.0, 3.0]

    run(scene())


def test_a_later_frame_carries_only_the_samples_that_are_new() -> None:
    """What a page was sent it keeps, so that four frames a second stay small."""

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(progress(1.0))
        with publisher.viewer() as viewer:
            await viewer.next(patience_s=PATIENT_S)
            publisher.publish(progress(1.0, 2.0))
            frame = await viewer.next(patience_s=PATIENT_S)
            assert frame is not None
            assert not frame.first
            assert times(frame) == [2.0]

    run(scene())


def test_a_slow_viewer_skips_frames_that_are_counted_and_loses_no_sample() -> None:
    """Three frames while it was away: it gets the newest, two count as skipped, every sample is there."""

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(progress(1.0))
        with publisher.viewer() as viewer:
            await viewer.next(patience_s=PATIENT_S)
            for at in (2.0, 3.0, 4.0):
                publisher.publish(progress(at))
            assert times(await viewer.next(patience_s=PATIENT_S)) == [2.0, 3.0, 4.0]
        assert publisher.skipped.value == 2
        assert publisher.frames.value == 2

    run(scene())


def test_a_viewer_waits_for_news_and_is_woken_by_it() -> None:
    """Nothing is polled: the wait ends with the publication."""

    async def scene() -> None:
        publisher = Publisher()
        with publisher.viewer() as viewer:
            waiting = asyncio.create_task(viewer.next(patience_s=PATIENT_S))
            await asyncio.sleep(0)
            publisher.publish(progress(1.0))
            assert times(await waiting) == [1.0]

    run(scene())


def test_patience_ends_without_a_frame() -> None:
    """A quiet run gives None, and the stream can say that it is alive."""

    async def scene() -> None:
        with Publisher().viewer() as viewer:
            assert await viewer.next(patience_s=0.0) is None

    run(scene())


def test_what_was_published_is_a_copy() -> None:
    """The conductor goes on changing its record; what viewers see is what it was."""
    publisher = Publisher()
    record = progress(1.0, phase="steps")
    publisher.publish(record)
    record.phase = "drills"
    assert json.loads(publisher.body_after(-1.0))["progress"]["phase"] == "steps"


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    """However long the run, a page is sent no more than the bound."""
    publisher = Publisher(samples_max=3)
    publisher.publish(progress(*(float(at) for at in range(10))))
    assert [sample.at for sample in publisher.samples_after(-1.0)] == [7.0, 8.0, 9.0]


def test_another_run_begins_with_an_empty_history() -> None:
    """Samples of one run are never drawn into the next."""
    publisher = Publisher()
    publisher.publish(progress(50.0))
    publisher.publish(progress(1.0, run_id="run-2"))
    assert [sample.at for sample in publisher.samples_after(-1.0)] == [1.0]


def test_viewers_are_counted_and_leave() -> None:
    """A page that is closed costs nothing more."""
    publisher = Publisher()
    with publisher.viewer():
        assert publisher.viewers == 1
    assert publisher.viewers == 0


def test_there_is_a_bound_to_the_number_of_viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one too many is told so, and the others go on."""
    monkeypatch.setattr("tenfold.console.publisher.VIEWERS_MAX", 1)
    publisher = Publisher()
    assert VIEWERS_MAX == 1000
    with publisher.viewer():
        assert publisher.full()
