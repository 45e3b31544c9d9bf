"""The context scenarios of the OpenFeature specification: what reaches a provider decides what it answers.

open-feature/spec, specification/assets/gherkin; nothing of it is copied, its scenarios are restated by their names.

file                        at commit  here
contextMerging.feature      2e95b3c7   all 7 scenarios
evaluation_context.feature  ef9cb7c0   all 12 scenarios

The merging is the SDK's. Here it is seen from behind: "The merged context contains an entry" is that a rule on that
entry applies, by value and by type.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext, clear_evaluation_context, set_evaluation_context
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.transaction_context import (
    ContextVarsTransactionContextPropagator,
    clear_transaction_context_propagator,
    set_transaction_context,
    set_transaction_context_propagator,
)
from tests.channel_in_memory import MemoryChannel

from tenfold.protect.live.switches import Rule, Switches

LEVELS = ("API", "Transaction", "Client", "Invocation", "Before Hooks")
TRANSACTION, HOOKS = LEVELS[:4], ("API", "Client", "Invocation", "Before Hooks")
BOTH = LEVELS


class Before(Hook):
    """Adds to the context."""

    def __init__(self, added: EvaluationContext) -> None:
        self._added = added

    def before(self, hook_context: HookContext, hints: HookHints) -> EvaluationContext:
        return self._added


class Levels:
    """Contexts by level, and what a provider makes of them together."""

    def __init__(self, client: OpenFeatureClient, channel: MemoryChannel) -> None:
        self._client, self._channel = client, channel
        self._attributes: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
        self.targeting_key: str | None = None

    def add(self, level: str, key: str, value: Any) -> None:
        """Given A context entry with key and value is added to the level."""
        self._attributes[level][key] = value

    def contains(self, **entries: Any) -> bool:
        """When Some flag was evaluated: whether the merged context contains these entries."""
        return self.applies(Rule(value="seen", where=entries))

    def applies(self, rule: Rule) -> bool:
        self._channel.put_record("some-flag", rule)
        contexts = {level: EvaluationContext(attributes=said) for level, said in self._attributes.items()}
        set_evaluation_context(contexts["API"])
        set_transaction_context(contexts["Transaction"])
        self._client.context = contexts["Client"]
        self._client.hooks = [Before(contexts["Before Hooks"])] if self._attributes["Before Hooks"] else []
        invocation = EvaluationContext(self.targeting_key, self._attributes["Invocation"])
        return self._client.get_string_value("some-flag", "failed", invocation) == "seen"


@pytest.fixture
def levels(client: OpenFeatureClient, switches: Switches, channel: MemoryChannel) -> Iterator[Levels]:
    """Given a stable provider with retrievable context is registered."""
    switches.text("some-flag", default="not seen")
    set_transaction_context_propagator(ContextVarsTransactionContextPropagator())
    yield Levels(client, channel)
    clear_transaction_context_propagator()
    clear_evaluation_context()
    api.clear_providers()


@pytest.mark.parametrize("level", LEVELS)
def test_a_context_entry_is_added_to_a_single_level(levels: Levels, level: str) -> None:
    """Both files, under that name: its three tables of examples hold these five levels."""
    assert not levels.contains(key="value")
    levels.add(level, "key", "value")
    assert levels.contains(key="value")


@pytest.mark.parametrize("added", [TRANSACTION, HOOKS, BOTH], ids=["@transaction", "@hooks", "@hooks @transaction"])
def test_a_context_entry_is_added_to_each_level_with_different_keys(levels: Levels, added: Sequence[str]) -> None:
    """Both files: three scenarios of that name, or "For a transaction, ...", "For a hook, ...", "For both, ..."."""
    for level in added:
        levels.add(level, level, f"{level} value")
    assert levels.contains(**{level: f"{level} value" for level in added})


@pytest.mark.parametrize(
    ("order", "level"),
    [(order, level) for order in (TRANSACTION, HOOKS, BOTH) for level in order],
    ids=lambda said: said if isinstance(said, str) else str(len(said)),
)
def test_a_context_entry_in_one_level_overwrites_values_with_the_same_key_from_preceding_levels(
    levels: Levels, order: Sequence[str], level: str
) -> None:
    """Both files: three scenarios of that name, every row."""
    for one in order[: order.index(level) + 1]:
        levels.add(one, "key", one)
    assert levels.contains(key=level)


def test_evaluation_context_targeting_key_field(levels: Levels) -> None:
    """evaluation_context.feature: it is the subject that a percentage counts, and an attribute for a rule."""
    levels.targeting_key = "user-123"
    assert levels.contains(targetingKey="user-123")
    assert levels.applies(Rule(value="seen", percent=100))


def test_evaluation_context_without_targeting_key(levels: Levels) -> None:
    """evaluation_context.feature: no percentage counts nobody, and nothing fails."""
    assert not levels.applies(Rule(value="seen", percent=100))
    assert levels.applies(Rule(value="seen"))


def exactly(value: Any) -> Callable[[Levels, str], bool]:
    return lambda levels, key: levels.contains(**{key: value})


@pytest.mark.parametrize(
    ("key", "value", "of_another_type"),
    [("user_active", True, 1), ("user_email", "user@example.com", True), ("user_age", 25, "25")],
)
def test_evaluation_context_custom_field_types(levels: Levels, key: str, value: Any, of_another_type: Any) -> None:
    """evaluation_context.feature: boolean, string, integer, each as its type and as no other."""
    levels.add("Invocation", key, value)
    assert exactly(value)(levels, key)
    assert not exactly(of_another_type)(levels, key)


def test_evaluation_context_field_access_methods(levels: Levels) -> None:
    """evaluation_context.feature."""
    said = {"user_name": "John Doe", "user_age": 30, "is_premium": True}
    for key, value in said.items():
        levels.add("Invocation", key, value)
    assert levels.contains(**said)


def test_evaluation_context_field_key_uniqueness(levels: Levels) -> None:
    """evaluation_context.feature."""
    levels.add("Client", "user_id", "123")
    levels.add("Invocation", "user_id", "456")
    assert levels.contains(user_id="456")
    assert not levels.contains(user_id="123")
