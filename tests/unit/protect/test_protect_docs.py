"""What docs/reference/protect.md and metrics.md say is so."""

import re
import subprocess
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SOURCES = Path(__file__).parents[3] / "src" / "tenfold"


def test_the_first_example_runs_and_prints_what_its_comments_say() -> None:
    """Copied from the page into a file, as a newcomer would."""
    example = re.findall(r"```python\n(.*?)```", (REFERENCE / "protect.md").read_text(), re.DOTALL)[0]
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["None", "replica", "near"]


def test_every_metric_of_protect_and_stream_is_documented() -> None:
    """And none is documented that is not there."""
    text = "".join(path.read_text() for room in ("protect", "stream") for path in (SOURCES / room).rglob("*.py"))
    declared = set(re.findall(r'"(tenfold_[a-z_]+)"', text))
    declared |= {f"tenfold_stream_{what}_total" for what in re.findall(r'= counter\("([a-z_]+)"', text)}
    rooms = ("near", "ladder", "fills", "breaker", "stream")
    documented = set(re.findall(rf"`(tenfold_(?:{'|'.join(rooms)})_[a-z_]+)`", (REFERENCE / "metrics.md").read_text()))
    assert declared == documented


def test_the_core_needs_no_driver() -> None:
    """Importing the front doors imports neither redis nor asyncpg."""
    code = (
        "import sys, tenfold.protect, tenfold.stream, tenfold.protect.testing, tenfold.stream.testing;"
        "assert not {'redis', 'asyncpg', 'uvloop'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=30, check=True)
