"""What may stand somewhere in a plan: said once, used to read it, to refuse it, and to tell editors about it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from tenfold.plan.node import Node, ScalarNode
from tenfold.plan.problem import Problems

T = TypeVar("T")

JsonSchema: TypeAlias = dict[str, Any]


class Form(ABC, Generic[T]):
    """What may stand somewhere. `may_stand` and `examples` are what a person is told who wrote something else."""

    may_stand: str
    examples: tuple[str, ...]

    @abstractmethod
    def read(self, node: Node, problems: Problems) -> T | None:
        """What `node` means; None when it, or a part of it, was refused, and then `problems` says why."""

    @abstractmethod
    def json_schema(self) -> JsonSchema:
        """The same rule for an editor (JSON Schema, draft 2020-12), as far as such a schema can say it."""


@dataclass(frozen=True, slots=True)
class ScalarForm(Form[T]):
    """A single value. `parse` answers what the text means, or None when it may not stand here."""

    may_stand: str
    parse: Callable[[str], T | None]
    schema: JsonSchema
    examples: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """The words there are, when they can be counted: the nearest is offered to who mistyped one."""

    def read(self, node: Node, problems: Problems) -> T | None:
        is_text = isinstance(node, ScalarNode) and node.text is not None
        value = self.parse(node.text) if is_text else None  # type: ignore[union-attr, arg-type]
        if value is None:
            problems.refuse(node, self.may_stand, self.examples, self.known)
        return value

    def json_schema(self) -> JsonSchema:
        return {**self.schema, **({"examples": list(self.examples)} if self.examples and not self.known else {})}


@dataclass(frozen=True, slots=True)
class Such(Form[T]):
    """What another form reads, if more holds of it: `bounds` is that rule for the editor, where it can be said."""

    form: Form[T]
    holds: Callable[[T], bool]
    may_stand: str
    examples: tuple[str, ...] = ()
    bounds: JsonSchema | None = None

    def read(self, node: Node, problems: Problems) -> T | None:
        value = self.form.read(node, problems)
        if value is None or self.holds(value):
            return value
        problems.refuse(node, self.may_stand, self.examples)
        return None

    def json_schema(self) -> JsonSchema:
        return {**self.form.json_schema(), **(self.bounds or {})}


def either(words: Iterable[str]) -> str:
    """`P0, P1 or P2`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
