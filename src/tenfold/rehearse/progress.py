"""What people see of a rehearsal while it runs: the terminal and the console draw the same record."""

import msgspec


class ServerView(msgspec.Struct):
    """One process of the run. `state` is starting, ready, faulted, stopped or failed."""

    name: str
    role: str
    state: str
    address: str = ""
    pid: int = 0
    rss_bytes: int = 0
    cpu_ratio: float = 0.0


class StepView(msgspec.Struct):
    """One step. `state` is waiting, running, held, missed or inconclusive."""

    name: str
    factor: float
    target_rps: float
    state: str = "waiting"
    sent_rps: float = 0.0
    p99_ms: float = 0.0
    errors: int = 0
    dropped: int = 0
    limited_by: str = ""


class DrillView(msgspec.Struct):
    """One drill. `state` is waiting, steady, injected, reverting, held or failed."""

    name: str
    target: str
    proves: str
    state: str = "waiting"
    errors: int = 0
    detect_ms: float | None = None
    recover_ms: float | None = None


class InvariantView(msgspec.Struct):
    """One invariant. `state` is waiting, held or broken."""

    name: str
    says: str
    state: str = "waiting"
    checked: int = 0
    violations: int = 0


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


class Message(msgspec.Struct):
    """One line for people: what happened when."""

    at: str
    kind: str
    text: str


class Progress(msgspec.Struct):
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
    journeys: dict[str, dict[str, float]] = {}
    """Of the current stage: requests, errors, degraded, p50_ms, p99_ms."""
    messages: list[Message] = []
    verdict: str = ""
    reasons: list[str] = []
    report: str = ""
