"""A broken promise is laid at the right door: the machine's, the generator's or the server's."""

from itertools import product

import pytest

from tenfold.fleet.machine.use import MachineUse, ProcessUse
from tenfold.rehearse.bottleneck import Bottleneck, LimitedBy, bottleneck_of

SERVICES = ("api", "worker", "payment")


def use(
    *,
    cores: float = 2.0,
    api: float = 0.5,
    database: float = 0.3,
    driver: float = 0.3,
    others: tuple[tuple[str, float], ...] = (),
    unseen: float = 0.0,
    steal: float = 0.0,
    throttled: float = 0.0,
    flush_ms: float | None = 0.4,
    waited: dict[str, float] | None = None,
    counts_waiting: bool = True,
    loop_late_ms: dict[str, float] | None = None,
) -> MachineUse:
    """Ten seconds of a machine; every figure is a share of one core, or of the time."""
    waited = waited or {}
    own = {"api": api, "database.primary": database, "driver": driver, "tenfold": 0.02}
    taken = sum(share for _, share in others) + unseen
    late = loop_late_ms or {}
    waits = {name: waited.get(name, 0.0) if counts_waiting else None for name in own}
    idle = max(0.0, cores - sum(own.values()) - taken - steal)
    return MachineUse(
        elapsed_s=10.0,
        cores=cores,
        own_cpu_s=sum(own.values()) * 10,
        own=[ProcessUse(name, 100, share * 10, waits[name], late.get(name)) for name, share in own.items()],
        others_cpu_s=taken * 10,
        others=[ProcessUse(name, 4711, share * 10) for name, share in others],
        steal_s=steal * 10,
        idle_s=idle * 10,
        throttled_s=throttled * 10,
        flush_ms=flush_ms,
    )


def judged(machine: MachineUse, answers: LimitedBy = "server", late_ms: float = 1.0) -> Bottleneck:
    return bottleneck_of(answers, machine, driver_late_ms=late_ms, services=SERVICES)


NEIGHBOURS = [
    use(api=api, others=((name, share),), waited={"api": waited, "driver": waited / 2})
    for (name, share), api, waited in product(
        (("stress", 0.9), ("python", 0.3), ("cc1plus", 1.4), ("java", 0.5)), (0.4, 0.9), (0.05, 0.26)
    )
]
STOLEN = [use(steal=share, api=api) for share, api in product((0.25, 0.5, 0.9), (0.2, 0.9))]
HELD_BACK = [
    use(cores=cores, api=api, throttled=throttled)
    for cores, api, throttled in product((0.5, 1.0), (0.3, 0.6), (0.15, 0.6))
]
SLOW_DISKS = [
    use(flush_ms=flush_ms, api=api, database=database)
    for flush_ms, api, database in product((25.0, 400.0), (0.2, 0.8), (0.1,))
]
GENERATORS = [use(driver=driver, api=api) for driver, api in product((0.96, 0.99, 1.0), (0.2, 0.5))]


@pytest.mark.parametrize("answers", ["server", "generator", "inconclusive"])
@pytest.mark.parametrize("machine", [*NEIGHBOURS, *STOLEN, *HELD_BACK, *SLOW_DISKS])
def test_a_run_limited_by_its_machine_never_says_server(machine: MachineUse, answers: LimitedBy) -> None:
    """Whatever the answers alone suggest: with a neighbour, steal, a quota or a slow disk it was the machine."""
    found = judged(machine, answers, late_ms=40.0)
    assert found.limited_by == "machine"
    assert found.by
    assert found.evidence


@pytest.mark.parametrize("answers", ["generator", "inconclusive"])
@pytest.mark.parametrize("machine", GENERATORS)
def test_a_run_limited_by_its_generator_never_says_server(machine: MachineUse, answers: LimitedBy) -> None:
    """A driver whose one thread is full is late by itself, however full the cores are."""
    found = judged(machine, answers, late_ms=40.0)
    assert found.limited_by == answers
    assert "load driver was 40 ms late" in found.evidence


def test_the_table_holds_forty_runs_or_more() -> None:
    """Neighbours, steal, quotas, disks and generators together."""
    assert len([*NEIGHBOURS, *STOLEN, *HELD_BACK, *SLOW_DISKS, *GENERATORS]) >= 40


