"""The compatibility suite for providers of the OpenFeature specification, one test a scenario, one run a row.

open-feature/spec, specification/assets/provider-tck/gherkin; nothing of it is copied, its scenarios are restated by
their names.

file                at commit  here
evaluation.feature  0df23975   all but "A disabled flag resolves to the code default"
errors.feature      77f7b89d   all
reason.feature      86ca9ba3   all but "A disabled flag reports that it is disabled"
lifecycle.feature   0f8c0864   1 of 3: nothing that this provider waits for can be unavailable
events.feature      86ca9ba3   1 of 2: it is never stale
metadata.feature    d0be8429   all

Those that do not apply to this provider, and why: docs/reference/control.md, "OpenFeature".
"""

from typing import Any

import pytest
from openfeature.client import OpenFeatureClient
from openfeature.event import ProviderEvent
from openfeature.provider import ProviderStatus
from tests.channel_in_memory import MemoryChannel
from tests.openfeature_flags import TARGETED_UUID, Flag, Given, Heard

from tenfold.protect.live.switches import Rule

OTHER_UUID = "f20bd32d-703b-48b6-bc8e-79d53c85134a"
PLAIN = [
    ("boolean-flag", "Boolean", False, True, "on"),
    ("string-flag", "String", "bye", "hi", "greeting"),
    ("integer-flag", "Integer", 1, 10, "ten"),
    ("float-flag", "Float", 0.1, 0.5, "half"),
]
FALSY = [
    ("boolean-zero-flag", "Boolean", True, False, "zero"),
    ("integer-zero-flag", "Integer", 1, 0, "zero"),
    ("string-zero-flag", "String", "fallback", "", "zero"),
]
LARGE = ("large-integer-flag", "Integer", 1, 2_147_483_647, "max-int32")
MISMATCHES = [
    ("string-flag", "Boolean", False),
    ("string-flag", "Integer", 1),
    ("string-flag", "Float", 0.1),
    ("wrong-flag", "Boolean", False),
    ("boolean-flag", "String", "fallback"),
    ("boolean-flag", "Integer", 1),
    ("boolean-flag", "Float", 0.1),
    ("integer-flag", "Boolean", False),
    ("integer-flag", "String", "fallback"),
    ("float-flag", "Boolean", False),
    ("float-flag", "String", "fallback"),
]
SCALARS = [("Boolean", False), ("String", "fallback"), ("Integer", 1), ("Float", 0.1)]


def well(flag: Flag) -> Any:
    """And the error-code should be "", and the error message should be empty."""
    details = flag.evaluate()
    assert (details.error_code, details.error_message) == (None, None)
    return details


@pytest.mark.parametrize(("key", "type_", "default", "value", "variant"), PLAIN)
def test_resolve_values_with_reason(given: Given, key: str, type_: str, default: Any, value: Any, variant: str) -> None:
    """evaluation.feature; and reason.feature, "A flag with no targeting rules resolves statically"."""
    details = well(given.flag(type_, key, default))
    assert (details.value, details.reason) == (value, "STATIC")


@pytest.mark.parametrize(("key", "type_", "default", "value", "variant"), FALSY)
def test_a_falsy_value_is_a_value_not_an_absence(
    given: Given, key: str, type_: str, default: Any, value: Any, variant: str
) -> None:
    """evaluation.feature."""
    details = well(given.flag(type_, key, default))
    assert (details.value, details.reason) == (value, "STATIC")


@pytest.mark.parametrize(("key", "type_", "default", "value", "variant"), [*PLAIN, *FALSY, LARGE])
def test_the_resolved_details_name_the_variant(
    given: Given, key: str, type_: str, default: Any, value: Any, variant: str
) -> None:
    """evaluation.feature, @variants."""
    assert well(given.flag(type_, key, default)).variant == variant


@pytest.mark.parametrize(("key", "value"), [("large-integer-flag", 2**31 - 1), ("huge-integer-flag", 2**53 - 1)])
def test_a_large_integer_resolves_without_loss_of_precision(given: Given, key: str, value: int) -> None:
    """evaluation.feature, that and "An integer beyond 32 bits ...", @large-integers."""
    details = well(given.flag("Integer", key, 1))
    assert (details.value, details.reason) == (value, "STATIC")


