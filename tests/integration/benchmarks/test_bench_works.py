"""`make bench`, as short as it can be: a benchmark that nobody runs rots."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engines

CHECKOUT = Path(__file__).parents[3]


def test_both_contestants_are_asked_answer_alike_and_keep_every_invariant() -> None:
    """Real servers, real orders, the plan's worker and its whole audit; one look at each rate."""
    command = [sys.executable, "-m", "benchmarks.first", "--smoke"]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "it works" in ended.stdout
