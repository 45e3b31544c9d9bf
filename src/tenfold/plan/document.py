"""A YAML text as a tree of nodes that know where they stand (node.py).

Read for its text alone: no tag makes an object, no plain word becomes a number or a truth value behind its writer's
back. Aliases are allowed and bounded, so that neither a cycle nor a billion laughs gets through.
"""

from collections.abc import Iterator

import yaml

from tenfold.plan.node import KeyPath, Location, MappingNode, Node, ScalarNode, SequenceNode, quoted
from tenfold.plan.problem import NOTHING, Problems

DEPTH_MAX = 12
NODES_MAX = 10_000

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
)
_NULL_TAG = "tag:yaml.org,2002:null"


def read_document(text: str, problems: Problems) -> Node | None:
    """The tree of the one document in `text`; None, and a problem, when it is no YAML."""
    loader = _BoundedLoader(text) if _is_readable(text, problems) else None
    if loader is None:
        return None
    try:
        root = loader.get_single_node()
        if root is not None:
            return _Grower(problems).grow(root, _place(root.start_mark))
        problems.add(Location(1, 1), NOTHING, "a plan")
    except yaml.MarkedYAMLError as error:
        _refuse_yaml(_place(error.problem_mark or loader.get_mark()), _why(error), problems)
    except _TooMuch as error:
        may_stand = f"a plan of {DEPTH_MAX} levels and {NODES_MAX} values at most, aliases written out,"
        problems.add(_place(error.mark), "more than a plan holds", may_stand)
    except (ValueError, OverflowError):  # PyYAML hands the escape to chr() as it is
        _refuse_yaml(_place(loader.get_mark()), "an escape of no character, such as '\\UFFFFFFFF'", problems)
    finally:
        loader.dispose()
    return None


def _is_readable(text: str, problems: Problems) -> bool:
    """YAML allows no control characters; PyYAML says so before it counts lines."""
    try:
        yaml.reader.Reader(text)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Location(before.count("\n") + 1, len(before) - before.rfind("\n"))
        problems.add(place, f"the character {quoted(text[error.position])}", "printable text")
        return False
    return True


def _why(error: yaml.MarkedYAMLError) -> str:
    began, noticed = error.context_mark, error.problem_mark
    where = f", in what begins in line {began.line + 1}" if began and noticed and began.line < noticed.line else ""
    return f"{error.problem}{where}"


def _refuse_yaml(place: Location, why: str, problems: Problems) -> None:
    problems.add(place, f"what is no YAML ({why})", "YAML, indented by spaces, with ${…} quoted inside braces,")


def _place(mark: yaml.Mark, key_path: KeyPath = ()) -> Location:
    return Location(mark.line + 1, mark.column + 1, key_path)


class _TooMuch(Exception):
    """A document deeper or larger than any plan: perhaps aliases that grow without end."""

    def __init__(self, mark: yaml.Mark) -> None:
        super().__init__()
        self.mark = mark


class _BoundedLoader(yaml.SafeLoader):
    """PyYAML's own, which composes by recursion, kept from going too deep and on for too long."""

    _depth = 0
    _nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        if self._depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise _TooMuch(self.get_mark())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Grower:
    """Grows our tree from PyYAML's, whose aliases make it a graph: hence the two bounds."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._left = NODES_MAX

    def grow(self, node: yaml.Node, place: Location) -> Node:
        self._left -= 1
        if self._left < 0 or len(place.key_path) > DEPTH_MAX:
            raise _TooMuch(node.start_mark)
        if node.tag not in _PLAIN_TAGS:
            self._problems.add(place, f"the tag {quoted(node.tag)}", "a value without a tag")
        if isinstance(node, yaml.MappingNode):
            return MappingNode(place, tuple(self._entries(node, place)))
        if isinstance(node, yaml.SequenceNode):
            return SequenceNode(place, tuple(self._items(node, place)))
        return self._scalar(node, place)

    def _items(self, node: yaml.SequenceNode, place: Location) -> Iterator[Node]:
        for index, item in enumerate(node.value):
            yield self.grow(item, _place(item.start_mark, (*place.key_path, index)))

    def _entries(self, node: yaml.MappingNode, place: Location) -> Iterator[tuple[ScalarNode, Node]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, place)
            if key is None or key.text is None:
                continue
            if key.text in seen:
                stands = f"a second {quoted(key.text)} after the one in line {seen[key.text]}"
                self._problems.add(key.place, stands, "each key only once")
                continue
            seen[key.text] = key.place.line
            yield key, self.grow(value_node, self._value_place(value_node, key))

    def _key(self, node: yaml.Node, place: Location) -> ScalarNode | None:
        if isinstance(node, yaml.ScalarNode) and node.value:
            return self._scalar(node, _place(node.start_mark, (*place.key_path, node.value)), is_key=True)
        self._problems.add(_place(node.start_mark, place.key_path), "a key that is no word", "a word and a colon")
        return None

    def _value_place(self, node: yaml.Node, key: ScalarNode) -> Location:
        """A value stands where it begins; a block, or nothing, where its key does, for that is where people look."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            return _place(node.start_mark, key.place.key_path)
        return key.place

    def _scalar(self, node: yaml.Node, place: Location, *, is_key: bool = False) -> ScalarNode:
        text = str(node.value)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._problems.add(place, quoted(text), "text without halves of characters")
        return ScalarNode(place, None if node.tag == _NULL_TAG and not is_key else text)
