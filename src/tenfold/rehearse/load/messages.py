"""What the rehearsal and its load driver say to each other: one JSON object a line, orders down, ticks up.

The driver is a process of its own, so that nothing but load runs in it. Times are CLOCK_MONOTONIC nanoseconds, one
scale for every process of the machine.
"""

from typing import Annotated

import msgspec


class Segment(msgspec.Struct, frozen=True):
    """A steady arrival rate for a while. With `focus`, that ratio of the arrivals asks one thing of one journey."""

    rate_rps: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
    duration_ns: Annotated[int, msgspec.Meta(ge=0)]
    focus: str = ""
    focus_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


class LoadTarget(msgspec.Struct, frozen=True, tag="target"):
    """The first line down: where to send, what a request looks like, where answers are journalled."""

    base_url: str
    plan: str
    """Path of the plan file; the driver reads journeys, feed and tag from it."""
    token: str
    journal: str
    """File that takes one JSON line for each answer of a journey with `journal: true`."""
    seed: int
    connections_max: Annotated[int, msgspec.Meta(ge=1)] = 2048


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """Send arrivals at these rates, one segment after the other, then wait for what is still in flight."""

    name: str
    segments: list[Segment]


class StageEnd(msgspec.Struct, frozen=True, tag="end"):
    """From the next tick on no arrival of that stage falls due; those before it are sent, awaited and counted.

    Nothing happens when the stage is over by then.
    """

    name: str


Order = LoadTarget | Stage | StageEnd
"""The end of the driver's stdin means: nobody is left to drive for, exit at once."""


class JourneyTick(msgspec.Struct):
    """One journey since the last tick. Latencies are response times: from when a request was due to its last byte."""

    requests: int = 0
    errors: int = 0
    degraded: int = 0
    answers: dict[str, int] = {}
    """By meaning of the status: `accepted`, `declined`. Errors are `timeout`, `refused` (no connection), `reset`
    (closed without an answer), `broken` (bytes that are no answer), `status-500` (no meaning for this journey)."""
    latency: dict[int, int] = {}
    """Histogram.to_counts() of response times in nanoseconds, of all requests that ended, rightly or not."""
    service: dict[int, int] = {}
    """The same from when the request was sent: without the generator's and the pool's delay."""
    dropped: int = 0
    """Arrivals of this journey never sent. They are not among `requests`."""


class Tick(msgspec.Struct, tag="tick"):
    """What happened in one stage since the driver's last tick. Requests are counted when they end.

    Over a whole stage due = sent + dropped, and sent = the sum of the journeys' requests.
    """

    stage: str
    at_ns: int
    due: int
    """Arrivals that fell due."""
    sent: int
    """Arrivals put on the wire, or refused there; a retry is not counted again."""
    dropped: int
    """Arrivals never sent: no connection within the timeout, or too many waiting. Each is a missed promise."""
    inflight: int
    """On the wire at `at_ns`, no answer yet."""
    lateness: dict[int, int]
    """Histogram.to_counts() of how long after it was due the generator took each arrival in hand, in nanoseconds: the
    generator's own delay, without any wait for a connection."""
    waited: int
    """Arrivals that then had to wait for a connection, because the server held every one there was."""
    journeys: dict[str, JourneyTick]
    cpu_ns: int
    """Processor time the driver has used since its start."""
    waiting: int = 0
    """Still waiting for a connection at `at_ns`."""
    retried: int = 0
    """Requests sent a second time, because they met the server's closing of an idle connection."""
    last: bool = False
    """True once for each stage: everything of it has ended."""
    lasted_ns: int = 0
    """Of the last tick: how long arrivals fell due; less than was planned when the stage was ended early."""


class Ready(msgspec.Struct, tag="ready"):
    """The driver has read the plan and holds open connections. `metrics_port` serves its /metrics."""

    pid: int
    metrics_port: int
    cpu_ns: int = 0
    """Processor time used until now."""


class Failed(msgspec.Struct, tag="failed"):
    """The driver cannot go on; it exits after this line."""

    reason: str


Report = Ready | Tick | Failed
