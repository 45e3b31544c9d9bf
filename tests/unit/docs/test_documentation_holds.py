"""What the documentation names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED_FILE = re.compile(r"`((?:src|tests|docs|plans|benchmarks|tools)/[\w./-]+\.\w+)`")
ROOM_FILE = re.compile(r"`((?:rehearse|plan|fleet|protect|telemetry|stream|console|kernel)/[\w./-]+\.\w+)`")
MADE_BY_A_RUN = "benchmarks/results/"
METRIC = re.compile(r"\.(?:counter|gauge|timer)\(\s*\"(\w+)\"")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    links = [page.parent / link for link in LINK.findall(text) if "://" not in link]
    files = [ROOT / name for name in NAMED_FILE.findall(text) if not name.startswith(MADE_BY_A_RUN)]
    rooms = [ROOT / "src/tenfold" / name for name in ROOM_FILE.findall(text)]
    assert [str(path) for path in links + files + rooms if not path.exists()] == []


def test_every_metric_that_the_code_declares_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/metrics.md").read_text()
    declared = {name for file in ROOT.glob("src/**/*.py") for name in METRIC.findall(file.read_text())}
    assert {name for name in declared if f"`{name}`" not in reference} - {"tenfold_reads_total"} == set()


def test_the_index_of_decisions_names_each_of_them() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    decisions = [path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md")]
    assert [name for name in decisions if name not in index] == []
