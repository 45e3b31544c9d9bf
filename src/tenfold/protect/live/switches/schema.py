"""What a value may be: a small part of JSON Schema (draft 2020-12), so that a bad value is refused before it is set.

Known: type (one name or several), enum, minimum, maximum, minLength, maxLength, minItems, maxItems, items, properties,
required, additionalProperties (true or false), and the annotations title and description. Anything else is refused
where it is declared, so that nobody believes in a keyword that nobody looks at. Whatever the schema says, a number is
one that every JSON reader holds (RFC 8259, section 6), and a value is nested to a bound.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from tenfold.kernel import TenfoldError

Schema = Mapping[str, Any]

DEPTH_MAX = 16
VALUE_DEPTH_MAX = 32
INTEGER_MAX = (1 << 53) - 1
"""Beyond this, readers that hold numbers as doubles read another one than was written."""


class SchemaInvalid(TenfoldError):
    """A schema says what this part of JSON Schema does not know."""


def check_schema(schema: object, *, where: str = "", depth: int = 0) -> None:
    """Raises SchemaInvalid, naming the place by its JSON pointer."""
    place = where or "the schema"
    if not isinstance(schema, dict) or depth > DEPTH_MAX:
        raise SchemaInvalid(f"At {place}: a schema is an object, at most {DEPTH_MAX} deep; no value can be checked.")
    for keyword, said in schema.items():
        sound = _SOUND.get(keyword)
        if sound is None:
            raise SchemaInvalid(
                f"At {place}: '{keyword}' is not known here; no value can be checked.",
                remedy=f"Known are {', '.join(_SOUND)}.",
            )
        if not sound(said):
            raise SchemaInvalid(f"At {place}: {said!r} may not stand behind '{keyword}'; no value can be checked.")
    for name, inner in schema.get("properties", {}).items():
        check_schema(inner, where=f"{where}/{name}", depth=depth + 1)
    if "items" in schema:
        check_schema(schema["items"], where=f"{where}/*", depth=depth + 1)


def problem_with(value: object, schema: Schema, *, where: str = "", depth: int = 0) -> str:
    """Why `value` may not be, for a person, with its place; nothing when it may. `schema` was checked."""
    place = f" at {where}" if where else ""
    if depth > VALUE_DEPTH_MAX:
        return f"it is nested more than {VALUE_DEPTH_MAX} deep"
    if "type" in schema and not _is_one_of(value, schema["type"]):
        return f"{_shown(value)}{place} is no {_or(schema['type'])}"
    if "enum" in schema and not any(_same(value, choice) for choice in schema["enum"]):
        return f"{_shown(value)}{place} is none of {', '.join(map(_shown, schema['enum']))}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _unheld(value, place) or _number_problem(value, schema, place)
    if isinstance(value, str):
        return _length_problem(value, schema, "Length", "characters", place)
    if isinstance(value, list):
        return _length_problem(value, schema, "Items", "items", place) or _items_problem(value, schema, where, depth)
    return _object_problem(value, schema, where, place, depth) if isinstance(value, dict) else ""


def _unheld(value: float, place: str) -> str:
    """Why not every JSON reader holds this number. An integer is not asked whether it is finite: that takes a float."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value}{place} is not finite"
    if abs(value) <= INTEGER_MAX:
        return ""
    return f"{_shown(value)}{place} is beyond {INTEGER_MAX}, the largest integer that every JSON reader holds"


def _number_problem(value: float, schema: Schema, place: str) -> str:
    if "minimum" in schema and value < schema["minimum"]:
        return f"{value}{place} is less than {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"{value}{place} is more than {schema['maximum']}"
    return ""


def _length_problem(value: "str | list[Any]", schema: Schema, noun: str, unit: str, place: str) -> str:
    if len(value) < schema.get(f"min{noun}", 0):
        return f"{_shown(value)}{place} has fewer than {schema[f'min{noun}']} {unit}"
    if len(value) > schema.get(f"max{noun}", len(value)):
        return f"{_shown(value)}{place} has more than {schema[f'max{noun}']} {unit}"
    return ""


def _items_problem(value: "list[Any]", schema: Schema, where: str, depth: int) -> str:
    inner, depth = schema.get("items", {}), depth + 1
    problems = (problem_with(item, inner, where=f"{where}/{number}", depth=depth) for number, item in enumerate(value))
    return next((problem for problem in problems if problem), "")


def _object_problem(value: "dict[Any, Any]", schema: Schema, where: str, place: str, depth: int) -> str:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"'{missing[0]}' is missing{place}"
    properties = schema.get("properties", {})
    unknown = [name for name in value if name not in properties]
    if unknown and schema.get("additionalProperties") is False:
        return f"'{unknown[0]}' is not known{place}"
    problems = (
        problem_with(inner, properties.get(name, {}), where=f"{where}/{name}", depth=depth + 1)
        for name, inner in value.items()
    )
    return next((problem for problem in problems if problem), "")


def _is_one_of(value: object, types: "str | list[str]") -> bool:
    names = [types] if isinstance(types, str) else types
    return any(_IS[name](value) for name in names)


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1 is 1.0, but never true."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _or(types: "str | list[str]") -> str:
    return types if isinstance(types, str) else " or ".join(types)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_IS: Mapping[str, Callable[[object], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _is_count(said: object) -> bool:
    return isinstance(said, int) and not isinstance(said, bool) and said >= 0


def _are_names(said: object) -> bool:
    return isinstance(said, (list, tuple)) and all(isinstance(name, str) for name in said)


def _are_types(said: object) -> bool:
    return said in list(_IS) or (_are_names(said) and bool(said) and all(name in _IS for name in said))  # type: ignore[attr-defined]


_SOUND: Mapping[str, Callable[[object], bool]] = {
    "type": _are_types,
    "enum": lambda said: isinstance(said, (list, tuple)) and bool(said),
    "minimum": _is_number,
    "maximum": _is_number,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minItems": _is_count,
    "maxItems": _is_count,
    "items": lambda said: isinstance(said, dict),
    "properties": lambda said: isinstance(said, dict),
    "required": _are_names,
    "additionalProperties": lambda said: isinstance(said, bool),
    "title": lambda said: isinstance(said, str),
    "description": lambda said: isinstance(said, str),
}
"""What may stand behind each keyword."""
