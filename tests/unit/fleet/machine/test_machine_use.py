"""What a machine did between two samples: every second of it is somebody's, once."""

from tenfold.fleet.machine.counters import CpuTimes, Stalls
from tenfold.fleet.machine.processes import ProcessSample
from tenfold.fleet.machine.quota import Quota
from tenfold.fleet.machine.strain import strains
from tenfold.fleet.machine.use import MachineSample, MachineUse, ProcessUse, use_between

S = 1_000_000_000
NO_QUOTA = Quota()


def process(
    pid: int, cpu_s: float, *, owner: str = "", parent: int = 1, ended_s: float = 0.0, waited_s: float | None = None
) -> ProcessSample:
    return ProcessSample(pid, parent, f"program-{pid}", owner, cpu_s, ended_s, waited_s)


def sample(
    at_s: int, *seen: ProcessSample, times: CpuTimes | None = None, quota: Quota = NO_QUOTA, stalled_s: float = 0.0
) -> MachineSample:
    return MachineSample(
        at_ns=at_s * S,
        cores=2,
        times=times,
        pressure=Stalls(cpu_s=stalled_s),
        quota=quota,
        processes={(one.pid, 7): one for one in seen},
    )


def own_s(use: MachineUse) -> dict[str, float]:
    return {one.name: round(one.cpu_s, 3) for one in use.own}


def test_what_is_not_ours_is_the_rest_of_the_total() -> None:
    """The truth is the total; the names are those that were there to be seen."""
    use = use_between(
        sample(0, process(10, 1.0, owner="api"), process(50, 2.0), times=CpuTimes(100, 1, 100, 0)),
        sample(10, process(10, 5.0, owner="api"), process(50, 5.0), times=CpuTimes(109, 1.5, 110, 0.5)),
    )
    assert own_s(use) == {"api": 4.0}
    assert (use.others_cpu_s, use.steal_s, use.idle_s, use.kernel_cpu_s) == (5.0, 0.5, 10.0, 0.5)
    assert use.others == [ProcessUse("program-50", 50, 3.0)]
    assert use.taken_ratio == 0.275


def test_a_machine_that_says_nothing_has_unknown_neighbours() -> None:
    """Unknown is not none, and it is no excuse either."""
    use = use_between(sample(0), sample(10))
    assert (use.others_cpu_s, use.steal_s, use.busy_ratio) == (None, None, None)
    assert strains(use) == []


def test_a_server_that_was_killed_and_came_back_is_one_part() -> None:
    """Its first life ended within the drill: what it used there went to its parent, who counted it."""
    use = use_between(
        sample(0, process(1000, 1.0, owner="tenfold"), process(30, 40.0, owner="main", parent=1000)),
        sample(
            10,
            process(1000, 1.1, owner="tenfold", ended_s=40.5),
            process(31, 2.0, owner="main", parent=1000),
        ),
    )
    assert own_s(use) == {"main": 2.0, "tenfold": 0.6}


def test_what_ended_far_below_is_not_counted_twice() -> None:
    """A shell's shell and its compiler ended: their earlier hours are not what their forebear used now."""
    use = use_between(
        sample(0, process(50, 0.0), process(60, 1.0, parent=50, ended_s=2.0), process(70, 3600.0, parent=60)),
        sample(10, process(50, 0.0, ended_s=3604.0)),
    )
    assert use.others == [ProcessUse("program-50", 50, 1.0)]


def test_a_part_waits_as_long_as_its_latest_process() -> None:
    """Ten idle backends do not make one that waits look punctual."""
    use = use_between(
        sample(0, process(10, 0, owner="api", waited_s=1.0), process(11, 0, owner="api", waited_s=0.0)),
        sample(10, process(10, 0, owner="api", waited_s=1.1), process(11, 1, owner="api", waited_s=2.6)),
    )
    api = use.part("api")
    assert api is not None
    assert api.waited_ratio == 0.26


def test_a_quota_is_all_the_machine_there_is() -> None:
    """Of two cores a group may use a half: its shares are of that half."""
    use = use_between(sample(0, quota=Quota(0.5, 1.0)), sample(10, quota=Quota(0.5, 5.0)), flush_ms=0.3)
    assert (use.cores, use.throttled_ratio, use.flush_ms) == (0.5, 0.4, 0.3)
    assert [strain.by for strain in strains(use)] == ["quota"]


def test_pressure_is_a_difference_too() -> None:
    assert use_between(sample(0, stalled_s=3.0), sample(10, stalled_s=4.5)).pressure_cpu_s == 1.5


def test_others_and_steal_count_together_and_the_larger_is_named_first() -> None:
    """Each alone would be bearable."""
    use = use_between(
        sample(0, times=CpuTimes(0, 0, 0, 0)),
        sample(10, process(50, 1.0), times=CpuTimes(1.2, 0, 16, 1.6)),
    )
    assert [strain.by for strain in strains(use)] == ["steal", "program-50"]
    assert strains(use)[0].says == "the host of this machine took 8% of its 2 cores (steal)"
