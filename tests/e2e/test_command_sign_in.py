"""A link to sign in is a secret: it goes to a screen, and into a file only when somebody asks for that."""

import os
import re
import select
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e.command import LEAVE_LIMIT_S, START_LIMIT_S, TENFOLD, Command
from tests.e2e.shop_plan import write_shop_plan

pytestmark = pytest.mark.engines

LINK = re.compile(r"http://127\.0\.0\.1:\d+/sign-in#code=\S+")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_shop_plan(tmp_path, servers={})


def said_by_up(root: Path, *words: str | Path, environment: dict[str, str] | None = None) -> str:
    """Everything that it has written when the console is open."""
    command = Command(root, "up", *words, environment=environment)
    try:
        command.until_says("sign in   ")
    finally:
        command.end()
    return command.said


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}], ids=["plain", "coloured"])
def test_no_link_is_written_where_output_is_redirected(tmp_path: Path, plan: Path, environment: dict[str, str]) -> None:
    """Nor where somebody wants colours in a file; one line says where the console is and how to get a link."""
    said = said_by_up(tmp_path, "--plan", plan, environment=environment)
    assert "code=" not in said
    assert len(re.findall(r"sign in   http://127\.0\.0\.1:\d+/sign-in: .*tenfold up --print-sign-in", said)) == 1


def test_link_is_written_when_it_is_asked_for(tmp_path: Path, plan: Path) -> None:
    said = said_by_up(tmp_path, "--plan", plan, "--print-sign-in")
    assert len(LINK.findall(said)) == 1


def test_link_is_shown_on_a_screen(tmp_path: Path, plan: Path) -> None:
    """Whoever reads the screen has started it."""
    here, there = os.openpty()
    command = [*TENFOLD, "up", "--plan", str(plan)]
    with subprocess.Popen(command, cwd=tmp_path, stdin=there, stdout=there, stderr=there) as process:
        os.close(there)
        try:
            assert LINK.search(said_on(here, "sign-in#code="))
        finally:
            process.terminate()
            process.wait(LEAVE_LIMIT_S)
            os.close(here)


def said_on(screen: int, words: str) -> str:
    """What stands there, to the end of the line with these words; all of it when the deadline is over first."""
    said, deadline_s = "", time.monotonic() + START_LIMIT_S
    while "\n" not in said.partition(words)[2] and time.monotonic() < deadline_s:
        if select.select([screen], [], [], 0.1)[0]:
            said += os.read(screen, 65_536).decode(errors="replace")
    return said
