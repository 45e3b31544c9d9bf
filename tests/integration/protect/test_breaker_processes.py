"""Breakers where threads and processes are real ones."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker import Breaker, Breakers, BreakerState

DEADLINE_S = 5.0


def exit_status_of(work: Callable[[], bool]) -> int:
    """What `work` comes to in a forked child: 0 true, 1 false, 2 raised; a child that hangs is ended: -9."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def half_open() -> Breaker:
    """Its only probe is out, and will not be heard of for an hour."""
    breaker = Breaker(
        "main", failures_max=1, cool_down=Duration(1), cool_down_max=Duration(1), probe_lease=Duration.from_s(3_600)
    )
    breaker.failed("refused")
    assert breaker.admit()
    assert not breaker.admit()
    return breaker


def test_a_child_forked_in_half_open_probes_for_itself() -> None:
    """And the parent's probe is still out afterwards."""
    breaker = half_open()

    def find_out() -> bool:
        epoch = breaker.admit()
        breaker.succeeded(epoch)
        return breaker.state is BreakerState.CLOSED

    assert exit_status_of(find_out) == 0
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.admit()


def test_a_fork_while_another_thread_holds_the_lock_does_not_hang_the_child() -> None:
    """Locks are copied as they are, and the thread that would release them is not."""
    breakers = Breakers()
    breaker = breakers.of("stock", "read")
    held, done = threading.Event(), threading.Event()

    def hold(_: Breaker) -> None:
        held.set()
        done.wait(DEADLINE_S)

    breaker.listen(hold)

    def fail() -> None:
        for _ in range(5):
            breaker.failed("refused")

    thread = threading.Thread(target=fail)
    thread.start()
    assert held.wait(DEADLINE_S)

    def work() -> bool:
        breaker.admit()
        breakers.of("stock", "write", "store-7").failed("refused")
        return breakers.of("stock", "write").allows()

    try:
        assert exit_status_of(work) == 0
    finally:
        done.set()
        thread.join(DEADLINE_S)


@pytest.mark.parametrize("probes", [1, 3])
def test_threads_never_have_more_probes_out_than_there_may_be(probes: int) -> None:
    """Eight threads want as much as they can while the dependency comes and goes; in the end it is CLOSED."""
    breaker = Breaker(
        "main",
        failures_max=3,
        probes=probes,
        cool_down=Duration.from_ms(1),
        cool_down_max=Duration.from_ms(2),
        ramp=Duration(0),
    )
    answers = threading.Event()
    lock, out, most = threading.Lock(), 0, 0
    ends_at = time.monotonic() + 0.5

    def want() -> None:
        nonlocal out, most
        while time.monotonic() < ends_at:
            epoch = breaker.admit()
            if not epoch:
                time.sleep(0.0002)
            elif answers.is_set():
                breaker.succeeded(epoch)
            else:  # it is CLOSED only after there are answers, so this is a probe
                with lock:
                    out += 1
                    most = max(most, out)
                time.sleep(0.0002)
                with lock:
                    out -= 1
                breaker.failed("refused", epoch)

    for _ in range(3):
        breaker.failed("refused", breaker.admit())
    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    answers.set()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert breaker.state is BreakerState.CLOSED
    assert 1 <= most <= probes
