"""What a breaker makes of calls while it is CLOSED."""

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Policy
from tenfold.protect.calls.breaker.judge import DOUBT, Judge
from tenfold.protect.calls.breaker.state import DOUBT_KEEP

SLOW = Duration.from_ms(50)


def failed(judge: Judge, now_ns: int, *, timeout: bool = False) -> bool:
    begins = judge.begins_to_doubt(now_ns)
    judge.failed(now_ns, timeout=timeout)
    return begins


def test_a_row_of_failures_is_evidence_whatever_share_of_all_calls_it_is() -> None:
    """A success in between begins it anew."""
    judge = Judge(Policy(failures_max=3))
    for _ in range(1_000):
        judge.succeeded(0, slow=False)
    failed(judge, 0)
    failed(judge, 0)
    judge.succeeded(0, slow=False)
    failed(judge, 0)
    failed(judge, 0)
    assert judge.evidence(0) is None
    failed(judge, 0)
    assert judge.evidence(0) == {"in_a_row": 3, "calls": 1_006, "failures": 5}


def test_timeouts_and_slow_answers_have_shares_of_their_own() -> None:
    """Each enough by itself, once there are calls enough to speak of a share."""
    policy = Policy(failures_max=0, calls_min=10, timeout_ratio=0.3, slow=SLOW, slow_ratio=0.5)
    timely, slowly = Judge(policy), Judge(policy)
    for number in range(10):
        assert timely.evidence(0) is None
        assert slowly.evidence(0) is None
        if number % 3:
            timely.succeeded(0, slow=False)
        else:
            failed(timely, 0, timeout=True)
        slowly.succeeded(0, slow=number % 2 == 0)
    assert timely.evidence(0) == {"in_a_row": 1, "calls": 10, "failures": 4, "timeouts": 4}
    assert slowly.evidence(0) == {"in_a_row": 0, "calls": 10, "slow": 5}


def test_a_row_that_lasts_makes_it_doubt_once_until_a_success() -> None:
    """One failure alone is none, however long ago it was."""
    judge = Judge(Policy(failures_max=100))
    assert not failed(judge, 0)
    assert not failed(judge, DOUBT.ns - 1)
    assert failed(judge, DOUBT.ns)
    assert not failed(judge, 2 * DOUBT.ns)
    assert judge.doubts(2 * DOUBT.ns)
    judge.succeeded(2 * DOUBT.ns, slow=False)
    assert not judge.doubts(2 * DOUBT.ns)
    assert not failed(judge, 3 * DOUBT.ns)


def test_a_doubt_is_over_when_nothing_fails_any_more_and_begins_again_when_the_row_goes_on() -> None:
    """Though no success has ended it: the dependency is called now and then. A clock set back ends it, too."""
    judge = Judge(Policy(failures_max=100))
    failed(judge, 0)
    assert failed(judge, DOUBT.ns)
    over_ns = DOUBT.ns + DOUBT_KEEP.ns
    assert judge.doubts(over_ns - 1)
    assert not judge.doubts(over_ns)
    assert failed(judge, over_ns)
    assert judge.doubts(over_ns)
    assert not judge.doubts(over_ns - DOUBT_KEEP.ns)


def test_failures_that_others_saw_make_the_first_of_our_own_enough() -> None:
    """And are no evidence by themselves."""
    judge = Judge(Policy(failures_max=5))
    judge.succeeded(0, slow=False)
    judge.suppose_failures(0)
    assert judge.evidence(0) is None
    failed(judge, 0)
    assert judge.evidence(0) == {"in_a_row": 5, "calls": 2, "failures": 1}


def test_a_doubt_that_a_success_has_ended_does_not_come_back_with_what_others_saw() -> None:
    """It would be told as this process's own, and they would hear their own word again."""
    judge = Judge(Policy(failures_max=5))
    failed(judge, 0)
    assert failed(judge, DOUBT.ns)
    judge.succeeded(DOUBT.ns, slow=False)
    judge.suppose_failures(DOUBT.ns)
    assert not judge.doubts(DOUBT.ns)