@pytest.mark.parametrize(
    ("key", "type_", "default", "value"), [("integer-flag", "Integer", 1, 10), ("float-flag", "Float", 0.1, 0.5)]
)
def test_an_integer_flag_resolves_as_an_integer(given: Given, key: str, type_: str, default: Any, value: Any) -> None:
    """evaluation.feature, that and "A float flag resolves as a float"."""
    resolved = well(given.flag(type_, key, default)).value
    assert (resolved, type(resolved)) == (value, type(value))


def test_resolve_a_structured_value(given: Given) -> None:
    """evaluation.feature, @object."""
    details = well(given.flag("Object", "object-flag", {}))
    assert details.reason == "STATIC"
    assert details.value == {"showImages": True, "title": "Check out these pics!", "imagesPerPage": 100}


def test_supplying_an_evaluation_context_does_not_disturb_an_untargeted_resolution(given: Given) -> None:
    """evaluation.feature."""
    assert well(given.flag("String", "string-flag", "bye").with_targeting_key(OTHER_UUID)).value == "hi"


@pytest.mark.parametrize(
    ("targeting_key", "value", "reason"),
    [(TARGETED_UUID, "hit", "TARGETING_MATCH"), (OTHER_UUID, "miss", "DEFAULT"), ("", "miss", "DEFAULT")],
)
def test_a_matching_evaluation_context_resolves_the_targeted_variant(
    given: Given, targeting_key: str, value: str, reason: str
) -> None:
    """evaluation.feature and reason.feature, @targeting: matching, not matching, none."""
    flag = given.flag("String", "targeting-key-flag", "fallback")
    details = well(flag.with_targeting_key(targeting_key) if targeting_key else flag)
    assert (details.value, details.reason) == (value, reason)


@pytest.mark.parametrize(("key", "requested", "default"), MISMATCHES)
def test_requesting_the_wrong_type_returns_the_code_default(
    given: Given, key: str, requested: str, default: Any
) -> None:
    """errors.feature; and reason.feature, "A type mismatch reports an error"."""
    details = given.flag(requested, key, default).evaluate()
    assert (details.value, details.reason, details.error_code) == (default, "ERROR", "TYPE_MISMATCH")


@pytest.mark.parametrize(("requested", "default"), SCALARS)
def test_requesting_a_structured_flag_as_a_scalar_returns_the_code_default(
    given: Given, requested: str, default: Any
) -> None:
    """errors.feature, @object."""
    details = given.flag(requested, "object-flag", default).evaluate()
    assert (details.value, details.reason, details.error_code) == (default, "ERROR", "TYPE_MISMATCH")


def test_a_float_flag_is_not_silently_narrowed_to_an_integer(given: Given) -> None:
    """errors.feature, @numeric-coercion."""
    details = given.flag("Integer", "float-flag", 1).evaluate()
    assert (details.value, details.reason, details.error_code) == (1, "ERROR", "TYPE_MISMATCH")


def test_an_unknown_flag_key_returns_the_code_default(given: Given) -> None:
    """errors.feature; and reason.feature, "An unknown flag reports an error"."""
    details = given.flag("String", "missing-flag", "fallback").evaluate()
    assert (details.value, details.reason, details.error_code) == ("fallback", "ERROR", "FLAG_NOT_FOUND")


def test_a_provider_that_successfully_initializes_becomes_ready(client: OpenFeatureClient) -> None:
    """lifecycle.feature."""
    heard = Heard()
    client.add_handler(ProviderEvent.PROVIDER_READY, heard.told)
    assert heard.next()
    assert client.get_provider_status() is ProviderStatus.READY


def test_a_configuration_change_is_signalled_and_applied(given: Given, channel: MemoryChannel) -> None:
    """events.feature, @configuration-change."""
    flag, heard = given.flag("String", "changing-flag", "unset"), Heard()
    given.client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard.told)
    remembered = flag.evaluate().value
    channel.put_record("changing-flag", Rule(value="bar"))
    assert heard.next().flags_changed == ["changing-flag"]
    assert flag.evaluate().value not in (remembered, "unset")


def test_a_provider_identifies_itself_by_name(client: OpenFeatureClient) -> None:
    """metadata.feature."""
    assert client.provider.get_metadata().name
