"""One public name means one thing: who greps for a class finds one."""

import ast
from collections import defaultdict
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
EXCEPTIONS: dict[str, str] = {}
"""Names that two classes may bear, each with the reason; at most EXCEPTIONS_MAX."""
EXCEPTIONS_MAX = 5


def classes_of(file: Path) -> list[str]:
    """The public classes of a module; a class within a class or a function is known by what it stands in."""
    module = ast.parse(file.read_text())
    return [node.name for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def test_no_two_public_classes_share_a_name() -> None:
    bearers = defaultdict(list)
    for file in sorted(SRC.rglob("*.py")):
        for name in classes_of(file):
            bearers[name].append(str(file.relative_to(SRC)))
    assert len(bearers) > 500, "the sources were not found"
    assert {name: files for name, files in bearers.items() if len(files) > 1 and name not in EXCEPTIONS} == {}


def test_the_exceptions_are_few_and_each_has_its_reason() -> None:
    assert len(EXCEPTIONS) <= EXCEPTIONS_MAX
    assert all(EXCEPTIONS.values())
