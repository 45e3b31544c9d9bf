"""The stream that a page follows."""

import asyncio

from tenfold.console.publisher import ProgressFrame, Publisher, encode, progress_events
from tenfold.rehearse.view.progress import RunProgress


def progress(title: str = "Shop") -> RunProgress:
    return RunProgress(run_id="run-1", plan="shop", title=title, began_at="")


def read_all(publisher: Publisher, *, heartbeat_s: float = 5.0, chunks_max: int = 10) -> list[str]:
    async def scene() -> list[str]:
        chunks = []
        async for chunk in progress_events(publisher, heartbeat_s=heartbeat_s):
            chunks.append(chunk.decode())
            if len(chunks) == chunks_max:
                break
        return chunks

    return asyncio.run(scene())


def test_the_first_frame_comes_at_once_and_the_farewell_last() -> None:
    """Retry first, then everything known, then that the run is over."""
    publisher = Publisher()
    publisher.publish(progress())
    publisher.close()
    retry, first, farewell = read_all(publisher)
    assert retry == "retry: 1000\n\n"
    assert first.startswith("id: 1\nevent: snapshot\ndata: {")
    assert farewell == "event: closed\ndata: {}\n\n"


def test_a_quiet_stream_says_that_it_is_alive() -> None:
    """Both ends notice when the other is gone."""
    assert read_all(Publisher(), heartbeat_s=0.0, chunks_max=2)[1] == "event: alive\ndata: {}\n\n"


def test_a_line_break_in_the_data_cannot_end_the_event() -> None:
    """A title with line breaks stays one data line: nothing can be smuggled into the stream."""
    publisher = Publisher()
    publisher.publish(progress(title="Shop\n\nevent: closed\ndata: {}"))
    publisher.close()
    assert read_all(publisher)[1].count("\n") == 4


def test_only_the_first_frame_is_a_snapshot() -> None:
    """A page forgets its history at a snapshot and at nothing else."""
    assert encode(ProgressFrame(number=7, first=False, body=b"{}")) == b"id: 7\nevent: progress\ndata: {}\n\n"
