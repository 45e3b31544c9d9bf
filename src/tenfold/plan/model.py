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


NODES_OF = {
    Engine.POSTGRESQL: ("primary", "replica"),
    Engine.VALKEY: ("primary", "replica"),
    Engine.SEAWEEDFS: ("s3",),
}
"""The nodes of a server that a plan may name. A replica is there when the plan asks for one."""

EVERY_NODE = tuple((engine, member) for engine, members in NODES_OF.items() for member in members)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """What a plan must know of one kind of fault: how it is written, and what may suffer it.

    The kinds are declared in `fleet/faults`, one file each, beside what injects, reverts and proves them.
    """

    word: str
    nodes: tuple[tuple[Engine, str], ...] = ()
    """The members of servers that may suffer it, each with its server's engine."""
    servers: bool = False
    """Whether it may strike all nodes of a server at once."""
    services: bool = False
    features: bool = False
    journeys: bool = False
    load: bool = False
    """Whether it strikes the load as a whole, so that nothing is named."""
    share_above: float | None = None
    """The fault states a share above this ratio; None when it states none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`kill main.primary`, `scramble 5 % of main.primary`, `focus 20 % of price`, `kill main, standby`.

    `at`: nodes, servers (all their nodes), the feature that is shielded, or the journey that the load is focused on.
    `share` is a ratio; of `slow`, the multiple of the time that is taken.
    """

    kind: str
    at: tuple[str, ...] = ()
    share: float = 0.0

    def __str__(self) -> str:
        of = f" {self.share:.0%}".replace("%", " %") if self.share else ""
        return f"{self.kind}{of}{' of' if of and self.at else ''} {', '.join(self.at)}".rstrip()


class SignalKind(enum.StrEnum):
    """What a system says of a fault: that it has noticed, and that it is over."""

    BREAKER = "breaker"
    CLUSTER = "cluster"
    DOWNGRADE = "downgrade"
    FAILOVER = "failover"
    HOT_KEY = "hot-key"
    SHED = "shed"
    SHIELD = "shield"


@dataclass(frozen=True, slots=True)
class Signal:
    """`breaker main`: the events of that kind whose subject is `name`."""

    kind: SignalKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


CONTROL = "control"
"""The control node: a service that every run has, and no plan names."""


class Target(enum.StrEnum):
    """What a drill breaks: a kind of store, a service, or the day's own traffic."""

    CACHE = "cache"
    DATABASE = "database"
    OBJECT_STORE = "object-store"
    SERVICE = "service"
    TRAFFIC = "traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A normal day: its busiest hour in requests a second, and its 24 hours' shares (they add up to 1)."""

    daily_peak_rps: float
    hours: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
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
class ServicePlan:
    """A program under rehearsal, `instances` times. `ready` is the path that answers 200 on the port it was given.

    `needs` names what it is given of the plan's environment; None when it is given all.
    """

    title: str
    tier: Tier
    command: tuple[str, ...]
    ready: str
    depends_on: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None
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


TAIL = Duration.from_s(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A fault under load and the plan it proves.

    `unharmed` journeys keep their promise of no error; `delayed` may be slow, not wrong; `degraded` may be answered
    with less. `signal` is what shows that the fault was noticed, and later, that it is over. `after`: what is done just
    before the fault, and undone when the fault is.
    """

    target: Target
    fault: Fault
    hold: Duration
    signal: Signal
    proves: str
    after: Fault | None = None
    tail: Duration = TAIL
    unharmed: tuple[str, ...] = ()
    delayed: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()

    @property
    def stated(self) -> str:
        """What is done, for people."""
        return f"{self.after}, then {self.fault}" if self.after else str(self.fault)


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
    servers: dict[str, ServerPlan] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    setup: tuple[tuple[str, ...], ...] = ()
    services: dict[str, ServicePlan]
    traffic: Traffic
    journeys: dict[str, Journey]
    steps: Steps
    quick_steps: Steps
    drills: dict[str, Drill] = field(default_factory=dict)
    settled: str = "SELECT true"
    invariants: dict[str, Invariant] = field(default_factory=dict)
    mutants: Mutants | None = None
