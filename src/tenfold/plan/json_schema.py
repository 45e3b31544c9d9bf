"""The plan's format for editors: `python -m tenfold.plan > docs/reference/plan.schema.json` exports it.

An editor sees keys, forms and descriptions; that names refer to something is seen by `tenfold check` alone.
"""

import json

from tenfold.plan.form import JsonSchema
from tenfold.plan.schema import PLAN, SCHEMA_VERSION


def plan_json_schema() -> JsonSchema:
    """JSON Schema, draft 2020-12, of a plan file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tenfold:plan:{SCHEMA_VERSION}",
        "title": "Tenfold peak plan",
        "description": "What a system is, what its day looks like, how its peak is rehearsed, what must hold.",
        **PLAN.json_schema(),
    }


def plan_json_schema_text() -> str:
    return json.dumps(plan_json_schema(), indent=2, ensure_ascii=False) + "\n"
