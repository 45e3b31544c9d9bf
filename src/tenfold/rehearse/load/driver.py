"""The load driver (`python -m tenfold.rehearse.load.driver`): sends requests when they are due, measures, nothing else.

    stdin ── LoadTarget, Stage … ─────►  driver  ──► Ready, Tick …, Failed ── stdout
                                            ▲ │
                                     answers│ ▼requests
                                            system

It stops by itself: a stage has an end, and the end of stdin is the end of the driver.
"""

import contextlib
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tenfold.fleet import FAULT_KINDS
from tenfold.kernel import TenfoldError
from tenfold.plan import read_plan
from tenfold.rehearse.load.generator import Generator
from tenfold.rehearse.load.mailbox import Mailbox, MailInvalid, ParentGone
from tenfold.rehearse.load.messages import Failed, LoadTarget, Order, Ready
from tenfold.telemetry import MetricsServer, Registry

_SPARE_FILES = 64
_NICENESS = -10
_SESSION_NICENESS = Path("/proc/self/autogroup")
"""Where Linux schedules by session (sched_autogroup), a nice value counts within the session only: the driver, in one
of its own, waited for a processor a third of the time at 3,000 requests/s, and so measured itself."""


def main() -> int:
    """Read the target, drive until told to stop. Exit status 0, or 1 after a `Failed` line that says why."""
    mailbox = Mailbox(sys.stdin.fileno(), sys.stdout.fileno())
    try:
        _drive_for(mailbox)
    except ParentGone:
        return 0
    except TenfoldError as failure:
        return _fail(mailbox, str(failure))
    except Exception as failure:  # the last frame of the process: say it to the rehearsal, then to stderr
        _fail(mailbox, f"The load driver failed: {failure!r}.")
        raise
    return 0


def _drive_for(mailbox: Mailbox) -> None:
    target, *others = _first_orders(mailbox)
    if not isinstance(target, LoadTarget) or others:
        raise MailInvalid("The first order must be a target, and the next may come when the driver is ready.")
    _prepare_process(target.connections_max)
    registry = Registry()
    generator = Generator(target, read_plan(Path(target.plan), FAULT_KINDS), mailbox, registry)
    _stop_on_signals(generator.stop)
    metrics = MetricsServer(registry)
    metrics.open()
    try:
        generator.open()
        _quiet_the_collector()
        mailbox.write(Ready(pid=os.getpid(), metrics_port=metrics.port, cpu_ns=time.process_time_ns()))
        generator.serve()
    finally:
        generator.close()  # the metrics' thread ends with the process, which does not wait for it


def _first_orders(mailbox: Mailbox) -> list[Order]:
    orders: list[Order] = []
    while not orders:
        orders.extend(mailbox.read())
    return orders


def _prepare_process(connections_max: int) -> None:
    """Room for every connection, and precedence where it may be had.

    Customers do not compete with the system for its processors; a driver that does should lose as little by it as it
    can, or it measures its own wait. Another thread (the metrics') gives the interpreter back within 0.2 ms.
    """
    wanted = connections_max + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if wanted > hard:
        raise TenfoldError(f"{connections_max} connections need {wanted} open files; this machine allows {hard}.")
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    with contextlib.suppress(OSError):
        _SESSION_NICENESS.write_text(str(_NICENESS))
    sys.setswitchinterval(0.0002)


def _stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def _quiet_the_collector() -> None:
    """No pause for garbage while requests are due; cycles are collected between stages, where few are left."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _fail(mailbox: Mailbox, reason: str) -> int:
    with contextlib.suppress(ParentGone):
        mailbox.write(Failed(reason=reason))
    return 1


if __name__ == "__main__":
    sys.exit(main())
