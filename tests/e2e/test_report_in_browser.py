"""The report in a real browser, from disk: what a director sees, how quickly, and on how much paper."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.e2e.conftest import Browse
from tests.e2e.words_in_sight import WORDS_IN_SIGHT
from tests.simulated_rehearsal import DRILLS, END_S, SimulatedRehearsal
from tests.worst_case import worst_evidence, worst_verdict

from tenfold.console import Console, Publisher
from tenfold.rehearse.view.report import write_report

pytestmark = pytest.mark.browser

REHEARSAL = SimulatedRehearsal(broken=("order-never-lost",), missed=(10,))
CHARTS = 3 + len(DRILLS)
"""Rate and p99 by step, each drill, the whole run."""
WORDS_MAX, OPEN_MAX_MS, PAGES_MAX, PHONE_PX = 120, 1000, 6, 640
SEEN_MS = """() => {
  const opened = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  return Math.max(opened, ...performance.getEntriesByType("paint").map((paint) => paint.startTime));
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a run with a space")
    return write_report(folder, REHEARSAL.verdict(), REHEARSAL.evidence())


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("worst"), worst_verdict(wrong=2), worst_evidence())


async def unfold(page: Page) -> None:
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_report_opens_from_disk_and_draws_its_charts(browse: Browse, report: Path, width: int, scheme: str) -> None:
    """One file, no network, every chart there, nothing complained about, no scrolling sideways."""

    async def scene() -> None:
        async with browse(width=width, color_scheme=scheme, offline=True) as watched:
            page = watched.page
            await page.goto(report.as_uri())
            await expect(page.locator(".hero .verdict")).to_have_text("NO-GO")
            await expect(page.locator("svg:visible")).to_have_count(0)
            await unfold(page)
            await expect(page.locator("svg:visible")).to_have_count(CHARTS)
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            assert watched.complaints == []
            assert watched.requests == [report.as_uri()]

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_director_reads_the_worst_no_go_in_a_minute(browse: Browse, worst: Path) -> None:
    """At most 120 words, seen within a second; on paper at most six pages."""

    async def scene() -> None:
        async with browse(width=1440, height=900) as watched:
            page = watched.page
            await page.goto(worst.as_uri())
            words = await page.evaluate(WORDS_IN_SIGHT)
            assert len(words) <= WORDS_MAX, " ".join(words)
            assert words[:2] == ["NO-GO", "5×"]
            assert await page.evaluate(SEEN_MS) <= OPEN_MAX_MS
            paper = await page.pdf(format="A4", prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= PAGES_MAX
            assert watched.complaints == []

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_phone_shows_the_word_the_step_and_the_three_lines_at_once(browse: Browse, worst: Path) -> None:
    """Within the first 640 pixels, at a width of 360."""

    async def scene() -> None:
        async with browse(width=360, height=PHONE_PX) as watched:
            page = watched.page
            await page.goto(worst.as_uri())
            for part in (".verdict", ".step", ".scores li:last-child"):
                box = await page.locator(part).bounding_box()
                assert box is not None
                assert box["y"] + box["height"] <= PHONE_PX
            assert await page.evaluate("document.documentElement.scrollWidth") == 360

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_chart_is_read_by_pointer_and_by_arrow_keys(browse: Browse, report: Path) -> None:
    """Its figures at that moment stand below it, in words."""

    async def scene() -> None:
        async with browse() as watched:
            page = watched.page
            await page.goto(report.as_uri())
            await page.locator("#course > summary").click()
            chart, said = page.locator("#course svg"), page.locator("#course output")
            await chart.hover(position={"x": 500, "y": 60})
            await expect(said).to_have_text(re.compile(r"^1:\d\d: [\d,]+ ended of [\d,]+ due a second, p50"))
            before = await said.text_content()
            await chart.press("ArrowRight")
            await expect(said).not_to_have_text(before or "")
            assert watched.complaints == []

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
            await expect(page.locator(".hero .verdict")).to_have_text("NO-GO")
            await page.wait_for_load_state()
            await unfold(page)
            await expect(page.locator("svg:visible")).to_have_count(CHARTS)
            assert watched.complaints == []
        await console.close()

    asyncio.run(asyncio.wait_for(scene(), 60))
