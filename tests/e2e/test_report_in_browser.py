"""The report in a real browser, from disk."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.e2e.conftest import Browse
from tests.simulated_rehearsal import DRILLS, END_S, SimulatedRehearsal

from tenfold.console import Console, Publisher
from tenfold.rehearse.view.report import write_report

pytestmark = pytest.mark.browser

REHEARSAL = SimulatedRehearsal(broken=("order-never-lost",), missed=(10,))
PLOTS = 3 + len(DRILLS)
"""Rate and p99 by step, each drill, the whole run."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a run with a space")
    return write_report(folder, REHEARSAL.verdict(), REHEARSAL.evidence())


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_report_opens_from_disk_and_draws_its_charts(browse: Browse, report: Path, width: int, scheme: str) -> None:
    """One file, no network, every chart there, nothing complained about, no scrolling sideways."""

    async def scene() -> None:
        async with browse(width=width, color_scheme=scheme, offline=True) as watched:
            page = watched.page
            await page.goto(report.as_uri())
            await expect(page.locator("html")).to_have_attribute("data-drawn", "true")
            await expect(page.locator(".plot .main-svg:first-child")).to_have_count(PLOTS)
            await expect(page.locator(".hero .verdict")).to_have_text("NO-GO")
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            assert watched.complaints == []
            assert watched.requests == [report.as_uri()]

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_the_console_shows_the_report_once_there_is_one(browse: Browse, report: Path) -> None:
    """The same page through the console, under the console's headers, draws the same charts."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        over = REHEARSAL.progress(END_S)
        over.report = str(report)
        publisher.publish(over)
        async with browse() as watched:
            page = watched.page
            await page.goto(await console.open())
            await page.get_by_role("link", name="Open the report").click()
            await expect(page.locator("html")).to_have_attribute("data-drawn", "true")
            await expect(page.locator(".plot .main-svg:first-child")).to_have_count(PLOTS)
            assert watched.complaints == []
        await console.close()

    asyncio.run(asyncio.wait_for(scene(), 60))
