"""The plan's format for editors: `make docs` exports it to docs/reference/plan.schema.json.

An editor sees keys, forms and descriptions; that names refer to something is seen by `tenfold check` alone.
"""

import json
from collections.abc import Sequence

from tenfold.plan.form import JsonSchema
from tenfold.plan.model import FaultKind
from tenfold.plan.schema import SCHEMA_VERSION, plan_form


def plan_json_schema(kinds: Sequence[FaultKind]) -> JsonSchema:
    """JSON Schema, draft 2020-12, of a plan file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tenfold:plan:{SCHEMA_VERSION}",
        "title": "Tenfold peak plan",
        "description": "What a system is, what its day looks like, how its peak is rehearsed, what must hold.",
        **plan_form(kinds).json_schema(),
    }


def plan_json_schema_text(kinds: Sequence[FaultKind]) -> str:
    return json.dumps(plan_json_schema(kinds), indent=2, ensure_ascii=False) + "\n"
