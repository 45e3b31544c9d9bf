"""Counters, gauges and histograms in a registry, cheap enough for the hottest path.

A family is declared once, at start; its children, one for each set of label values, are what hot code holds on to:

    reads = registry.counter("tenfold_reads_total", "Reads answered.", labels=("rung",))
    near = reads.child("near")
    near.inc()

Why not prometheus-client: see docs/adr (its labelled increment costs as much as a whole near-cache read).
"""

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from tenfold.kernel import tell_forks
from tenfold.telemetry.histogram import Histogram


class Counter:
    """A number that only grows. Hot code may write `counter.value += 1` itself."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self, amount: int = 1) -> None:
        self.value += amount


class Gauge:
    """A number that is read now: set by its owner, or asked of a function when somebody looks."""

    __slots__ = ("_ask", "_value")

    def __init__(self) -> None:
        self._value = 0.0
        self._ask: Callable[[], float] | None = None

    def set(self, value: float) -> None:
        self._value = value

    def ask(self, source: Callable[[], float]) -> None:
        """Call `source` at every look; it must be quick and must not raise."""
        self._ask = source

    @property
    def value(self) -> float:
        return self._ask() if self._ask is not None else self._value


class DurationHistogram:
    """A histogram of lengths of time in nanoseconds, exposed in seconds."""

    __slots__ = ("histogram",)

    def __init__(self) -> None:
        self.histogram = Histogram()

    def record_ns(self, ns: int) -> None:
        self.histogram.record(ns)


Child = TypeVar("Child", Counter, Gauge, DurationHistogram)


class Family(Generic[Child]):
    """One metric name with its help, its label names, and a child for each set of label values."""

    def __init__(self, make: type[Child], kind: str, name: str, help_text: str, labels: tuple[str, ...]) -> None:
        self._make: type[Child] = make
        self._children: dict[tuple[str, ...], Child] = {}
        self._lock = threading.Lock()
        tell_forks(self)
        self.kind = kind
        self.name = name
        self.help_text = help_text
        self.labels = labels

    def after_fork(self) -> None:
        """In the child nobody holds the lock, whoever held it in the parent."""
        self._lock = threading.Lock()

    def child(self, *values: str) -> Child:
        """The child for these label values, in the order of `labels`; made at its first mention."""
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name} takes labels {self.labels}, not {values}")
        with self._lock:
            return self._children.setdefault(values, self._children.get(values) or self._make())

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], Child]]:
        with self._lock:
            return iter(sorted(self._children.items()))


class Registry:
    """Every metric of one process. Declaring the same name twice gives the same family."""

    def __init__(self) -> None:
        self._families: dict[str, Family[Counter] | Family[Gauge] | Family[DurationHistogram]] = {}

    def counter(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> Family[Counter]:
        return self._declare(Family(Counter, "counter", name, help_text, labels))

    def gauge(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> Family[Gauge]:
        return self._declare(Family(Gauge, "gauge", name, help_text, labels))

    def timer(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> Family[DurationHistogram]:
        return self._declare(Family(DurationHistogram, "histogram", name, help_text, labels))

    def _declare(self, family: Family[Child]) -> Family[Child]:
        known = self._families.setdefault(family.name, family)
        if (known.kind, known.labels) != (family.kind, family.labels):
            raise ValueError(f"{family.name} is already a {known.kind} with labels {known.labels}")
        return known  # type: ignore[return-value]  # the kind was just compared

    def __iter__(self) -> Iterator[Family[Counter] | Family[Gauge] | Family[DurationHistogram]]:
        return iter(sorted(self._families.values(), key=lambda family: family.name))
