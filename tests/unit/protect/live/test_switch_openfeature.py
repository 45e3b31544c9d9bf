"""What the OpenFeature provider does beyond the specification, whose scenarios stand in tests/conformance/flags."""

from collections.abc import Iterator

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from tests.channel_in_memory import MemoryChannel

from tenfold.protect.live.openfeature import SwitchProvider
from tenfold.protect.live.switches import Rule, Switches, SwitchRecord
from tenfold.protect.live.switches.place_rules import Said


@pytest.fixture
def channel() -> MemoryChannel:
    return MemoryChannel()


@pytest.fixture
def switches(channel: MemoryChannel) -> Iterator[Switches]:
    switches = Switches()
    switches.boolean("recommendations", default=True, tier="P3", owner="web team", labels={"cost": "smaller baskets"})
    with switches.following(channel, tended=False):
        yield switches


@pytest.fixture
def client(switches: Switches) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(SwitchProvider(switches))
    yield api.get_client()
    api.clear_providers()


def test_place_and_percentage_come_from_the_context(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """`store` is a place, the targeting key is the subject, and a percentage is a split."""
    channel.put_record("recommendations", Rule(value=False, stores=("7",)), Rule(value=False, percent=50))
    said = client.get_boolean_details("recommendations", True, EvaluationContext("c-1", {"store": "7"}))
    assert (said.value, said.reason) == (False, "TARGETING_MATCH")
    asked = [client.get_boolean_details("recommendations", True, EvaluationContext(f"c-{n}")) for n in range(200)]
    assert {(one.value, str(one.reason)) for one in asked} == {(False, "SPLIT"), (True, "DEFAULT")}
    assert client.get_boolean_details("recommendations", True).reason == "DEFAULT"


def test_metadata_are_what_the_declaration_states(client: OpenFeatureClient) -> None:
    """Labels, and tier and owner where there are any; a boolean's variants are on and off."""
    said = client.get_boolean_details("recommendations", False)
    assert dict(said.flag_metadata) == {"tier": "P3", "owner": "web team", "cost": "smaller baskets"}
    assert said.variant == "on"


def test_a_read_is_tallied_by_what_the_context_says(client: OpenFeatureClient, switches: Switches) -> None:
    """So that a dry run knows whom a rule can apply to."""
    for context in (
        EvaluationContext(),
        EvaluationContext("c-1"),
        EvaluationContext(attributes={"x": 1, "store": "7"}),
    ):
        client.get_boolean_value("recommendations", True, context)
    reads = switches.get("recommendations").reads()  # type: ignore[union-attr]
    assert {(place.store, said) for place, said in reads} == {
        ("", Said()),
        ("", Said(subject=True, attributes=True)),
        ("7", Said(attributes=True)),
    }


def test_a_switch_of_another_process_is_a_flag_here(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """Code that only knows OpenFeature reads what another service declared."""
    elsewhere = Switches()
    elsewhere.text("greeting", default="hello")
    channel.put("switch-declarations", "greeting", elsewhere.get("greeting").declaration)  # type: ignore[union-attr]
    assert client.get_string_value("greeting", "x") == "hello"
    channel.put("switches", "greeting", SwitchRecord((Rule(value="bonjour"),)))
    assert client.get_string_value("greeting", "x") == "bonjour"


def test_a_place_that_cannot_be_one_is_a_fault_of_the_context(client: OpenFeatureClient) -> None:
    """And not of the flag's type, which is right; the caller's default is the answer."""
    said = client.get_boolean_details("recommendations", False, EvaluationContext("c-1", {"store": ["7"]}))
    assert (said.value, said.error_code) == (False, ErrorCode.INVALID_CONTEXT)
    assert client.get_string_details("recommendations", "x").error_code is ErrorCode.TYPE_MISMATCH


def test_a_context_of_anything_raises_nothing(client: OpenFeatureClient) -> None:
    """Whatever stands in it."""
    for store in ([], {}, 7, object()):
        context = EvaluationContext("c", {"store": store, "x": object()})  # type: ignore[dict-item]
        assert client.get_boolean_value("recommendations", False, context) in (True, False)
