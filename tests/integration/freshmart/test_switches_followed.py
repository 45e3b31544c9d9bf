"""What a duty officer sets reaches the API as it runs, and stays in force when the control node is dead."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks.protect.followers import ControlProcess
from tests.freshmart_api import Api
from tests.freshmart_shop import Shop, until

from tenfold.channel import Change
from tenfold.channel.snapshot import SnapshotFile
from tenfold.protect.live.switches import Rule
from tenfold.respond.switchboard import SwitchOperator

pytestmark = pytest.mark.engines


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ControlProcess]:
    node = ControlProcess(tmp_path)
    node.open()
    yield node
    node.close()


@pytest.fixture
def api(shop: Shop, node: ControlProcess, tmp_path: Path) -> Iterator[Api]:
    """One that follows the node."""
    environment = shop.environment | {
        "TENFOLD_CONTROL_URL": node.url,
        "TENFOLD_CONTROL_TOKEN": node.token,
        "FRESHMART_STATE": str(tmp_path),
    }
    command = ["python", "-m", "freshmart.api"]
    service = shop.run(shop.estate.start_service("api-that-follows", command, environment, "/ready"))
    yield Api(shop, service)
    shop.run(service.close(grace_s=5.0))


def throw(api: Api, node: ControlProcess, name: str, value: object, *, stores: tuple[str, ...] = ()) -> None:
    """Set a switch, and wait until the API has it in force."""
    rule = Rule(value=value, stores=stores, owner="ann", reason="a test")
    with closing(node.client()) as client:
        operator = SwitchOperator(client, by="ann")
        assert holds_soon(api, lambda: operator.declaration(name) is not None)
        change = operator.put(operator.draft_set(name, rule), reason="a test", confirmed=True)
        assert isinstance(change, Change)
        assert operator.acknowledged(change.epoch, within_s=20).applied == 1


def holds_soon(api: Api, holds: Callable[[], bool]) -> bool:
    return api.shop.run(until(lambda: asyncio.to_thread(holds)))


def test_a_store_that_sends_too_many_orders_is_told_to_wait_and_the_others_are_not(
    api: Api, node: ControlProcess
) -> None:
    """The figures are changed in mid-peak; 429 with Retry-After for one store in one lane."""
    for name in ("orders-per-store-per-s", "orders-per-store-burst"):
        throw(api, node, name, 1, stores=(str(api.shop.store),))
    sku = api.shop.new_sku()
    order = {"store": api.shop.store, "lines": [{"sku": sku, "quantity": 1}]}
    got = [api.order(f"wild-{sku}-{number}", order) for number in range(20)]
    refused = [one for one in got if one.status == 429]
    assert {one.status for one in got} == {201, 429}
    assert {(one.headers["retry-after"], json.loads(one.body)["error"]) for one in refused} == {
        ("1", "too-many-orders")
    }
    assert api.order(f"real-{sku}", order, headers={}).status != 429
    elsewhere = [api.order(f"calm-{sku}-{number}", {**order, "store": api.shop.other_store}) for number in range(5)]
    assert {one.status for one in elsewhere} == {201}


def test_what_is_shielded_stays_so_when_the_api_is_killed_while_the_control_node_is_dead(
    api: Api, node: ControlProcess, tmp_path: Path
) -> None:
    """The process that is started in its place takes up the last good state from its disk."""
    path = f"/stores/{api.shop.store}/banners"
    assert "x-degraded" not in api.ask(path).headers
    throw(api, node, "banners", False)
    assert api.ask(path).headers["x-degraded"] == "banners"
    keepsake = SnapshotFile(tmp_path / "api.channel")
    assert holds_soon(api, lambda: "banners" in keepsake.load().topics.get("switches", {}))
    node.kill()
    try:
        api.shop.run(api.service.kill())
        api.shop.run(api.service.start())
        assert api.ask(path).headers["x-degraded"] == "banners"
    finally:
        node.open()
