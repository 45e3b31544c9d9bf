"""The gate: what leaves when the loop is late, in which order, and how it comes back."""

import pytest

from freshmart.web.gate import Gate
from freshmart.web.tiers import tier_of
from tenfold.telemetry import EventLog, Registry

MS = 1_000_000


class Watched:
    """A gate, the pressures it told, and what it said."""

    def __init__(self) -> None:
        self.pressures: list[float] = []
        self.events = EventLog("test")
        self.gate = Gate("api", on_level=self.pressures.append, registry=Registry(), events=self.events)

    def windows(self, count: int, lag_ms: float) -> None:
        for _ in range(count):
            self.gate.look(lag_ms * MS)

    @property
    def said(self) -> list[str]:
        return [event.kind for event in self.events]


def test_a_single_pause_changes_nothing() -> None:
    """A neighbour had the machine for a moment."""
    watched = Watched()
    for _ in range(10):
        watched.windows(1, 300)
        watched.windows(1, 1)
    assert (watched.gate.level, watched.said) == (0.0, [])


def test_a_loop_that_stays_late_lets_go_tier_by_tier_and_never_of_p0() -> None:
    """P3, then P2, then P1."""
    watched = Watched()
    watched.windows(20, 50)
    assert watched.pressures == [0.25, 0.5, 0.75]
    assert watched.gate.level == 3.0
    assert not any(watched.gate.admits(1) for _ in range(100))
    assert all(watched.gate.admits(0) for _ in range(100))
    assert watched.said == ["shed-begun"]


def test_between_levels_only_a_share_of_p1_is_refused() -> None:
    watched = Watched()
    watched.windows(6, 50)
    assert watched.gate.level == 2.5
    assert sum(watched.gate.admits(1) for _ in range(1_000)) == pytest.approx(500, abs=2)


def test_it_comes_back_slowly_and_says_so_once() -> None:
    """From everything to nothing in three seconds of windows without lag; nothing moves in between the bounds."""
    watched = Watched()
    watched.windows(20, 50)
    watched.windows(50, 7)
    assert watched.gate.level == 3.0
    watched.windows(29, 1)
    assert watched.said == ["shed-begun"]
    watched.windows(1, 1)
    assert (watched.gate.level, watched.pressures[-1], watched.said) == (0.0, 0.0, ["shed-begun", "shed-ended"])


@pytest.mark.parametrize(
    ("method", "path", "tier"),
    [
        ("GET", "/stores/7/prices/12", 0),
        ("GET", "/stores/7/availability/12", 0),
        ("POST", "/orders", 0),
        ("GET", "/ready", 0),
        ("GET", "/orders/01a2", 1),
        ("GET", "/stores/7/categories/beef", 1),
        ("GET", "/stores/7/products/12", 1),
        ("GET", "/products/12/image", 2),
        ("GET", "/stores/7/orders", 2),
        ("GET", "/stores/7/slots", 2),
        ("GET", "/stores/7/products/12/recommendations", 3),
        ("GET", "/products/12/reviews", 3),
        ("GET", "/stores/7/banners", 3),
        ("GET", "/", 1),
        ("GET", "/nowhere/at/all/whatever/it/is/called/here", 1),
    ],
)
def test_every_route_has_its_tier(method: str, path: str, tier: int) -> None:
    assert tier_of({"method": method, "path": path}) == tier
