"""What the kernel counts is read rightly, and what it does not say is not made up."""

from pathlib import Path

from tenfold.fleet.machine.counters import CpuTimes, parse_cpu_times, parse_stalled_s
from tenfold.fleet.machine.processes import owners_of
from tenfold.fleet.machine.quota import Quota, quota

STAT = """\
cpu  600 0 300 9000 100 10 30 40 0 0
cpu0 200 100 100 3000 50 5 20 10 0 0
cpu1 200 0 100 3000 50 5 20 20 0 0
cpu2 200 0 100 3000 0 0 0 10 0 0
intr 1 2 3
"""


def test_only_the_cores_that_we_may_use_are_counted() -> None:
    """A process that is held to two cores of many is no neighbour of those on the others."""
    assert parse_cpu_times(STAT, {0, 1}) == CpuTimes(programs_s=7.0, interrupts_s=0.5, idle_s=61.0, steal_s=0.3)


def test_a_made_up_file_says_nothing() -> None:
    """Some sandboxes show a machine on which no time ever passed."""
    assert parse_cpu_times("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n", {0}) is None
    assert parse_cpu_times("", {0}) is None


def test_pressure_is_the_total_of_some() -> None:
    """Microseconds in the file, seconds in the record; a file of another shape says nothing."""
    text = "some avg10=2.99 avg60=19.95 avg300=11.75 total=93839969\nfull avg10=0.00 total=7\n"
    assert parse_stalled_s(text) == 93.839969
    assert parse_stalled_s("full avg10=0.00 total=7\n") is None


def test_a_process_belongs_to_its_nearest_named_ancestor() -> None:
    """A backend is the database's, the database tenfold's, a shell nobody's."""
    parents = {1: 0, 2: 0, 9: 2, 10: 1, 20: 10, 30: 20, 31: 30, 40: 10, 50: 1}
    owners = owners_of(parents, {20: "tenfold", 30: "database.primary"})
    named = {pid: owners[pid] for pid in parents}
    assert {pid: owner for pid, owner in named.items() if owner} == {
        2: "kernel",
        9: "kernel",
        20: "tenfold",
        30: "database.primary",
        31: "database.primary",
    }


def test_parents_in_a_circle_end() -> None:
    """An id that was used again while the list was read may make one."""
    assert owners_of({5: 6, 6: 5}, {}) | {} == {0: "", 2: "kernel", 5: "", 6: ""}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_tightest_quota_above_binds(tmp_path: Path) -> None:
    """Version 2: the group's own limit, and those of every group above it."""
    groups = written(
        tmp_path,
        {
            "a/b/cpu.max": "max 100000\n",
            "a/b/cpu.stat": "usage_usec 5\nthrottled_usec 0\n",
            "a/cpu.max": "150000 100000\n",
            "a/cpu.stat": "usage_usec 5\nnr_throttled 3\nthrottled_usec 2500000\n",
            "self": "0::/a/b\n",
        },
    )
    assert quota(groups, groups / "self") == Quota(cores=1.5, throttled_s=2.5)


def test_the_quota_of_version_1_is_read_too(tmp_path: Path) -> None:
    """The controller has a tree of its own there, and counts in nanoseconds."""
    groups = written(
        tmp_path,
        {
            "cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
            "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            "cpu,cpuacct/job/cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 1500000000\n",
            "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "self": "5:memory:/job\n1:cpu,cpuacct:/job\n0::/job\n",
        },
    )
    assert quota(groups, groups / "self") == Quota(cores=0.5, throttled_s=1.5)


def test_no_group_is_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path, tmp_path / "self") == Quota()
