"""What stands in a file, and where: the tree of a document, each node with its line and the keys that lead to it.

Everything is still text here. Forms (form.py) say what the text means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys from the document's top to a node: `("steps", "factors", 2)`; an item of a list counts from 0."""

QUOTED_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Location:
    """Where a node stands. Lines and columns count from 1; line 0 is the file as a whole."""

    line: int
    column: int
    key_path: KeyPath = ()


THE_FILE = Location(0, 0)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One value as it is written, its quotes taken off; None where nothing, `~` or `null` stands."""

    place: Location
    text: str | None


@dataclass(frozen=True, slots=True)
class SequenceNode:
    place: Location
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in the order of the file; no key stands twice."""

    place: Location
    entries: tuple[tuple[ScalarNode, "Node"], ...]

    def value(self, key: str) -> "Node | None":
        return next((value for known, value in self.entries if known.text == key), None)


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def select(node: Node | None, *pattern: str) -> Iterator[Node]:
    """Every node that the keys of `pattern` lead to from `node`; `*` is any key or any item."""
    if node is None:
        return
    if not pattern:
        yield node
        return
    for child in _children(node, pattern[0]):
        yield from select(child, *pattern[1:])


def select_texts(node: Node | None, *pattern: str) -> Iterator[tuple[ScalarNode, str]]:
    """As `select`, but only the nodes that hold text, each with it."""
    for found in select(node, *pattern):
        if isinstance(found, ScalarNode) and found.text is not None:
            yield found, found.text


def keys_of(node: Node | None, *pattern: str) -> list[tuple[ScalarNode, str]]:
    """The keys of every mapping that `pattern` leads to, each with its text."""
    mappings = (found for found in select(node, *pattern) if isinstance(found, MappingNode))
    return [(key, key.text) for mapping in mappings for key, _ in mapping.entries if key.text is not None]


def _children(node: Node, key: str) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        yield from (value for known, value in node.entries if key in ("*", known.text))
    elif isinstance(node, SequenceNode) and key == "*":
        yield from node.items


def written(node: Node) -> str:
    """What stands there, for a person: `'100'`, `[3, 2, 1]`, `nothing`."""
    match node:
        case ScalarNode(text=None):
            return "nothing"
        case ScalarNode(text=str(text)):
            return quoted(text)
        case SequenceNode(items=items) if items and all(isinstance(item, ScalarNode) for item in items):
            return "[" + shortened(", ".join(written(item).strip("'") for item in items[:QUOTED_CHARACTERS_MAX])) + "]"
        case SequenceNode():
            return "a list"
        case _:
            return "a mapping of keys"


def quoted(text: str) -> str:
    """`text` in quotes, short enough for a line, with nothing in it that a terminal would obey."""
    return f"'{printable(shortened(text))}'"


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str) -> str:
    return text if len(text) <= QUOTED_CHARACTERS_MAX else text[: QUOTED_CHARACTERS_MAX - 1] + "…"
