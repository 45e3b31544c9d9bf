"""How services start: what they are told, and who goes first."""

from dataclasses import replace
from pathlib import Path

from tenfold.bootstrap import resolve
from tenfold.bootstrap.services import start_waves
from tenfold.fleet import FAULT_KINDS
from tenfold.plan import read_plan

PLAN = read_plan(Path(__file__).parents[3] / "plans" / "freshmart.yaml", FAULT_KINDS)


def test_references_are_put_in_wherever_they_stand() -> None:
    """More than one in a value; what is no reference stays."""
    assert resolve("a=${x.url}&b=${y}$1{}", {"x.url": "redis://h", "y": "2"}) == "a=redis://h&b=2$1{}"


def test_services_start_after_those_they_depend_on_and_otherwise_together() -> None:
    """Two that do not need each other need not wait for each other."""
    service = PLAN.services["api"]
    services = {
        "page": replace(service, depends_on=("api", "database")),
        "api": replace(service, depends_on=("database",)),
        "worker": replace(service, depends_on=()),
    }
    assert [set(wave) for wave in start_waves(services)] == [{"api", "worker"}, {"page"}]
