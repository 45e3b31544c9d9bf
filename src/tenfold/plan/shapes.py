"""How values stand together in a plan: lists, mappings of names, records of known keys, and records by kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tenfold.plan.form import Form, JsonSchema, ScalarForm, either
from tenfold.plan.node import Location, MappingNode, Node, ScalarNode, SequenceNode, quoted
from tenfold.plan.problem import NOTHING, Problems, nearest

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class ListOf(Form[tuple[T, ...]]):
    """Any number of one form, from `least` to `most` of them."""

    item: Form[T]
    least: int = 0
    most: int = 200
    may_stand: str = "a list"
    examples: tuple[str, ...] = ()

    def read(self, node: Node, problems: Problems) -> tuple[T, ...] | None:
        if not isinstance(node, SequenceNode) or not self.least <= len(node.items) <= self.most:
            problems.refuse(node, self.may_stand, self.examples)
            return None
        values = [self.item.read(item, problems) for item in node.items]
        present = tuple(value for value in values if value is not None)
        return present if len(present) == len(values) else None

    def json_schema(self) -> JsonSchema:
        return {"type": "array", "items": self.item.json_schema(), "minItems": self.least, "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class MappingOf(Form[dict[K, T]]):
    """Things by their names, in the order of the file."""

    key: ScalarForm[K]
    value: Form[T]
    least: int = 0
    may_stand: str = "a mapping of keys"
    examples: tuple[str, ...] = ()

    def read(self, node: Node, problems: Problems) -> dict[K, T] | None:
        if not isinstance(node, MappingNode) or len(node.entries) < self.least:
            problems.refuse(node, self.may_stand, self.examples)
            return None
        pairs = [(self.key.read(key, problems), self.value.read(value, problems)) for key, value in node.entries]
        present = {key: value for key, value in pairs if key is not None and value is not None}
        return present if len(present) == len(pairs) else None

    def json_schema(self) -> JsonSchema:
        names = {**self.key.json_schema(), "type": "string"}
        values = self.value.json_schema()
        return {"type": "object", "propertyNames": names, "additionalProperties": values, "minProperties": self.least}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a record. `default` is what a missing key means, as it would be written; None when it must stand."""

    key: str
    form: Form[Any]
    says: str
    into: str = ""
    """The argument that takes the value; the key itself unless said otherwise."""
    is_required: bool = True
    default: Any = None

    @property
    def argument(self) -> str:
        return self.into or self.key

    def json_schema(self) -> JsonSchema:
        default = {} if self.default is None else {"default": self.default}
        return {"description": self.says, **self.form.json_schema(), **default}


def required(key: str, form: Form[Any], says: str, *, into: str = "") -> Field:
    return Field(key=key, form=form, says=says, into=into)


def optional(key: str, form: Form[Any], says: str, *, into: str = "", default: Any = None) -> Field:
    """A key that may be missing; what is made of the record then takes its own default."""
    return Field(key=key, form=form, says=says, into=into, is_required=False, default=default)


@dataclass(frozen=True, slots=True)
class RecordOf(Form[T]):
    """Known keys, of which `make` makes one thing."""

    make: Callable[..., T]
    fields: tuple[Field, ...]
    may_stand: str = "a mapping of keys"

    @property
    def examples(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(field.key for field in self.fields)

    def read(self, node: Node, problems: Problems) -> T | None:
        if not isinstance(node, MappingNode):
            problems.refuse(node, self.may_stand, self.examples)
            return None
        read = [self._read_entry(key, value, problems) for key, value in node.entries]
        arguments = dict(entry for entry in read if entry is not None)
        is_whole = self._has_all(node, problems) and len(arguments) == len(read)
        return self.make(**arguments) if is_whole else None

    def _has_all(self, node: MappingNode, problems: Problems) -> bool:
        missing = [field for field in self.fields if field.is_required and node.value(field.key) is None]
        mistyped = [self._meant_by(key.text or "") for key, _ in node.entries]
        for field in missing:
            if field.key not in mistyped:  # one mistake, one complaint
                place = Location(node.place.line, node.place.column, (*node.place.key_path, field.key))
                problems.add(place, NOTHING, field.form.may_stand, field.form.examples)
        return not missing

    def _meant_by(self, key: str) -> str:
        return "" if key in self.examples else nearest(key, self.examples)

    def _read_entry(self, key: ScalarNode, value: Node, problems: Problems) -> tuple[str, Any] | None:
        field = next((field for field in self.fields if field.key == key.text), None)
        if field is None:
            name = key.text or ""
            stands = f"the unknown key {quoted(name)}"
            problems.add(key.place, stands, either(self.examples), hint=self._meant_by(name))
            return None
        read = field.form.read(value, problems)
        return None if read is None else (field.argument, read)

    def json_schema(self) -> JsonSchema:
        return {
            "type": "object",
            "properties": {field.key: field.json_schema() for field in self.fields},
            "required": [field.key for field in self.fields if field.is_required],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Variant(Form[T]):
    """Records of several kinds; the key `tag` says which one stands here, and each kind has keys of its own."""

    tag: str
    word: ScalarForm[Any]
    kinds: Mapping[Any, RecordOf[T]]
    may_stand: str = "a mapping of keys"
    examples: tuple[str, ...] = ()

    def read(self, node: Node, problems: Problems) -> T | None:
        if not isinstance(node, MappingNode):
            problems.refuse(node, self.may_stand, (self.tag,))
            return None
        said = node.value(self.tag)
        if said is None:
            place = Location(node.place.line, node.place.column, (*node.place.key_path, self.tag))
            problems.add(place, NOTHING, self.word.may_stand)
            return None
        kind = self.word.read(said, problems)
        return None if kind is None else self.kinds[kind].read(node, problems)

    def json_schema(self) -> JsonSchema:
        schemas = {kind: record.json_schema() for kind, record in self.kinds.items()}
        for kind, schema in schemas.items():
            schema["properties"][self.tag] = {**schema["properties"][self.tag], "enum": [str(kind)]}
        return {"type": "object", "required": [self.tag], "oneOf": list(schemas.values())}
