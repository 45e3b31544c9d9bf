"""A promise that was broken beside programs that took the cores is the machine's: the real kernel's ratios say so."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenfold.fleet import proc
from tenfold.fleet.machine import MachineWatch
from tenfold.rehearse.bottleneck import bottleneck_of

BURN = "import time\nends = time.time() + 60\nwhile time.time() < ends: pass"
NOBODYS = """
import subprocess, sys
for _ in range(int(sys.argv[2])):
    print(subprocess.Popen([sys.executable, '-S', '-c', sys.argv[1]], stdout=-3, stderr=-3).pid)
"""


@pytest.fixture
def neighbours() -> Iterator[None]:
    """Three programs a core, whose parent is gone, so that they are nobody's."""
    count = str(3 * len(os.sched_getaffinity(0)))
    told = subprocess.run([sys.executable, "-S", "-c", NOBODYS, BURN, count], capture_output=True, check=True)
    found = [int(pid) for pid in told.stdout.split()]
    yield
    for pid in found:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("neighbours")
def test_whoever_took_the_cores_is_named_and_not_the_server(tmp_path: Path) -> None:
    """The API wanted a core and had a third of one: three others stood before it."""
    with subprocess.Popen([sys.executable, "-S", "-c", BURN]) as api:
        watch = MachineWatch(lambda: {api.pid: "api"}, tmp_path)
        before = watch.sample()
        ends = time.monotonic() + 10
        while time.monotonic() < ends and proc.usage(api.pid).cpu_s < 0.2:
            time.sleep(0.05)
        use = watch.since(before)
        api.kill()
    if use.others_cpu_s is None:
        pytest.skip("this kernel counts no processor time")
    found = bottleneck_of("server", use, driver_late_ms=5.0, services={"api"})
    assert found.limited_by == "machine", use
    assert "other programs used" in found.evidence
    assert "(pid " in found.evidence
