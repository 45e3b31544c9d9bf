"""Counters, gauges and timers in a registry, and the text that Prometheus reads."""

import pytest

from tenfold.telemetry import Registry, render


def test_the_registry_is_shown_as_prometheus_reads_it() -> None:
    """Format 0.0.4: families by name, children by label values, what is special escaped."""
    registry = Registry()
    registry.gauge("tenfold_held_ratio", "Share held.\nBackslash \\ here.").child().set(0.5)
    reads = registry.counter("tenfold_reads_total", "Reads answered.", labels=("ladder", "rung"))
    reads.child("price", "near").inc(3)
    reads.child("price", 'a "quoted"\\\nname').inc()
    assert render(registry).decode() == (
        "# HELP tenfold_held_ratio Share held.\\nBackslash \\\\ here.\n"
        "# TYPE tenfold_held_ratio gauge\n"
        "tenfold_held_ratio 0.5\n"
        "# HELP tenfold_reads_total Reads answered.\n"
        "# TYPE tenfold_reads_total counter\n"
        'tenfold_reads_total{ladder="price",rung="a \\"quoted\\"\\\\\\nname"} 1\n'
        'tenfold_reads_total{ladder="price",rung="near"} 3\n'
    )


def test_a_timer_is_shown_in_seconds_with_cumulative_buckets() -> None:
    """Recorded in nanoseconds, exposed in the base unit."""
    registry = Registry()
    timer = registry.timer("tenfold_read_seconds", "Reads.", labels=("rung",)).child("main")
    for ns in (50_000, 900_000, 20_000_000_000):
        timer.record_ns(ns)
    lines = render(registry).decode().splitlines()
    assert lines[:3] == [
        "# HELP tenfold_read_seconds Reads.",
        "# TYPE tenfold_read_seconds histogram",
        'tenfold_read_seconds_bucket{rung="main",le="0.0001"} 1',
    ]
    assert 'tenfold_read_seconds_bucket{rung="main",le="0.001"} 2' in lines
    assert 'tenfold_read_seconds_bucket{rung="main",le="10"} 2' in lines
    assert lines[-3:] == [
        'tenfold_read_seconds_bucket{rung="main",le="+Inf"} 3',
        'tenfold_read_seconds_sum{rung="main"} 20.00095',
        'tenfold_read_seconds_count{rung="main"} 3',
    ]


def test_a_gauge_may_be_asked_when_somebody_looks() -> None:
    """Sizes that are cheap to read need no upkeep."""
    registry = Registry()
    inflight = [1, 2, 3]
    registry.gauge("tenfold_inflight", "In flight.").child().ask(lambda: len(inflight))
    inflight.pop()
    assert "tenfold_inflight 2" in render(registry).decode()


def test_a_child_is_the_same_at_each_mention() -> None:
    """Hot code keeps it; others may look it up."""
    reads = Registry().counter("tenfold_reads_total", "Reads.", labels=("rung",))
    assert reads.child("near") is reads.child("near")
    assert reads.child("near") is not reads.child("main")


def test_a_child_needs_a_value_for_each_label() -> None:
    """Else its line would be no metric."""
    reads = Registry().counter("tenfold_reads_total", "Reads.", labels=("rung",))
    with pytest.raises(ValueError, match="takes labels"):
        reads.child()


def test_declaring_a_family_twice_gives_the_same_one() -> None:
    """Two parts of a process may count the same thing."""
    registry = Registry()
    first = registry.counter("tenfold_reads_total", "Reads.")
    assert registry.counter("tenfold_reads_total", "Reads, again.") is first


def test_one_name_has_one_kind_and_one_set_of_labels() -> None:
    """A counter that is somewhere else a gauge would be neither."""
    registry = Registry()
    registry.counter("tenfold_reads_total", "Reads.")
    with pytest.raises(ValueError, match="already a counter"):
        registry.gauge("tenfold_reads_total", "Reads.")
    with pytest.raises(ValueError, match="already a counter"):
        registry.counter("tenfold_reads_total", "Reads.", labels=("rung",))
