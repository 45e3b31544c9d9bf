"""The way back of a dependency: probes, then the ramp."""

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Policy
from tenfold.protect.calls.breaker.probes import Probes
from tenfold.protect.calls.breaker.recovery import Recovery, RecoveryProgress

LEASE = Duration.from_ms(100)
MANY_PER_S = 1_000.0


def recovery_of(policy: Policy, healthy_per_s: float = MANY_PER_S) -> Recovery:
    return Recovery(policy, healthy_per_s, Probes(policy.probes, policy.probe_lease.ns), 0)


def on_the_ramp(policy: Policy) -> Recovery:
    recovery = recovery_of(policy)
    assert recovery.admit(0)
    assert recovery.succeeded(0) is RecoveryProgress.PROVEN
    return recovery


def test_the_ramp_begins_when_every_probe_was_answered() -> None:
    """No sooner, and none more is out than there may be."""
    recovery = recovery_of(Policy(probes=2))
    assert [recovery.admit(0) for _ in range(3)] == [True, True, False]
    assert recovery.succeeded(0) is RecoveryProgress.UNDERWAY
    assert not recovery.is_proven
    assert recovery.succeeded(0) is RecoveryProgress.PROVEN
    assert recovery.is_proven


def test_probes_are_enough_where_there_is_no_ramp_or_only_a_trickle_to_ramp_up_to() -> None:
    """Then the last answer completes it."""
    for policy, healthy_per_s in ((Policy(ramp=Duration(0)), MANY_PER_S), (Policy(), 1.0)):
        recovery = recovery_of(policy, healthy_per_s)
        assert recovery.admit(0)
        assert recovery.succeeded(0) is RecoveryProgress.COMPLETE
        assert recovery.probes_proven == 1


def test_one_probe_that_fails_is_evidence_and_a_word_of_nobody_is_none() -> None:
    """A late word of a call from before, which had no lease."""
    recovery = recovery_of(Policy())
    assert recovery.failed(0) is None
    assert recovery.admit(0)
    assert recovery.failed(0) == {}


def test_on_the_ramp_only_failures_in_a_row_are_evidence() -> None:
    """A success in between begins the row anew."""
    recovery = on_the_ramp(Policy(failures_max=2))
    assert recovery.failed(0) is None
    recovery.succeeded(0)
    assert recovery.failed(0) is None
    assert recovery.failed(0) == {"in_a_row": 2}


def test_silence_of_what_is_out_says_which_part_of_the_way_it_fell_on() -> None:
    """A caller who left is not waited for."""
    policy = Policy(probe_lease=LEASE)
    probing = recovery_of(policy)
    assert probing.admit(0)
    assert not probing.silence(LEASE.ns - 1)
    assert probing.silence(LEASE.ns) == "a probe never reported"
    probing.abandoned()
    assert not probing.silence(LEASE.ns)
    ramping = on_the_ramp(policy)
    assert ramping.admit(0)
    assert ramping.silence(LEASE.ns) == "no call reported"
    ramping.abandoned()
    assert not ramping.silence(LEASE.ns)