SLEEPING = [(use(api=share, database=0.1), "api") for share in (0.03, 0.1, 0.2, 0.3)]
LOCKED = [(use(api=0.2, database=share), "api") for share in (0.05, 0.15, 0.3, 0.45)]
SPINNING = [(use(api=share, waited={"api": waited}), "api") for share in (0.6, 0.96) for waited in (0.0, 0.01, 0.3)]
QUERYING = [(use(api=0.3, database=share), "database.primary") for share in (0.7, 0.95, 1.2)]
BESIDE_A_SMALL_NEIGHBOUR = [
    (use(api=0.2, database=0.1, others=(("cron", share),)), "api") for share in (0.01, 0.05, 0.15, 0.3)
]


@pytest.mark.parametrize(("machine", "named"), [*SLEEPING, *LOCKED, *SPINNING, *QUERYING, *BESIDE_A_SMALL_NEIGHBOUR])
def test_a_server_that_really_is_slow_says_server_and_is_named(machine: MachineUse, named: str) -> None:
    """A sleep, a lock, a full pool or plain work: the busiest or the latest is named, with its share."""
    found = judged(machine)
    assert (found.limited_by, found.by) == ("server", named)
    assert f"{named} used" in found.evidence


def test_the_table_of_slow_servers_holds_twenty() -> None:
    assert len([*SLEEPING, *LOCKED, *SPINNING, *QUERYING, *BESIDE_A_SMALL_NEIGHBOUR]) >= 20


def test_a_late_event_loop_is_said_with_the_process() -> None:
    """Busy and late, and idle but late: a call that blocks the loop."""
    busy = judged(use(api=0.96, loop_late_ms={"api": 60.2}))
    assert busy.evidence == "api used 96% of a core; its event loop was 60 ms late"
    blocked = judged(use(api=0.1, loop_late_ms={"api": 2.0, "worker": 0.1, "database.primary": 80.0}))
    assert "event loop" not in blocked.evidence
    blocked = judged(use(api=0.1, loop_late_ms={"api": 45.0}))
    assert (blocked.by, blocked.evidence) == ("api", "api used 10% of a core; its event loop was 45 ms late")


def test_an_idle_server_is_said_to_wait_for_something_else() -> None:
    """Nobody looks for a faster processor when it is a lock."""
    assert judged(use(api=0.12, database=0.05)).evidence == (
        "api used 12% of a core: it waited for something else than a core: a lock, a pool, a sleep"
    )


def test_cores_full_of_our_own_processes_are_the_servers() -> None:
    """The driver was late, but behind the system that it loads: no neighbour, no fault of its own."""
    found = judged(use(api=0.95, database=0.6, driver=0.4, waited={"driver": 0.2}), "generator", late_ms=12.0)
    assert found.limited_by == "server"
    assert found.evidence == (
        "the system itself filled the 2 cores: api used 95% of a core; the load driver was 12 ms late behind it"
    )


def test_a_neighbour_on_idle_cores_is_no_excuse() -> None:
    """It used a core of which there were many left, and nobody waited."""
    found = judged(use(cores=8, api=0.96, others=(("backup", 1.5),)))
    assert (found.limited_by, found.by) == ("server", "api")


def test_a_neighbour_that_kept_nobody_waiting_is_no_excuse_however_busy_the_cores() -> None:
    """The run was light and had its core whenever it wanted one: that the fault was never noticed is the system's."""
    found = judged(use(api=0.02, database=0.0, driver=0.02, others=(("bash", 1.6),), waited={"tenfold": 0.05}))
    assert (found.limited_by, found.by) == ("server", "api")


def test_full_cores_are_taken_for_waiting_where_the_kernel_does_not_count_it() -> None:
    found = judged(use(api=0.5, others=(("bash", 0.9),), counts_waiting=False))
    assert (found.limited_by, found.by) == ("machine", "bash")


def test_a_neighbour_is_named_with_pid_and_share() -> None:
    """So that a person can end it."""
    found = judged(use(api=0.6, others=(("stress", 0.96),), waited={"api": 0.3}))
    assert found.by == "stress"
    assert found.evidence == "other programs used 48% of the 2 cores (stress (pid 4711) 48%)"


def test_programs_that_came_and_went_count_although_nobody_saw_them() -> None:
    """A build starts a thousand compilers and none of them is there at the end."""
    found = judged(use(unseen=0.8, waited={"api": 0.2}))
    assert found == Bottleneck(
        "machine",
        "other programs",
        "other programs used 40% of the 2 cores (by programs that had ended when it was looked)",
    )


def test_a_kept_promise_has_no_cause_and_an_unwatched_machine_none_either() -> None:
    """Nothing is excused that was not broken, and nothing is guessed."""
    assert judged(use(others=(("stress", 1.5),)), "none") == Bottleneck("none")
    assert bottleneck_of("server", None, driver_late_ms=0.0) == Bottleneck("server")
