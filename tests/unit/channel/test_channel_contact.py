"""When a service is told that the control node is away, or back."""

from typing import Any

from tenfold.channel.follower import Contact
from tenfold.telemetry import Counter, Registry

MS = 1_000_000


def contact(told: list[tuple[str, dict[str, Any]]]) -> tuple[Contact, Counter]:
    reconnects = Registry().counter("test_total", "For a test.").child()
    return Contact(lambda kind, **evidence: told.append((kind, evidence)), reconnects), reconnects


def test_attempts_that_fail_one_after_the_other_are_one_loss() -> None:
    """The node has been away since the first of them."""
    told: list[tuple[str, dict[str, Any]]] = []
    node, reconnects = contact(told)
    node.heard(7, 1 * MS)
    for at_ms in (10, 20, 30):
        node.lost("closed", 7, at_ms * MS)
        assert not node.connected
    node.heard(9, 50 * MS)
    node.heard(9, 60 * MS)
    assert node.connected
    assert told == [
        ("channel-lost", {"reason": "closed", "epoch": 7}),
        ("channel-restored", {"epoch": 9, "away_ms": 40.0}),
    ]
    assert reconnects.value == 1


def test_the_first_stream_is_no_reconnect() -> None:
    """Nor is there anything to restore."""
    told: list[tuple[str, dict[str, Any]]] = []
    node, reconnects = contact(told)
    node.heard(7, 1 * MS)
    assert (told, reconnects.value) == ([], 0)
