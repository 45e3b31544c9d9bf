"""The real machine, watched and calibrated: ratios, never times, for it has other work to do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tenfold import cli
from tenfold.fleet import proc
from tenfold.fleet.machine.calibration import calibrate
from tenfold.fleet.machine.watch import MachineWatch

BURN = "import time\nends = time.time() + 60\nwhile time.time() < ends: pass"
NOBODYS = """
import subprocess, sys
print(subprocess.Popen([sys.executable, '-S', '-c', sys.argv[1]], stdout=-3, stderr=-3).pid)
"""


def until_burnt(seconds: float, *processes: int) -> None:
    """Each of them has used so much processor time; 20 s are enough on the busiest machine."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends and any(proc.usage(pid).cpu_s < seconds for pid in processes):
        time.sleep(0.02)


def test_a_part_of_the_run_is_told_from_a_neighbour(tmp_path: Path) -> None:
    """Two processes burn the same; the named one is ours, the one whose parent is gone is somebody's."""
    ours = subprocess.Popen([sys.executable, "-S", "-c", BURN])
    told = subprocess.run([sys.executable, "-S", "-c", NOBODYS, BURN], capture_output=True, check=True)
    neighbour = int(told.stdout)
    try:
        watch = MachineWatch(lambda: {ours.pid: "api"}, tmp_path)
        before = watch.sample()
        until_burnt(0.5, ours.pid, neighbour)
        use = watch.since(before)
    finally:
        ours.kill()
        ours.wait()
        os.kill(neighbour, signal.SIGKILL)
    api = use.part("api")
    assert api is not None
    assert api.cpu_s > 0.2
    if use.others_cpu_s is None:
        pytest.skip("this kernel counts no processor time")
    assert use.others_cpu_s > 0.2
    assert neighbour in {other.pid for other in use.others}


def test_a_sample_costs_a_few_milliseconds_of_processor_time(tmp_path: Path) -> None:
    """It is taken while the system is measured, once a step."""
    watch = MachineWatch(dict, tmp_path)
    watch.sample()
    began_s = time.process_time()
    watch.sample()
    assert (time.process_time() - began_s) / max(1, len(proc.pids())) < 1e-3


def test_a_calibration_is_short_and_whole(tmp_path: Path) -> None:
    """Every figure is there; the folder is left as it was."""
    began_s = time.monotonic()
    found = calibrate(tmp_path)
    assert time.monotonic() - began_s < 10
    assert found.spins_per_s
    assert found.loopback_us
    assert found.flush_ms is not None
    assert found.speed_ratio
    assert found.sleep_late_ms >= 0
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_the_same_to_people_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0 is fit and 1 is not; every finding that is not fit comes with what to do."""
    status = cli.main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["fit"] is (status == 0)
    assert all(check["do"] for check in told["checks"] if check["state"] != "fit")
    assert told["calibration"]["speed_ratio"] > 0


def test_the_doctor_answers_2_when_the_call_is_at_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--plan", "no-such-plan.yaml"]) == 2
    assert "no-such-plan.yaml" in capsys.readouterr().err
