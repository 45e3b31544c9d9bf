"""The four walks of the architecture page: the files that they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/explanation/architecture.md"
HEADING = re.compile(
    r"^### (?P<name>[^\n:]+): (?P<count>\d+) files\n\n```\n(?P<drawing>.*?)```", re.MULTILINE | re.DOTALL
)
LINE = re.compile(r"^ ?(?P<number>\d+) (?P<file>\S+) +(?P<says>\S.*)$")
ROW = re.compile(r"^\| (?P<name>an? [\w ]+) \| \d+ \| \d+ \| (?P<count>\d+) \|$", re.MULTILINE)
NAMES = {"An order", "A price that misses near", "A switch", "A drill"}

WALKS = {walk["name"]: walk for walk in HEADING.finditer(PAGE.read_text())}


def lines_of(name: str) -> list[re.Match[str] | None]:
    return [LINE.match(line) for line in WALKS[name]["drawing"].splitlines()]


def test_the_four_walks_are_drawn() -> None:
    assert set(WALKS) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_file_of_a_walk_is_there_and_stands_in_it_once(name: str) -> None:
    files = [line["file"] for line in lines_of(name) if line is not None]
    assert [file for file in files if not (ROOT / "src" / file).is_file()] == []
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_walk_has_as_many_files_as_its_heading_says(name: str) -> None:
    """Every line of the drawing is one, in order, and says what happens there."""
    numbers = [line and int(line["number"]) for line in lines_of(name)]
    assert numbers == list(range(1, int(WALKS[name]["count"]) + 1))


def test_the_table_of_walks_says_what_the_headings_say() -> None:
    told = {row["name"].capitalize(): row["count"] for row in ROW.finditer(PAGE.read_text())}
    assert told == {name: walk["count"] for name, walk in WALKS.items()}
