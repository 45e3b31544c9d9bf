"""What a cluster's driver knows of its servers: suspicion, succession, and when a call is late. Pure."""

import pytest

from tenfold.engines.valkey import Hedge, RoleReport, Succession, Suspicion, Trust
from tenfold.kernel import Duration, VirtualClock

MS, S = Duration.from_ms, Duration.from_s


# --- suspicion


def state_of(suspicion: Suspicion) -> Trust:
    return suspicion.state


def test_a_server_is_suspected_after_failures_in_a_row_and_told_once() -> None:
    """An answer in between begins the row anew."""
    suspicion = Suspicion(clock=VirtualClock())
    assert [suspicion.failed(), suspicion.failed()] == [False, False]
    suspicion.answered()
    assert [suspicion.failed() for _ in range(4)] == [False, False, True, False]
    assert state_of(suspicion) is Trust.SUSPECTED


def test_only_a_probe_clears_a_suspected_server_and_not_before_it_stayed_away() -> None:
    """A late answer to traffic is a word from before the fault."""
    clock = VirtualClock()
    suspicion = Suspicion(clock=clock, failures_max=1, stay=MS(50))
    suspicion.failed()
    suspicion.answered()
    suspicion.probed(True)
    assert state_of(suspicion) is Trust.SUSPECTED
    clock.advance(MS(50))
    suspicion.answered()
    assert state_of(suspicion) is Trust.SUSPECTED
    suspicion.probed(True)
    assert state_of(suspicion) is Trust.TRUSTED


def test_one_failed_probe_makes_suspected_and_a_second_lost() -> None:
    """A lost server comes back as a suspected one does."""
    clock = VirtualClock()
    suspicion = Suspicion(clock=clock)
    suspicion.probed(False)
    assert state_of(suspicion) is Trust.SUSPECTED
    suspicion.probed(False)
    assert state_of(suspicion) is Trust.LOST
    clock.advance(MS(50))
    suspicion.probed(True)
    assert state_of(suspicion) is Trust.TRUSTED


def test_a_server_that_comes_and_goes_stays_away_longer_each_time() -> None:
    """Doubled up to a bound, and as at first again after a calm."""
    clock = VirtualClock()
    suspicion = Suspicion(clock=clock, failures_max=1, stay=MS(50), stay_max=MS(150), calm=S(10))
    stays_ms = []
    for pause in (S(0), S(1), S(1), S(11)):
        clock.advance(pause)
        suspicion.failed()
        left_ns = clock.monotonic_ns()
        while state_of(suspicion) is not Trust.TRUSTED:
            clock.advance(MS(10))
            suspicion.probed(True)
        stays_ms.append((clock.monotonic_ns() - left_ns) // 1_000_000)
    assert stays_ms == [50, 100, 150, 50]


# --- succession

PRIMARY = RoleReport(primary=True, replid="L", offset=100)
REPLICA = RoleReport(primary=False, replid="L", offset=90)
PROMOTED = RoleReport(primary=True, replid="N", replid2="L", offset=95)
EMPTY = RoleReport(primary=True, replid="X", offset=0)


def test_the_first_word_is_taken_and_the_primary_is_who_says_so() -> None:
    """Both hold the history; nothing is renewed by it."""
    standing = Succession().judge({"a": PRIMARY, "b": REPLICA})
    assert standing == ("a", frozenset({"a", "b"}), False)


def test_without_the_primary_its_replica_is_read_and_nobody_written() -> None:
    """And nobody renewed: the data are the same."""
    succession = Succession()
    succession.judge({"a": PRIMARY, "b": REPLICA})
    assert succession.judge({"a": None, "b": REPLICA}) == (None, frozenset({"b"}), False)
    assert succession.judge({"a": None, "b": None}) == (None, frozenset(), False)
    assert succession.judge({"a": PRIMARY, "b": REPLICA}).primary == "a"


def test_a_promoted_replica_goes_before_the_primary_that_it_came_from() -> None:
    """Even when both claim to be it at the same time; the old one is a stranger then."""
    succession = Succession()
    succession.judge({"a": PRIMARY, "b": REPLICA})
    assert succession.judge({"a": PRIMARY, "b": PROMOTED}) == ("b", frozenset({"b"}), False)
    assert succession.judge({"a": PRIMARY, "b": None}).primary is None
    assert succession.judge({"a": None, "b": PROMOTED}).primary == "b"


def test_who_comes_back_empty_is_a_stranger_while_anybody_of_the_history_answers() -> None:
    """And is taken, as new and cold, when nobody has for a few looks; one that missed a look is not nobody."""
    succession = Succession()
    succession.judge({"a": PRIMARY, "b": REPLICA})
    assert succession.judge({"a": EMPTY, "b": REPLICA}) == (None, frozenset({"b"}), False)
    assert succession.judge({"a": EMPTY, "b": None}) == (None, frozenset(), False)
    assert succession.judge({"a": EMPTY, "b": REPLICA}) == (None, frozenset({"b"}), False)
    for _ in range(2):
        assert succession.judge({"a": EMPTY, "b": None}) == (None, frozenset(), False)
    assert succession.judge({"a": EMPTY, "b": None}) == ("a", frozenset({"a"}), True)
    assert succession.judge({"a": EMPTY, "b": REPLICA}) == ("a", frozenset({"a"}), False)


def test_a_history_that_nobody_holds_any_more_is_given_up_at_once() -> None:
    """Everybody has answered: there is nobody to wait for, and the lone server that came back is what there is."""
    succession = Succession()
    succession.judge({"a": PRIMARY})
    assert succession.judge({"a": None}) == (None, frozenset(), False)
    assert succession.judge({"a": EMPTY}) == ("a", frozenset({"a"}), True)


def test_a_server_that_is_taking_over_data_is_not_read() -> None:
    """It holds half of them."""
    succession = Succession()
    syncing = REPLICA._replace(syncing=True)
    assert succession.judge({"a": PRIMARY, "b": syncing}).readable == {"a"}


def test_of_two_primaries_at_the_beginning_the_one_with_followers_is_taken() -> None:
    """A forgotten server with more writes of its own is not."""
    lonely = RoleReport(primary=True, replid="Z", offset=10_000)
    assert Succession().judge({"z": lonely, "a": PRIMARY, "b": REPLICA}).primary == "a"


# --- hedge and recent keys


def test_a_call_is_late_after_a_few_times_the_usual_within_bounds() -> None:
    """Fast servers are given the least, slow ones the most."""
    hedge = Hedge(delay_min=MS(10), delay_max=MS(25))
    for _ in range(2_000):
        hedge.answered(0.0005)
    assert hedge.delay_s == pytest.approx(0.010)
    for _ in range(2_000):
        hedge.answered(0.1)
    assert hedge.delay_s == pytest.approx(0.025)
