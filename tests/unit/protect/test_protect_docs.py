"""What docs/reference/protect.md and metrics.md say is so."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from tests.page_examples import Example, examples

import tenfold.protect

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SOURCES = Path(__file__).parents[3] / "src" / "tenfold"
ROOMS = ("channel", "engines", "protect", "stream", "respond")
DECLARED = re.compile(r'(?<!ContextVar\()"(tenfold_[a-z_]+)"')
EMITTED = re.compile(r'(?:emit|tell)\(\s*"([a-z]+(?:-[a-z]+)+)"')
COMPOSED = {"stream/valkey.py": "tenfold_stream_{}_total", "protect/reads/hot/metrics.py": "tenfold_hot_{}_total"}
"""Files that make names of a part of them."""


def test_the_first_example_runs_in_a_process_of_its_own() -> None:
    """Copied from the page into a file, as a newcomer would."""
    first = examples()[0]
    done = subprocess.run([sys.executable, "-c", first.code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines() == first.prints == ["None", "replica", "near"]


@pytest.mark.parametrize("example", [each for each in examples() if not each.needs_servers], ids=str)
def test_an_example_prints_what_its_comments_say(example: Example) -> None:
    """Those that need no server."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(example.code, str(example), "exec"), {"__name__": "__main__"})
    assert printed.getvalue().splitlines() == example.prints


def test_every_metric_of_the_library_and_its_control_node_is_documented() -> None:
    """And none is documented that is not there."""
    paths = [path for room in ROOMS for path in SOURCES.glob(f"{room}/**/*.py")]
    files = {str(path.relative_to(SOURCES)): path.read_text() for path in paths}
    declared = {name for text in files.values() for name in DECLARED.findall(text)}
    for name, form in COMPOSED.items():
        declared |= {form.format(what) for what in re.findall(r'= counter\("([a-z_]+)"', files[name])}
    page = (REFERENCE / "metrics.md").read_text()
    documented = set(re.findall(r"`(tenfold_(?!driver|console)[a-z_]+)`", page))
    assert declared == documented


def test_every_kind_of_event_is_documented() -> None:
    """Those that the program says by their whole names; others are made of a state's."""
    page = (REFERENCE / "metrics.md").read_text()
    kinds = {kind for path in SOURCES.glob("**/*.py") for kind in EMITTED.findall(path.read_text())}
    assert {kind for kind in kinds if f"`{kind}`" not in page} == set()


def test_the_core_needs_no_driver() -> None:
    """Importing the front doors imports neither redis nor asyncpg."""
    code = (
        "import sys, tenfold.protect, tenfold.stream, tenfold.protect.testing, tenfold.stream.testing;"
        "assert not {'redis', 'hiredis', 'asyncpg', 'uvloop'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=30, check=True)


def test_every_name_of_the_front_door_stands_in_the_reference() -> None:
    """Who looks a name up finds it."""
    page = (REFERENCE / "protect.md").read_text()
    assert [name for name in tenfold.protect.__all__ if not re.search(rf"\b{name}\b", page)] == []


def test_the_front_door_is_small_and_names_every_room() -> None:
    """What a newcomer sees first; all else is imported from its room."""
    rooms = {path.stem for path in (SOURCES / "protect").iterdir() if path.stem.isidentifier() and path.stem[0] != "_"}
    listed = re.findall(r"^  ([a-z, ]+?)  +\S", tenfold.protect.__doc__ or "", re.MULTILINE)
    assert {name for names in listed for name in names.split(", ")} == rooms
    assert len(tenfold.protect.__all__) <= 15


def test_every_address_of_the_control_node_stands_in_its_reference() -> None:
    """As its routes say, whose root the page writes out once in a row."""
    app = (SOURCES / "respond/control/app.py").read_text()
    addresses = re.findall(r'Route\(f?"(?:\{_ROOT\})?(/[^"]*)"', app)
    page = (REFERENCE / "control.md").read_text()
    plain = [re.sub(r"\{\{(\w+)(?::\w+)?\}\}", r"{\1}", address) for address in addresses]
    assert len(plain) > 10
    assert [address for address in plain if address not in page] == []
