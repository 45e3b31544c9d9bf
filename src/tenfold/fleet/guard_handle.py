"""`tenfold`'s hold on its guard: starts it, and says farewell when there is nothing left to guard.

A file of its own, since the guard's is run by `python -m` and must not have been imported by then.
"""

import subprocess
import sys

from tenfold.fleet.run import RunFolder

FAREWELL = b"farewell\n"
DISMISS_LIMIT_S = 2.0


class GuardHandle:
    """The running guard of one run, seen from `tenfold`."""

    def __init__(self, run: RunFolder) -> None:
        with (run.logs / "guard.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tenfold.fleet.guard", str(run.state)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Say farewell: the run has been cleared, there is nothing to guard."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(FAREWELL)
                self._process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self._process.wait(timeout=DISMISS_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=DISMISS_LIMIT_S)
