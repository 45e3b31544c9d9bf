"""The plan's format as editors and people get it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tenfold.fleet import FAULT_KINDS
from tenfold.plan.form import JsonSchema
from tenfold.plan.json_schema import plan_json_schema, plan_json_schema_text

ROOT = Path(__file__).parents[3]
PLANS = [ROOT / "plans/freshmart.yaml", ROOT / "tests/golden/plan/shop.yaml"]


def as_json(path: Path) -> Any:
    """A plan as an editor sees it: keys are text, as in JSON."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text())))


def keys_of(schema: JsonSchema) -> set[str]:
    """Every key that the schema names, at any depth."""
    properties = schema.get("properties", {})
    inner = [*properties.values(), *schema.get("oneOf", [])]
    inner += [schema[word] for word in ("items", "additionalProperties") if isinstance(schema.get(word), dict)]
    return set(properties).union(*(keys_of(part) for part in inner))


def test_the_schema_is_itself_valid() -> None:
    """Draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(plan_json_schema(FAULT_KINDS))


def test_the_exported_schema_is_up_to_date() -> None:
    """`python -m tools.plan_schema > docs/reference/plan.schema.json` makes it so."""
    assert (ROOT / "docs/reference/plan.schema.json").read_text() == plan_json_schema_text(FAULT_KINDS)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_a_plan_that_is_read_is_valid_by_the_schema_too(path: Path) -> None:
    """No editor underlines what Tenfold accepts."""
    jsonschema.validate(as_json(path), plan_json_schema(FAULT_KINDS), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        (("traffic", "timeout"), "10"),
        (("traffic", "timeout"), 10),
        (("peak", "daily_peak"), "300 s"),
        (("peak", "hours"), [1, 2]),
        (("servers", "main", "buckets"), ["media"]),
        (("servers", "main", "engine"), "redis"),
        (("services", "api", "comand"), "python"),
        (("steps", "factors"), [0]),
        (("journeys", "order", "answers"), {"600": "odd"}),
        (("schema",), 2),
    ],
)
def test_what_the_reader_refuses_by_form_the_schema_refuses(keys: tuple[str, ...], wrong: object) -> None:
    """An editor underlines it before anybody runs `tenfold check`."""
    plan = as_json(PLANS[1])
    parent = plan
    for key in keys[:-1]:
        parent = parent[key]
    parent[keys[-1]] = wrong
    assert not jsonschema.Draft202012Validator(plan_json_schema(FAULT_KINDS)).is_valid(plan)


def test_every_key_is_explained_in_the_reference() -> None:
    """A key that is not in docs/reference/plan.md does not exist for people."""
    reference = (ROOT / "docs/reference/plan.md").read_text()
    assert {key for key in keys_of(plan_json_schema(FAULT_KINDS)) if f"`{key}`" not in reference} == set()


def test_every_key_has_a_description() -> None:
    """Editors show it when the pointer rests on the key."""
    assert list(undescribed(plan_json_schema(FAULT_KINDS))) == []


def undescribed(schema: JsonSchema) -> list[str]:
    missing = [key for key, inner in schema.get("properties", {}).items() if "description" not in inner]
    for part in [*schema.get("properties", {}).values(), *schema.get("oneOf", [])]:
        missing += undescribed(part)
    return missing
