"""The evaluation scenarios of the OpenFeature specification, restated, through the provider and the real SDK.

After `evaluation.feature` and `evaluation_v2.feature` of open-feature/spec, with the flags of its `test-flags.json`.
Left out of the second: CACHED and DISABLED, which a provider may say and this one never does; states of a provider that
fails, hooks and evaluation options, which are the SDK's own.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.provider import ProviderStatus
from tests.channel_in_memory import MemoryChannel

from tenfold.protect.openfeature import SwitchProvider
from tenfold.protect.switches import Rule, Switches, SwitchRecord

PICTURES = {"showImages": True, "title": "Check out these pics!", "imagesPerPage": 100}
BALLMER = {"email": "ballmer@macrosoft.com"}
ASK = {"Boolean": "boolean", "String": "string", "Integer": "integer", "Float": "float", "Object": "object"}

PLAIN = [
    ("boolean-flag", "boolean", True, {"on": True, "off": False}),
    ("string-flag", "text", "hi", {"greeting": "hi", "parting": "bye"}),
    ("integer-flag", "integer", 10, {"one": 1, "ten": 10}),
    ("float-flag", "number", 0.5, {"tenth": 0.1, "half": 0.5}),
    ("object-flag", "json", PICTURES, {"empty": {}, "template": PICTURES}),
    ("wrong-flag", "text", "uno", {"one": "uno", "two": "dos"}),
    ("context-aware", "text", "EXTERNAL", {"internal": "INTERNAL", "external": "EXTERNAL"}),
    ("metadata-flag", "boolean", True, {"on": True, "off": False}),
]
ZERO = [
    ("boolean", "boolean", False, True),
    ("string", "text", "", "str"),
    ("integer", "integer", 0, 1),
    ("float", "number", 0.0, 1.0),
    ("object", "json", {}, PICTURES),
]
METADATA = {"string": "1.0.2", "integer": 2, "boolean": True, "float": 0.1}


@pytest.fixture
def channel() -> MemoryChannel:
    channel = MemoryChannel()
    channel.put_record("context-aware", Rule(value="INTERNAL", where={"customer": False}))
    for kind, _, zero, _ in ZERO:
        channel.put_record(f"{kind}-targeted-zero-flag", Rule(value=zero, where=dict(BALLMER)))
    return channel


@pytest.fixture
def switches(channel: MemoryChannel) -> Iterator[Switches]:
    switches = Switches()
    for name, kind, default, variants in PLAIN:
        labels = METADATA if name == "metadata-flag" else {}
        switches.declare(name, kind, default, variants=variants, labels=labels)  # type: ignore[arg-type]
    for word, kind, zero, other in ZERO:
        for name in (f"{word}-zero-flag", f"{word}-targeted-zero-flag"):
            switches.declare(name, kind, zero, variants={"zero": zero, "non-zero": other})  # type: ignore[arg-type]
    with switches.following(channel, tended=False):
        yield switches


@pytest.fixture
def client(switches: Switches) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(SwitchProvider(switches))
    yield api.get_client()
    api.clear_providers()


def details(client: OpenFeatureClient, type_: str, key: str, default: Any, **context: Any) -> Any:
    return getattr(client, f"get_{ASK[type_]}_details")(key, default, EvaluationContext(attributes=context))


RESOLVED = [
    ("Boolean", "boolean-flag", False, True, "on"),
    ("String", "string-flag", "bye", "hi", "greeting"),
    ("Integer", "integer-flag", 1, 10, "ten"),
    ("Float", "float-flag", 0.1, 0.5, "half"),
    ("Object", "object-flag", {}, PICTURES, "template"),
]


@pytest.mark.parametrize(("type_", "key", "default", "value", "variant"), RESOLVED)
def test_a_flag_is_resolved_with_its_variant_and_for_a_static_reason(
    client: OpenFeatureClient, type_: str, key: str, default: Any, value: Any, variant: str
) -> None:
    """Resolves values and their details; complete structure of the details; variants."""
    assert getattr(client, f"get_{ASK[type_]}_value")(key, default) == value
    said = details(client, type_, key, default)
    assert (said.value, said.flag_key, said.variant, said.reason) == (value, key, variant, "STATIC")
    assert type(said.value) is type(value)


@pytest.mark.parametrize(("word", "_kind", "zero", "other"), ZERO)
def test_a_zero_is_a_value_and_not_the_callers_default(
    client: OpenFeatureClient, word: str, _kind: str, zero: Any, other: Any
) -> None:
    """Resolves zero values: plain; targeted and matched; targeted and not; with an empty and with a null context."""
    type_ = word.capitalize()
    plain = details(client, type_, f"{word}-zero-flag", other)
    assert (plain.value, plain.reason) == (zero, "STATIC")
    targeted = f"{word}-targeted-zero-flag"
    for context, reason in (
        (BALLMER, "TARGETING_MATCH"),
        ({"email": "ballmer@none.com"}, "DEFAULT"),
        ({}, "DEFAULT"),
        ({"email": None}, "DEFAULT"),
    ):
        said = details(client, type_, targeted, other, **context)
        assert (said.value, said.variant, said.reason) == (zero, "zero", reason)


def test_the_context_decides(client: OpenFeatureClient) -> None:
    """Resolves based on context; several attributes; nobody is asked about."""
    context: dict[str, Any] = {"fn": "Sulisław", "ln": "Świętopełk", "age": 29, "customer": False}
    assert client.get_string_value("context-aware", "EXTERNAL", EvaluationContext(attributes=context)) == "INTERNAL"
    said = details(client, "String", "context-aware", "x", role="admin", age=65, customer=False, **BALLMER)
    assert (said.value, said.reason) == ("INTERNAL", "TARGETING_MATCH")
    assert client.get_string_value("context-aware", "EXTERNAL") == "EXTERNAL"


@pytest.mark.parametrize(
    ("type_", "default"), [("Boolean", False), ("String", "bye"), ("Integer", 1), ("Float", 0.1), ("Object", {"a": 1})]
)
def test_a_flag_that_nobody_declared_is_not_found(client: OpenFeatureClient, type_: str, default: Any) -> None:
    """Flag not found; the message names it."""
    said = details(client, type_, "missing-flag", default)
    assert (said.value, said.reason, said.error_code) == (default, "ERROR", "FLAG_NOT_FOUND")
    assert "flag missing-flag not found" in said.error_message


@pytest.mark.parametrize(
    ("type_", "key", "default"),
    [
        ("Integer", "wrong-flag", 13),
        ("String", "boolean-flag", "bye"),
        ("Boolean", "string-flag", False),
        ("Integer", "string-flag", 1),
        ("Object", "string-flag", {}),
        ("Integer", "boolean-flag", 1),
        ("Float", "boolean-flag", 0.1),
        ("Integer", "float-flag", 1),
    ],
)
def test_a_flag_of_another_type_is_a_mismatch(client: OpenFeatureClient, type_: str, key: str, default: Any) -> None:
    """Type mismatch; a boolean is no number."""
    said = details(client, type_, key, default)
    assert (said.value, said.reason, said.error_code) == (default, "ERROR", "TYPE_MISMATCH")


def test_metadata_is_handed_on(client: OpenFeatureClient) -> None:
    """Flag metadata in the details."""
    said = details(client, "Boolean", "metadata-flag", True)
    assert {name: said.flag_metadata[name] for name in METADATA} == METADATA


def test_the_context_is_left_as_it_was_and_async_answers_the_same(client: OpenFeatureClient) -> None:
    """Immutability; asynchronous evaluation."""
    context = EvaluationContext("c-1", {"store": "7", "email": "x"})
    at_once = client.get_boolean_details("boolean-flag", False, context)
    later = asyncio.run(client.get_boolean_details_async("boolean-flag", False, context))
    assert at_once == later
    assert context == EvaluationContext("c-1", {"store": "7", "email": "x"})
    assert client.get_provider_status() is ProviderStatus.READY


def test_a_flag_that_is_modified_is_announced(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """`events.feature`: PROVIDER_CONFIGURATION_CHANGED names the flag."""
    heard: list[EventDetails] = []
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.append)
    channel.put_record("boolean-flag", Rule(value=False))
    assert [event.flags_changed for event in heard] == [["boolean-flag"]]
    assert client.get_boolean_value("boolean-flag", True) is False


def test_place_and_percentage_come_from_the_context(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """`store` is a place, the targeting key is the subject, and a percentage is a split."""
    channel.put_record("boolean-flag", Rule(value=False, stores=("7",)), Rule(value=False, percent=50))
    said = client.get_boolean_details("boolean-flag", True, EvaluationContext("c-1", {"store": "7"}))
    assert (said.value, said.reason) == (False, "TARGETING_MATCH")
    asked = [client.get_boolean_details("boolean-flag", True, EvaluationContext(f"c-{n}")) for n in range(200)]
    assert {(one.value, str(one.reason)) for one in asked} == {(False, "SPLIT"), (True, "DEFAULT")}
    assert client.get_boolean_details("boolean-flag", True).reason == "DEFAULT"


def test_a_switch_of_another_process_is_a_flag_here(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """Code that only knows OpenFeature reads what another service declared."""
    elsewhere = Switches()
    elsewhere.text("greeting", default="hello")
    channel.put("switch-declarations", "greeting", elsewhere.get("greeting").declaration)  # type: ignore[union-attr]
    assert client.get_string_value("greeting", "x") == "hello"
    channel.put("switches", "greeting", SwitchRecord((Rule(value="bonjour"),)))
    assert client.get_string_value("greeting", "x") == "bonjour"


def test_a_context_of_anything_raises_nothing(client: OpenFeatureClient) -> None:
    """Whatever stands in it."""
    for store in ([], {}, 7, object()):
        context = EvaluationContext("c", {"store": store, "x": object()})  # type: ignore[dict-item]
        assert client.get_boolean_value("boolean-flag", False, context) in (True, False)
