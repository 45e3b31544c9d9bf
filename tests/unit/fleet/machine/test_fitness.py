"""The doctor's word: fit or not, and what to do."""

import msgspec
import pytest

from tenfold.fleet.machine.calibration import REFERENCE, Calibration, likely_to_bear, speed_beside
from tenfold.fleet.machine.facts import Facts
from tenfold.fleet.machine.fitness import OPEN_FILES_NEEDED, checks, is_fit
from tenfold.fleet.machine.use import MachineUse, ProcessUse
from tenfold.rehearse.load.driver import _SPARE_FILES
from tenfold.rehearse.load.messages import LoadTarget

FACTS = Facts(
    system="Linux",
    python="3.11.7",
    disk_free_bytes=80_000_000_000,
    memory_free_bytes=8_000_000_000,
    open_files_max=20_000,
    clock_source="tsc",
    counts_pressure=True,
    counts_waiting=True,
)
USE = MachineUse(elapsed_s=1.0, cores=2, own_cpu_s=1.5, others_cpu_s=0.02, steal_s=0.01, idle_s=0.4, flush_ms=0.2)
MEASURED = Calibration(
    cores=2,
    spins_per_s=600_000.0,
    sleep_late_ms=0.2,
    flush_ms=0.3,
    loopback_us=7.0,
    speed_ratio=1.0,
    bears_rps=1_500.0,
    use=USE,
)
BUSY = msgspec.structs.replace(USE, others_cpu_s=0.96, others=[ProcessUse("stress", 4711, 0.96)])


def test_a_quiet_machine_of_the_reference_is_fit() -> None:
    looked_at = checks(FACTS, MEASURED, 1_500.0)
    assert is_fit(looked_at)
    assert {check.state for check in looked_at} == {"fit"}


@pytest.mark.parametrize(
    ("facts", "measured", "name", "found"),
    [
        ({"disk_free_bytes": 1_000_000_000}, {}, "disk space", "1.0 GB free"),
        ({"memory_free_bytes": 500_000_000}, {}, "memory", "0.5 GB free"),
        ({"open_files_max": 1024}, {}, "open files", "1,024 allowed"),
        ({"system": "Darwin"}, {}, "system", "Darwin"),
        ({"python": "3.9.2"}, {}, "python", "3.9.2"),
        ({}, {"use": BUSY}, "neighbours", "other programs used 48% of the 2 cores (stress (pid 4711) 48%)"),
        ({}, {"flush_ms": 45.0}, "disk", "45.0 ms to keep 4 KiB, 20 may be"),
        (
            {},
            {"speed_ratio": 0.6, "bears_rps": 900.0},
            "speed",
            "0.60 of the reference, likely to bear 900 requests/s; the plan asks 1,500",
        ),
    ],
)
def test_what_is_unfit_is_named_with_what_to_do(
    facts: dict[str, object], measured: dict[str, object], name: str, found: str
) -> None:
    """One thing is wrong, and only that is said."""
    looked_at = checks(msgspec.structs.replace(FACTS, **facts), msgspec.structs.replace(MEASURED, **measured), 1_500.0)
    (bad,) = [check for check in looked_at if check.state != "fit"]
    assert (bad.name, bad.state, bad.found) == (name, "unfit", found)
    assert bad.do


@pytest.mark.parametrize(
    ("facts", "measured"),
    [
        ({"clock_source": "hpet"}, {}),
        ({"counts_pressure": False}, {}),
        ({}, {"sleep_late_ms": 12.0}),
        ({}, {"cores": 1}),
    ],
)
def test_a_warning_leaves_it_fit(facts: dict[str, object], measured: dict[str, object]) -> None:
    """A person may go on, and knows what the figures are worth."""
    looked_at = checks(msgspec.structs.replace(FACTS, **facts), msgspec.structs.replace(MEASURED, **measured))
    assert [check.state for check in looked_at if check.state != "fit"] == ["warning"]
    assert is_fit(looked_at)


def test_the_number_of_the_reference_is_one() -> None:
    """And half the speed bears half the rate; a single core half of that."""
    assert speed_beside(REFERENCE, REFERENCE.spins_per_s, REFERENCE.loopback_us) == 1.0
    half = speed_beside(REFERENCE, REFERENCE.spins_per_s / 2, REFERENCE.loopback_us * 2)
    assert half == pytest.approx(0.5)
    assert likely_to_bear(REFERENCE, half, 2) == pytest.approx(REFERENCE.bears_rps / 2)
    assert likely_to_bear(REFERENCE, half, 1) == pytest.approx(REFERENCE.bears_rps / 4)
    assert likely_to_bear(REFERENCE, 1.0, 64) == REFERENCE.bears_rps
    assert speed_beside(REFERENCE, None, 7.0) is None


def test_the_files_it_asks_for_are_those_that_the_driver_needs() -> None:
    """The number is written where no plan is read."""
    target = LoadTarget(base_url="", plan="", token="", journal="", seed=0)
    assert target.connections_max + _SPARE_FILES == OPEN_FILES_NEEDED
