"""What people see of a rehearsal while it runs: the terminal and the console draw the same record."""

import msgspec

from tenfold.rehearse.summary import VerdictSummary
from tenfold.rehearse.verdict import DrillVerdict, InvariantVerdict, StepVerdict


class ServerView(msgspec.Struct):
    """One process of the run. `state` is starting, ready, faulted, stopped or failed."""

    name: str
    role: str
    state: str
    address: str = ""
    pid: int = 0
    rss_bytes: int = 0
    cpu_ratio: float = 0.0
    restarts: int = 0
    """How often it was started again because it had crashed."""


class StepView(msgspec.Struct):
    """One step. `state` is waiting, running, repeating, held, missed or inconclusive.

    `result` is there when it has ended, or has ended once and is repeated.
    """

    name: str
    factor: float
    target_rps: float
    state: str = "waiting"
    done_ratio: float = 0.0
    """How much of its time has passed, 0 to 1."""
    result: StepVerdict | None = None


class DrillView(msgspec.Struct):
    """One drill. `state` is waiting, steady, injected, reverting, held, failed or inconclusive; repeating before it
    begins once more; left-out when nobody wants it."""

    name: str
    target: str
    proves: str
    state: str = "waiting"
    fault: str = ""
    """What is done to whom, as the plan says it: `kill main.primary`."""
    result: DrillVerdict | None = None


class InvariantView(msgspec.Struct):
    """One invariant. `state` is waiting, held or broken."""

    name: str
    says: str
    state: str = "waiting"
    result: InvariantVerdict | None = None


class Sample(msgspec.Struct):
    """One point of the live charts: a quarter of a second or so."""

    at: float
    """Seconds since the run began."""
    rate_rps: float
    target_rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    inflight: int


class Mark(msgspec.Struct):
    """A moment that the charts point at. `kind` is step, inject, noticed, revert or recovered."""

    at: float
    """Seconds since the run began."""
    kind: str
    subject: str
    """The step or the drill that it belongs to, by name."""
    text: str


class RunMessage(msgspec.Struct):
    """One line for people: what happened when. `kind` is info, good or bad."""

    at: str
    kind: str
    text: str


class RunProgress(msgspec.Struct):
    """The whole of it, small enough to be sent four times a second.

    `phase` is starting, seeding, warm-up, steps, drills, audit, report, done, or serving (`tenfold up`).
    `verdict` is empty until it is known: go or no-go.
    """

    run_id: str
    plan: str
    title: str
    began_at: str
    phase: str = "starting"
    elapsed_s: float = 0.0
    phase_done_ratio: float = 0.0
    current: str = ""
    daily_peak_rps: float = 0.0
    servers: list[ServerView] = []
    steps: list[StepView] = []
    drills: list[DrillView] = []
    invariants: list[InvariantView] = []
    samples: list[Sample] = []
    """The newest, to a bound; the console keeps the older ones it was sent."""
    marks: list[Mark] = []
    """All of them, by time: a run has some thirty."""
    journeys: dict[str, dict[str, float]] = {}
    """Of the current stage: requests, errors, degraded, p50_ms, p99_ms; and p99_max_ms, what the plan promises."""
    messages: list[RunMessage] = []
    warnings: list[str] = []
    """What the machine lacks for this plan, found before the first request."""
    verdict: str = ""
    reasons: list[str] = []
    summary: VerdictSummary | None = None
    """What is shown first of a run that has ended."""
    report: str = ""
    """Path of the report's index.html, once it is written."""
    console: str = ""
    """Address of the console, once it answers."""
