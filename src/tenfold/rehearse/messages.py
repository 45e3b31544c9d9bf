"""What the rehearsal and its load driver say to each other: one JSON object a line, orders down, ticks up.

The driver is a process of its own, so that nothing but load runs in it. Times are CLOCK_MONOTONIC nanoseconds, one
scale for every process of the machine.
"""

import msgspec


class Segment(msgspec.Struct, frozen=True):
    """A steady arrival rate for a while."""

    rate_rps: float
    duration_ns: int


class Target(msgspec.Struct, frozen=True, tag="target"):
    """The first line down: where to send, what a request looks like, where answers are journalled."""

    base_url: str
    plan: str
    """Path of the plan file; the driver reads journeys, feed and tag from it."""
    token: str
    journal: str
    """File that takes one JSON line for each answer of a journey with `journal: true`."""
    seed: int
    connections_max: int = 2048


class Stage(msgspec.Struct, frozen=True, tag="stage"):
    """Send arrivals at these rates, one segment after the other, then wait for what is still in flight."""

    name: str
    segments: list[Segment]


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """Begin no further arrival, wait for what is in flight (to the traffic's timeout), and exit."""


Order = Target | Stage | Finish


class JourneyTick(msgspec.Struct):
    """One journey since the last tick. Latencies are response times: from when a request was due to its last byte."""

    requests: int = 0
    errors: int = 0
    degraded: int = 0
    answers: dict[str, int] = {}
    """By meaning of the status: `accepted`, `declined`; `timeout`, `refused`, `broken`, `status-500` are errors."""
    latency: dict[int, int] = {}
    """Histogram.to_counts() of response times in nanoseconds, of all requests that ended, rightly or not."""
    service: dict[int, int] = {}
    """The same from when the request was sent: without the generator's and the pool's delay."""


class Tick(msgspec.Struct, tag="tick"):
    """What happened in one stage since the driver's last tick. Requests are counted when they end."""

    stage: str
    at_ns: int
    due: int
    """Arrivals that fell due."""
    sent: int
    dropped: int
    """Arrivals never sent: no connection to be had within the bound. Each is a missed promise."""
    inflight: int
    lateness: dict[int, int]
    """Histogram.to_counts() of sent minus due in nanoseconds: how late the generator itself was."""
    waited: int
    """Of those sent, how many were late because the server held every connection, not because of the generator."""
    journeys: dict[str, JourneyTick]
    cpu_ns: int
    """Processor time the driver has used since its start."""
    last: bool = False
    """True once for each stage: everything of it has ended."""


class Ready(msgspec.Struct, tag="ready"):
    """The driver has read the plan and holds open connections. `metrics_port` serves its /metrics."""

    pid: int
    metrics_port: int


class Failed(msgspec.Struct, tag="failed"):
    """The driver cannot go on; it exits after this line."""

    reason: str


Report = Ready | Tick | Failed
