"""The rules of leases: one owner at a time, until it is released or over."""

from tenfold.kernel import Duration
from tenfold.protect.reads.flight import Grant, Held, LeaseTable

TTL = Duration.from_ms(180)
MS = 1_000_000


def granted(place: Grant | Held) -> Grant:
    assert isinstance(place, Grant)
    return place


def test_a_lease_is_refused_while_another_holds_it() -> None:
    """With how long that may last at most."""
    table = LeaseTable()
    assert isinstance(table.acquire("k", "a", TTL, 0), Grant)
    assert table.acquire("k", "b", TTL, 100 * MS) == Held(Duration.from_ms(80))
    assert isinstance(table.acquire("other", "b", TTL, 0), Grant)


def test_a_lease_that_is_over_or_released_is_the_next_ones_with_a_larger_fence() -> None:
    """Even when no time has passed."""
    table = LeaseTable()
    first = granted(table.acquire("k", "a", TTL, 0))
    second = granted(table.acquire("k", "b", TTL, TTL.ns))
    table.release(second, TTL.ns)
    third = granted(table.acquire("k", "c", TTL, TTL.ns))
    assert first.fence < second.fence < third.fence


def test_only_the_owner_renews_and_releases() -> None:
    """Its predecessor's word comes too late and changes nothing."""
    table = LeaseTable()
    first = granted(table.acquire("k", "a", TTL, 0))
    assert table.renew(first, TTL, 100 * MS)
    second = granted(table.acquire("k", "b", TTL, 280 * MS))
    assert not table.renew(first, TTL, 281 * MS)
    table.release(first, 281 * MS)
    assert table.is_ours(second, 281 * MS)


def test_a_lease_that_was_over_for_a_moment_cannot_be_renewed() -> None:
    """Somebody may have had it meanwhile."""
    table = LeaseTable()
    grant = granted(table.acquire("k", "a", TTL, 0))
    assert not table.renew(grant, TTL, TTL.ns)
