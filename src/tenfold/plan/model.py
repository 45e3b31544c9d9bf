"""The peak plan as Tenfold works with it: every value checked, every unit resolved, nothing left as text.

`plan.read_plan()` makes these; nobody else needs to. Names of things (servers, journeys, drills …) are the keys of
the mappings, in the order in which the file states them.
"""

import enum
from dataclasses import dataclass, field
from pathlib import Path

from tenfold.kernel import Duration


class Tier(enum.StrEnum):
    """How much a function matters: P0 must never fail, P3 is the first to be shed."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Engine(enum.StrEnum):
    POSTGRESQL = "postgresql"
    VALKEY = "valkey"
    SEAWEEDFS = "seaweedfs"


class FaultKind(enum.StrEnum):
    """What is done to a node: `kill` SIGKILL, `stop` SIGTERM, `cut` its clients' connections, `refuse` new ones."""

    KILL = "kill"
    STOP = "stop"
    CUT = "cut"
    REFUSE = "refuse"


class Target(enum.StrEnum):
    """The kind of store that a drill breaks."""

    CACHE = "cache"
    DATABASE = "database"
    OBJECT_STORE = "object-store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A normal day: its busiest hour in requests a second, and its 24 hours' shares (they add up to 1)."""

    daily_peak_rps: float
    hours: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    engine: Engine
    replicas: int = 0
    memory_bytes: int | None = None
    buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What is promised: `p99` response time counted from when a request was due; the share answered rightly."""

    p99: Duration
    availability_ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program under rehearsal, `instances` times. `ready` is the path that answers 200 on the port it was given."""

    title: str
    tier: Tier
    command: tuple[str, ...]
    ready: str
    depends_on: tuple[str, ...] = ()
    slo: Slo
    instances: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What all test requests share: whom they go to, the header that tags them, their deadline, the rows they use."""

    service: str
    tag: str
    timeout: Duration
    feed: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One kind of request. `answers` says which statuses are right, and what each means."""

    tier: Tier
    share: float
    method: str
    path: str
    slo: Slo
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    answers: dict[int, str] = field(default_factory=lambda: {200: "answered"})
    remember: dict[str, str] = field(default_factory=dict)
    journal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The climb: a warm-up that plays one normal day, then each factor of the daily peak for `hold`."""

    warm_up: Duration
    factors: tuple[float, ...]
    hold: Duration
    peak_hold: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A fault under load and the plan it proves.

    `unharmed` journeys keep their promise of no error; `delayed` may be slow, not wrong; `degraded` may be answered
    with less. `breaker` names the breaker whose opening shows that the fault was noticed, and whose closing, that
    it is over.
    """

    target: Target
    fault: FaultKind
    node: str
    hold: Duration
    breaker: str
    proves: str
    unharmed: tuple[str, ...] = ()
    delayed: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What must hold afterwards: two queries, each answering one number."""

    says: str
    checked: str
    violations: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutants:
    """Builds that are wrong on purpose, and the commands that run them in a service's place."""

    variable: str
    names: tuple[str, ...]
    commands: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole of it. `path` is the file it was read from; the feed's path is already found from there."""

    name: str
    title: str
    path: Path
    peak: Peak
    servers: dict[str, Server] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    setup: tuple[tuple[str, ...], ...] = ()
    services: dict[str, Service]
    traffic: Traffic
    journeys: dict[str, Journey]
    steps: Steps
    quick_steps: Steps
    drills: dict[str, Drill] = field(default_factory=dict)
    settled: str = "SELECT true"
    invariants: dict[str, Invariant] = field(default_factory=dict)
    mutants: Mutants | None = None
