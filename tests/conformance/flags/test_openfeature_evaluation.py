"""The evaluation scenarios of the OpenFeature specification, one test a scenario, one run a row of its examples.

open-feature/spec, specification/assets/gherkin; nothing of it is copied, its scenarios are restated by their names.

file                   at commit           here
evaluation.feature     0795ac4c            all 13 scenarios
evaluation_v2.feature  d1e8cc2a, 0795ac4c  18 of 23 scenarios and one row of another; where both differ, both
metadata.feature       148da8ee            both scenarios
hooks.feature          09f212b9            all 3 scenarios
events.feature         b575a8eb            2 of 3 scenarios
tracking.feature       2a91b894            none

Those that do not apply to this provider, and why: docs/reference/control.md, "OpenFeature".
"""

import asyncio
from typing import Any

import pytest
from openfeature.client import OpenFeatureClient
from openfeature.event import ProviderEvent
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagEvaluationOptions
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.provider import ProviderStatus
from tests.channel_in_memory import MemoryChannel
from tests.openfeature_flags import BALLMER, METADATA, PICTURES, Given, Heard

from tenfold.protect.live.switches import Rule

BASIC = [
    ("boolean-flag", "Boolean", False, True, "on"),
    ("string-flag", "String", "bye", "hi", "greeting"),
    ("integer-flag", "Integer", 1, 10, "ten"),
    ("float-flag", "Float", 0.1, 0.5, "half"),
    ("object-flag", "Object", {}, PICTURES, "template"),
]
TARGETED = [
    ("boolean-targeted-zero-flag", "Boolean", True, False),
    ("string-targeted-zero-flag", "String", "hi", ""),
    ("integer-targeted-zero-flag", "Integer", 1, 0),
    ("float-targeted-zero-flag", "Float", 0.1, 0.0),
    ("object-targeted-zero-flag", "Object", {"a": 1}, {}),
]
basic = pytest.mark.parametrize(("key", "type_", "default", "value", "variant"), BASIC)
targeted = pytest.mark.parametrize(("key", "type_", "default", "value"), TARGETED)


@basic
def test_resolves_value(given: Given, key: str, type_: str, default: Any, value: Any, variant: str) -> None:
    """evaluation.feature, "Resolves boolean value", string, integer, float, object: without details."""
    assert given.flag(type_, key, default).value == value


@basic
def test_resolves_details(given: Given, key: str, type_: str, default: Any, value: Any, variant: str) -> None:
    """evaluation.feature, "Resolves boolean details", string, integer, float, object."""
    details = given.flag(type_, key, default).evaluate()
    assert (details.value, details.variant, details.reason) == (value, variant, "STATIC")


def test_resolves_based_on_context(given: Given) -> None:
    """evaluation.feature, "Resolves based on context"."""
    flag = given.flag("String", "context-aware", "EXTERNAL")
    assert flag.value == "EXTERNAL"
    assert flag.with_context(fn="Sulisław", ln="Świętopełk", age=29, customer=False).value == "INTERNAL"


def test_flag_not_found(given: Given) -> None:
    """evaluation.feature, "Flag not found"."""
    details = given.flag("String", "missing-flag", "uh-oh").evaluate()
    assert (details.value, details.reason, details.error_code) == ("uh-oh", "ERROR", "FLAG_NOT_FOUND")


def test_type_error(given: Given) -> None:
    """evaluation.feature, "Type error"."""
    details = given.flag("Integer", "wrong-flag", 13).evaluate()
    assert (details.value, details.reason, details.error_code) == (13, "ERROR", "TYPE_MISMATCH")


@basic
def test_resolve_values(given: Given, key: str, type_: str, default: Any, value: Any, variant: str) -> None:
    """evaluation_v2.feature, "Resolve values"."""
    details = given.flag(type_, key, default).evaluate()
    assert details.value == value
    assert type(details.value) is type(value)


@pytest.mark.parametrize(
    ("key", "type_", "default", "value"),
    [(key.replace("-targeted", ""), *rest) for key, *rest in TARGETED],
)
def test_resolves_zero_value(given: Given, key: str, type_: str, default: Any, value: Any) -> None:
    """evaluation_v2.feature, "Resolves zero value"."""
    details = given.flag(type_, key, default).evaluate()
    assert (details.value, details.reason) == (value, "STATIC")


@targeted
def test_resolves_zero_value_with_targeting(given: Given, key: str, type_: str, default: Any, value: Any) -> None:
    """evaluation_v2.feature, "Resolves zero value with targeting"."""
    details = given.flag(type_, key, default).with_context(email=BALLMER).evaluate()
    assert (details.value, details.reason) == (value, "TARGETING_MATCH")


