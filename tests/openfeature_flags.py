"""The flags of the OpenFeature specification as switches, and the steps of its scenarios.

Restated from `test-flags.json` (open-feature/spec, specification/assets/gherkin) and `canonical-flags.json`
(specification/assets/provider-tck): nothing of them is copied into this repository, and no wheel ships them. A rule of
a flag is a rule of its switch; one that compares by anything but equality cannot be, see `complex-targeted`.
"""

import queue
from typing import Any

from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails

from tenfold.protect.live.switches import Rule

DEADLINE_S = 15.0
PICTURES = {"showImages": True, "title": "Check out these pics!", "imagesPerPage": 100}
BALLMER = "ballmer@macrosoft.com"
TARGETED_UUID = "5c3d8535-f81a-4478-a6d3-afaa4d51199e"
METADATA = {"string": "1.0.2", "integer": 2, "boolean": True, "float": 0.1}
GET = {"Boolean": "boolean", "String": "string", "Integer": "integer", "Float": "float", "Object": "object"}

FLAGS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("boolean-flag", "boolean", "on", {"on": True, "off": False}),
    ("string-flag", "text", "greeting", {"greeting": "hi", "parting": "bye"}),
    ("integer-flag", "integer", "ten", {"one": 1, "ten": 10}),
    ("float-flag", "number", "half", {"tenth": 0.1, "half": 0.5}),
    ("object-flag", "json", "template", {"empty": {}, "template": PICTURES}),
    ("wrong-flag", "text", "one", {"one": "uno", "two": "dos"}),
    ("context-aware", "text", "external", {"internal": "INTERNAL", "external": "EXTERNAL"}),
    ("complex-targeted", "text", "external", {"internal": "INTERNAL", "external": "EXTERNAL"}),
    ("metadata-flag", "boolean", "on", {"on": True, "off": False}),
    ("large-integer-flag", "integer", "max-int32", {"max-int32": 2**31 - 1}),
    ("huge-integer-flag", "integer", "max-safe", {"max-safe": 2**53 - 1}),
    ("targeting-key-flag", "text", "miss", {"hit": "hit", "miss": "miss"}),
    ("changing-flag", "text", "foo", {"foo": "foo", "bar": "bar"}),
]
"""Name, kind, the variant that is its default, and all of them."""
ZERO: list[tuple[str, str, Any, Any]] = [
    ("boolean", "boolean", False, True),
    ("string", "text", "", "str"),
    ("integer", "integer", 0, 1),
    ("float", "number", 0.0, 1.0),
    ("object", "json", {}, PICTURES),
]
RULES: dict[str, Rule] = {
    "context-aware": Rule(value="INTERNAL", where={"customer": False}),
    # also `age > 10`, which a rule cannot say: it compares for equality
    "complex-targeted": Rule(value="INTERNAL", where={"customer": False, "email": BALLMER}),
    "targeting-key-flag": Rule(value="hit", where={"targetingKey": TARGETED_UUID}),
    **{f"{word}-targeted-zero-flag": Rule(value=zero, where={"email": BALLMER}) for word, _, zero, _ in ZERO},
}


class Flag:
    """Given a TYPE-flag with key KEY and a default value DEFAULT."""

    def __init__(self, client: OpenFeatureClient, type_: str, key: str, default: Any) -> None:
        self._client, self._get, self.key, self._default = client, GET[type_], key, default
        self._context: dict[str, Any] = {}
        self._targeting_key: str | None = None

    def with_context(self, **attributes: Any) -> "Flag":
        """And a context containing a key, with type and with value."""
        self._context |= attributes
        return self

    def with_targeting_key(self, key: str) -> "Flag":
        """And a context containing a targeting key with value."""
        self._targeting_key = key
        return self

    def evaluate(self, **options: Any) -> Any:
        """When the flag was evaluated with details."""
        return getattr(self._client, f"get_{self._get}_details")(self.key, self._default, self.context, **options)

    async def evaluate_later(self) -> Any:
        """When the flag was evaluated with details asynchronously."""
        return await getattr(self._client, f"get_{self._get}_details_async")(self.key, self._default, self.context)

    @property
    def value(self) -> Any:
        """When the flag is evaluated with default value: without details."""
        return getattr(self._client, f"get_{self._get}_value")(self.key, self._default, self.context)

    @property
    def context(self) -> EvaluationContext:
        return EvaluationContext(self._targeting_key, self._context)


class Given:
    """What scenarios begin with."""

    def __init__(self, client: OpenFeatureClient) -> None:
        self.client = client

    def flag(self, type_: str, key: str, default: Any) -> Flag:
        return Flag(self.client, type_, key, default)


class Heard:
    """A handler of events. The SDK calls it in a thread of its own."""

    def __init__(self) -> None:
        self._events: queue.Queue[EventDetails] = queue.Queue()
        self.told = self._events.put

    def next(self) -> EventDetails:
        """Raises queue.Empty when nothing came by the deadline."""
        return self._events.get(timeout=DEADLINE_S)
