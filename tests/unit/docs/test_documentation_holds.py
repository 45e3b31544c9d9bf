"""What the documentation names is there."""

import argparse
import importlib
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from tests.page_examples import PAGES as WITH_EXAMPLES

from tenfold.commands.switch import add_switch_commands

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED_FILE = re.compile(r"`((?:src|tests|docs|plans|benchmarks|tools)/[\w./-]+\.\w+)`")
ROOM_FILE = re.compile(
    r"`((?:rehearse|plan|fleet|protect|channel|engines|commands|serving|respond|telemetry|stream|console|kernel)/[\w./-]+\.\w+)`"
)
MADE_BY_A_RUN = "benchmarks/results/"
FENCED = re.compile(r"```.*?```", re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ANCHOR = re.compile(r"\]\(([^)#\s]*)#([^)]+)\)")
SWITCH_COMMAND = re.compile(r"^tenfold (switch .*)$", re.MULTILINE)
ROOM = re.compile(r"^\| `((?:protect|channel|engines)[\w.]*)` \| ([^|]*) \| ([^|]*)\|", re.MULTILINE)
METRIC = re.compile(r"\.(?:counter|gauge|timer)\(\s*\"(\w+)\"")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    links = [page.parent / link for link in LINK.findall(text) if "://" not in link]
    files = [ROOT / name for name in NAMED_FILE.findall(text) if not name.startswith(MADE_BY_A_RUN)]
    rooms = [ROOT / "src/tenfold" / name for name in ROOM_FILE.findall(text)]
    assert [str(path) for path in links + files + rooms if not path.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_heading_that_a_page_points_at_is_there(page: Path) -> None:
    anchors = [(page.parent / link if link else page, anchor) for link, anchor in ANCHOR.findall(page.read_text())]
    inside = [(target.resolve(), anchor) for target, anchor in anchors if target.suffix == ".md" and target.exists()]
    assert [(str(target), anchor) for target, anchor in inside if anchor not in headings(target)] == []


def test_every_switch_command_that_a_page_shows_is_one() -> None:
    """Its words and options, as the command line reads them."""
    parser = argparse.ArgumentParser()
    add_switch_commands(parser.add_subparsers())
    commands = [command for page in PAGES for command in SWITCH_COMMAND.findall(page.read_text())]
    assert len(commands) > 10
    for command in commands:
        assert callable(parser.parse_args(shlex.split(command, comments=True)).run)


def test_every_page_that_shows_python_has_its_examples_run() -> None:
    """But for the README's, which names what the reader has, and decisions, which may show what was not taken."""
    shows = {
        str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md") if "```python" in page.read_text()
    }
    assert {name for name in shows if not name.startswith("adr/")} - set(WITH_EXAMPLES) == set()


@cache
def headings(page: Path) -> set[str]:
    """As links name them."""
    texts = HEADING.findall(FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in texts}


def test_every_metric_that_the_code_declares_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/metrics.md").read_text()
    declared = {name for file in ROOT.glob("src/**/*.py") for name in METRIC.findall(file.read_text())}
    assert {name for name in declared if f"`{name}`" not in reference} - {"tenfold_reads_total"} == set()


def test_every_name_that_the_reference_of_protect_gives_is_imported_from_its_room() -> None:
    rooms = ROOM.findall((ROOT / "docs/reference/protect.md").read_text())
    assert len(rooms) > 20
    for room, imported, raised in rooms:
        module = importlib.import_module(f"tenfold.{room}")
        names = re.findall(r"`(\w+)`", imported + raised)
        assert [name for name in names if not hasattr(module, name)] == [], room


def test_the_index_of_decisions_names_each_of_them() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    decisions = [path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md")]
    assert [name for name in decisions if name not in index] == []
