"""Each service of the plan is given the secrets that it needs, and no others."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.protect.followers import ControlProcess
from rich.console import Console as Terminal
from tests.freshmart_shop import PLAN, TOKEN, Shop

from tenfold.bootstrap.request import RunRequest
from tenfold.bootstrap.services import start_services
from tenfold.respond.control import ControlClient, ControlRefusedError, service_token

pytestmark = pytest.mark.engines

PREFIX = "given-"
"""The services of these tests stand beside those that the other tests use."""

Environments = Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    node = ControlProcess(tmp_path_factory.mktemp("control"))
    node.open()
    yield node
    node.close()


@pytest.fixture(scope="module")
def environments(shop: Shop, node: ControlProcess) -> Iterator[Environments]:
    """What the kernel says of each process, by its service's name in the plan."""
    services = {PREFIX + name: replace(service, depends_on=()) for name, service in PLAN.services.items()}
    plan = replace(PLAN, services=services)
    request = RunRequest(plan=plan, steps=plan.steps, seed=1, port=0, terminal=Terminal(stderr=True))

    def control(name: str) -> Mapping[str, str]:
        token = service_token(node.token, name.removeprefix(PREFIX))
        return {"TENFOLD_CONTROL_URL": node.url, "TENFOLD_CONTROL_TOKEN": token}

    shop.run(start_services(request, shop.estate, control))
    started = [service for service in shop.estate.services if service.name.startswith(PREFIX)]
    yield {service.name.removeprefix(PREFIX): environment_of(service.pid) for service in started}
    for service in started:
        shop.run(service.close(grace_s=5.0))


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def test_the_payment_service_holds_no_key_of_a_server(shop: Shop, environments: Environments) -> None:
    """Neither by name nor by value."""
    environment = environments["payment"]
    assert not [name for name in environment if name.startswith("FRESHMART_")]
    secrets = {value for name, value in shop.environment.items() if name != "FRESHMART_PAYMENT_URL"} | {TOKEN}
    assert secrets.isdisjoint(environment.values())


def test_the_worker_holds_what_it_needs_and_no_key_of_people(
    shop: Shop, node: ControlProcess, environments: Environments
) -> None:
    """No token of the operator, none of the test traffic, no key of the pictures."""
    environment = environments["worker"]
    given = {name for name in environment if name.startswith("FRESHMART_")}
    assert given == set(PLAN.services["worker"].needs or ())
    assert {node.token, TOKEN, shop.environment["FRESHMART_OBJECTS_URL"]}.isdisjoint(environment.values())


def test_no_service_holds_the_operators_token(node: ControlProcess, environments: Environments) -> None:
    """Each has its own, and nobody changes anything with it."""
    tokens = [environment["TENFOLD_CONTROL_TOKEN"] for environment in environments.values()]
    assert len({node.token, *tokens}) == len(PLAN.services) + 1
    with closing(node.client()) as operator:
        assert {one.process.service for one in operator.processes()} == {"api"}
    for token in tokens:
        with closing(ControlClient(node.url, token)) as service, pytest.raises(ControlRefusedError, match="403"):
            service.put("demo", "a", 1)
