"""How late an event loop was between two looks at /metrics."""

from tenfold.protect.doors.admission.loop_lag import LoopLag
from tenfold.rehearse.stage_watch import LOOP_LAG, loop_totals_in, loops_late_ms
from tenfold.telemetry import Registry
from tenfold.telemetry.exposition import render


def test_the_totals_are_read_from_what_the_library_writes() -> None:
    """The name is the library's own, and the lines are those of its own page."""
    registry = Registry()
    lag = LoopLag("shop", lambda _: None, registry=registry)
    assert loop_totals_in(render(registry).decode()) is None
    for lag_ns in (10_000_000, 50_000_000):
        lag._lag.record_ns(lag_ns)
    assert LOOP_LAG in render(registry).decode()
    totals = loop_totals_in(render(registry).decode())
    assert totals is not None
    assert loops_late_ms({}, {"api": totals}) == {"api": 30.0}


def test_only_what_came_since_counts() -> None:
    """The mean of the windows of one stage."""
    assert loops_late_ms({"api": (1.0, 100)}, {"api": (1.6, 110), "worker": (0.0, 0.0)}) == {
        "api": (1.6 - 1.0) / 10 * 1e3
    }


def test_a_service_that_was_started_anew_began_at_nothing() -> None:
    """A drill killed it."""
    assert loops_late_ms({"api": (9.0, 100)}, {"api": (0.5, 10)}) == {"api": 50.0}


def test_a_page_of_something_else_says_nothing() -> None:
    """Any service of any plan may serve anything there."""
    assert loop_totals_in("{}") is None
    assert loop_totals_in("<html>\n<body class=a>hello world</body>") is None
