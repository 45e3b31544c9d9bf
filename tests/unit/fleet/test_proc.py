"""What the kernel says of a process is read rightly, whatever the process calls itself."""

import os
import subprocess
import sys

from tenfold.fleet import proc

LINE = "4711 (a (b) c) S 1 4711 4711 0 -1 4194560 1 0 0 0 11 22 33 44 20 0 1 0 987654 1000 25 18446744073709551615"


def test_stat_line_is_read_past_brackets_in_the_command() -> None:
    """A command may hold spaces and brackets; the fields behind it still count right."""
    read = proc.parse_stat(LINE)
    assert (read.state, read.parent, read.group, read.cpu_ticks, read.started_ticks) == ("S", 1, 4711, 110, 987654)


def test_start_time_of_ourselves_is_known_and_stays() -> None:
    """A process keeps its start time for as long as it lives."""
    assert proc.start_ticks(os.getpid()) == proc.start_ticks(os.getpid()) is not None


def test_zombie_is_nobody() -> None:
    """A process that has ended and waits to be counted no longer runs."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert proc.stat(child.pid) is None


def test_usage_counts_descendants() -> None:
    """What a child holds is its parent's too, and what both share counts once."""
    alone = proc.usage(os.getpid())
    assert alone.rss_bytes > 1_000_000
    assert alone.cpu_s > 0