@targeted
def test_resolves_zero_value_with_targeting_using_default(
    given: Given, key: str, type_: str, default: Any, value: Any
) -> None:
    """evaluation_v2.feature, "Resolves zero value with targeting using default"."""
    details = given.flag(type_, key, default).with_context(email="ballmer@none.com").evaluate()
    assert (details.value, details.reason) == (value, "DEFAULT")


@pytest.mark.parametrize(
    ("type_", "default"), [("Boolean", False), ("String", "bye"), ("Integer", 1), ("Float", 0.1), ("Object", {"a": 1})]
)
def test_flag_not_found_error(given: Given, type_: str, default: Any) -> None:
    """evaluation_v2.feature, "Flag not found error"."""
    details = given.flag(type_, "non-existent-flag", default).evaluate()
    assert (details.value, details.reason, details.error_code) == (default, "ERROR", "FLAG_NOT_FOUND")


@pytest.mark.parametrize(
    ("key", "requested", "default"),
    [
        ("boolean-flag", "String", "bye"),
        ("string-flag", "Boolean", False),
        ("string-flag", "Integer", 1),
        ("string-flag", "Object", {}),
    ],
)
def test_type_mismatch_error(given: Given, key: str, requested: str, default: Any) -> None:
    """evaluation_v2.feature, "Type mismatch error"."""
    details = given.flag(requested, key, default).evaluate()
    assert (details.value, details.reason, details.error_code) == (default, "ERROR", "TYPE_MISMATCH")


@basic
def test_complete_evaluation_details_structure(
    given: Given, key: str, type_: str, default: Any, value: Any, variant: str
) -> None:
    """evaluation_v2.feature, "Complete evaluation details structure"."""
    details = given.flag(type_, key, default).evaluate()
    assert (details.value, details.flag_key, details.variant, details.reason) == (value, key, variant, "STATIC")


def test_flag_metadata_in_evaluation_details(given: Given) -> None:
    """evaluation_v2.feature, "Flag metadata in evaluation details"."""
    details = given.flag("Boolean", "metadata-flag", True).evaluate()
    assert {name: details.flag_metadata[name] for name in METADATA} == METADATA


@targeted
def test_empty_evaluation_context(given: Given, key: str, type_: str, default: Any, value: Any) -> None:
    """evaluation_v2.feature, "Empty evaluation context"."""
    details = given.flag(type_, key, default).evaluate()
    assert (details.value, details.reason) == (value, "DEFAULT")


@targeted
def test_null_context_values(given: Given, key: str, type_: str, default: Any, value: Any) -> None:
    """evaluation_v2.feature, "Null context values"."""
    details = given.flag(type_, key, default).with_context(email=None).evaluate()
    assert (details.value, details.reason) == (value, "DEFAULT")


@pytest.mark.parametrize("key", ["context-aware", "complex-targeted"])
def test_multiple_context_attributes_targeting(given: Given, key: str) -> None:
    """evaluation_v2.feature, "Multiple context attributes targeting": the flag is another in each version."""
    flag = given.flag("String", key, "false").with_context(email=BALLMER, role="admin", age=65, customer=False)
    details = flag.evaluate()
    assert (details.value, details.reason) == ("INTERNAL", "TARGETING_MATCH")


def test_structure_flag_evaluation(given: Given) -> None:
    """evaluation_v2.feature, "Structure flag evaluation"."""
    details = given.flag("Object", "object-flag", {}).evaluate()
    assert (details.value, details.reason) == (PICTURES, "STATIC")


@basic
def test_variant_field_population(given: Given, key: str, type_: str, default: Any, value: Any, variant: str) -> None:
    """evaluation_v2.feature, "Variant field population"."""
    assert given.flag(type_, key, default).evaluate().variant == variant


@pytest.mark.parametrize("key", ["missing-flag", "error-flag"])
def test_error_message_in_evaluation_details(given: Given, key: str) -> None:
    """evaluation_v2.feature, "Error message in evaluation details": the flag is another in each version."""
    details = given.flag("Boolean", key, False).evaluate()
    assert details.reason == "ERROR"
    assert f"flag {key} not found" in details.error_message


def test_provider_status_accessibility(given: Given) -> None:
    """evaluation_v2.feature, "Provider status accessibility": the row of a stable provider."""
    assert given.client.get_provider_status() is ProviderStatus.READY


class Recording(Hook):
    """Writes down what it is called with."""

    def __init__(self, name: str = "", calls: list[tuple[str, str]] | None = None) -> None:
        self.name, self.calls = name, calls if calls is not None else []
        self.told: dict[str, FlagEvaluationDetails[Any]] = {}

    def before(self, hook_context: HookContext, hints: HookHints) -> None:
        self.calls.append((self.name, "before"))

    def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.calls.append((self.name, "after"))
        self.told["after"] = details

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        self.calls.append((self.name, "error"))

    def finally_after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.calls.append((self.name, "finally"))
        self.told["finally"] = details


