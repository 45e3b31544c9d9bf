"""Past runs in a real browser, through `tenfold reports serve`."""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.e2e.command import Command
from tests.e2e.conftest import Browse
from tests.past_runs import NEWER, OLDER, leave_run
from tests.simulated_rehearsal import SimulatedRehearsal
from tests.worst_case import worst_evidence, worst_verdict

from tenfold.rehearse.view.report import render_report

pytestmark = pytest.mark.browser


def test_a_person_reads_compares_and_shares_past_runs(browse: Browse, tmp_path: Path) -> None:
    """List, one report with its script at work, two side by side; a signal ends it with status 0."""
    leave_run(tmp_path / "reports", OLDER, SimulatedRehearsal().verdict())
    leave_run(tmp_path / "reports", NEWER, worst_verdict(), page=render_report(worst_verdict(), worst_evidence()))
    command = Command(tmp_path, "reports", "serve")
    command.until_says("/runs")
    found = command.said.split()[1]

    async def scene() -> None:
        async with browse(width=375, height=812) as watched:
            page = watched.page
            await page.goto(found)
            await expect(page.locator("tbody tr")).to_have_count(2)
            assert await page.evaluate("document.documentElement.scrollWidth") == 375
            await page.get_by_role("button", name="Compare A with B").click()
            await expect(page.get_by_role("row", name=re.compile("highest step held"))).to_contain_text("5×")
            await page.get_by_role("link", name=NEWER).click()
            await expect(page.locator(".verdict")).to_have_text("NO-GO")
            await page.locator("#course > summary").click()
            await page.locator("#course svg").press("ArrowLeft")
            await expect(page.locator("#course output")).to_contain_text("ended of")
            assert watched.complaints == []

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert command.signalled(signal.SIGINT).status == 0
