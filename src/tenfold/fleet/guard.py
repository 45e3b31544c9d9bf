"""The guard: a process that outlives `tenfold` just long enough to end everything it started.

    tenfold ──pipe──► guard          `python -m tenfold.fleet.guard STATE`

It reads its standard input. `tenfold` says farewell when it has ended its children itself; when the pipe closes
without a farewell, `tenfold` is dead and the run is cleared at once. It leads a session of its own, so Ctrl-C does
not reach it.
"""

import os
import signal
import sys
import time
from pathlib import Path

from tenfold.fleet.guard_handle import FAREWELL
from tenfold.fleet.run import RunFolder
from tenfold.fleet.sweep import clear_run

CLAIM_LIMIT_S = 3.0
"""The kernel closes a dead process's files one by one: the lock may be let go a little after the pipe."""


def stand_guard(state: Path, pipe: int) -> None:
    """Wait for the owner's farewell or its death; clear the run in the second case."""
    said = b""
    while words := os.read(pipe, 64):
        said += words
    if said == FAREWELL:
        return
    run = RunFolder.read(state)
    deadline_s = time.monotonic() + CLAIM_LIMIT_S
    while not run.claim():
        if time.monotonic() > deadline_s:
            return
        time.sleep(0.01)
    if not run.ended:
        clear_run(run, by="guard")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stand_guard(Path(sys.argv[1]), sys.stdin.fileno())


if __name__ == "__main__":
    main()
