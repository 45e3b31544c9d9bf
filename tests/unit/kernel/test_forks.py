"""Who begins anew in a forked child."""

import subprocess
import sys

SCRIPT = """
import os
from tenfold.kernel.forks import tell_forks

class One:
    def __init__(self, raises):
        self.raises = raises
    def after_fork(self):
        if self.raises:
            raise ValueError("no lock here")
        print("anew", flush=True)

alive = [One(number % 2) for number in range(6)]
for one in alive:
    tell_forks(one)
child = os.fork()
if not child:
    os._exit(7)
print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_one_that_raises_keeps_no_other_from_beginning_anew() -> None:
    """And the child goes on; what was raised stands on stderr."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.splitlines() == ["anew"] * 3 + ["exit 7"]
    assert run.stderr.count("no lock here") == 3