def test_evaluation_options_with_hooks(given: Given) -> None:
    """evaluation_v2.feature, "Evaluation options with hooks"."""
    calls: list[tuple[str, str]] = []
    options = FlagEvaluationOptions(hooks=[Recording("one", calls), Recording("two", calls)])
    details = given.flag("Boolean", "boolean-flag", False).evaluate(flag_evaluation_options=options)
    assert details.value is True
    assert calls == [
        *(("one", "before"), ("two", "before")),
        *(("two", "after"), ("one", "after")),
        *(("two", "finally"), ("one", "finally")),
    ]


@pytest.mark.parametrize(
    ("key", "type_", "default"),
    [
        ("string-flag", "Boolean", False),
        ("boolean-flag", "String", "bye"),
        ("boolean-flag", "Integer", 1),
        ("boolean-flag", "Float", 0.1),
    ],
)
def test_default_value_type_validation(given: Given, key: str, type_: str, default: Any) -> None:
    """evaluation_v2.feature, "Default value type validation"."""
    details = given.flag(type_, key, default).evaluate()
    assert (details.value, details.error_code) == (default, "TYPE_MISMATCH")


def test_evaluation_context_immutability(given: Given) -> None:
    """evaluation_v2.feature, "Evaluation context immutability": of the context; the details are the SDK's own class,
    so of them only that what is done to one answer is not seen in the next.
    """
    flag = given.flag("Object", "object-flag", {}).with_context(email="x", customer=True).with_targeting_key("c-1")
    before = flag.context
    details = flag.evaluate()
    assert flag.context == before
    details.value["title"] = "mine"
    assert flag.evaluate().value["title"] == "Check out these pics!"


@basic
def test_asynchronous_flag_evaluation(
    given: Given, key: str, type_: str, default: Any, value: Any, variant: str
) -> None:
    """evaluation_v2.feature, "Asynchronous flag evaluation"."""
    flag = given.flag(type_, key, default)
    later = asyncio.run(flag.evaluate_later())
    assert later == flag.evaluate()
    assert later.value == value


def test_returns_metadata(given: Given) -> None:
    """metadata.feature, "Returns metadata"; its "double" is a float of this language."""
    details = given.flag("Boolean", "metadata-flag", True).evaluate()
    assert dict(details.flag_metadata) == METADATA


@pytest.mark.parametrize(
    ("key", "type_", "default"),
    [
        ("boolean-flag", "Boolean", True),
        ("integer-flag", "Integer", 23),
        ("float-flag", "Float", 2.3),
        ("string-flag", "String", "value"),
    ],
)
def test_returns_no_metadata(given: Given, key: str, type_: str, default: Any) -> None:
    """metadata.feature, "Returns no metadata"."""
    assert not given.flag(type_, key, default).evaluate().flag_metadata


@pytest.mark.parametrize(
    ("type_", "key", "default", "stages", "value", "variant", "reason", "error_code"),
    [
        ("Boolean", "boolean-flag", False, ("before", "after", "finally"), True, "on", "STATIC", None),
        ("String", "missing-flag", "uh-oh", ("before", "error", "finally"), "uh-oh", None, "ERROR", "FLAG_NOT_FOUND"),
        ("Integer", "wrong-flag", 13, ("before", "error", "finally"), 13, None, "ERROR", "TYPE_MISMATCH"),
    ],
    ids=["Passes evaluation details to after and finally hooks", "Flag not found", "Type error"],
)
def test_evaluation_details_through_hooks(
    given: Given,
    type_: str,
    key: str,
    default: Any,
    stages: tuple[str, ...],
    value: Any,
    variant: str | None,
    reason: str,
    error_code: str | None,
) -> None:
    """hooks.feature, its three scenarios. The last says "string-flag" and expects the integer 13: asked as one here."""
    hook = Recording()
    given.client.add_hooks([hook])
    given.flag(type_, key, default).evaluate()
    assert tuple(stage for _, stage in hook.calls) == stages
    assert set(hook.told) == set(stages) & {"after", "finally"}
    for told in hook.told.values():
        assert (told.flag_key, told.value, told.variant) == (key, value, variant)
        assert (told.reason, told.error_code) == (reason, error_code)


def test_provider_ready_is_emitted(client: OpenFeatureClient) -> None:
    """events.feature, "PROVIDER_READY is emitted"."""
    heard = Heard()
    client.add_handler(ProviderEvent.PROVIDER_READY, heard.told)
    assert heard.next().provider_name == "tenfold"


def test_provider_configuration_changed_is_emitted(client: OpenFeatureClient, channel: MemoryChannel) -> None:
    """events.feature, "PROVIDER_CONFIGURATION_CHANGED is emitted"."""
    heard = Heard()
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.told)
    channel.put_record("changing-flag", Rule(value="bar"))
    assert heard.next().flags_changed == ["changing-flag"]
