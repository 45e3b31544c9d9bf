"""The live page in a real browser."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.e2e.conftest import Browse
from tests.e2e.words_in_sight import WORDS_IN_SIGHT
from tests.simulated_rehearsal import END_S, LOAD_END_S, SimulatedRehearsal
from tests.worst_case import worst_verdict

from tenfold.console import Console, Publisher
from tenfold.rehearse import summary_of

pytestmark = pytest.mark.browser

REHEARSAL = SimulatedRehearsal()
PLENTY = 5000


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def opened(page: Page, url: str) -> None:
    await page.goto(url)
    await expect(page.locator("#link")).to_have_attribute("data-state", "live")


async def width_of(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth"))


def test_the_page_follows_the_run_as_it_happens(browse: Browse) -> None:
    """What is published is on the page, without a reload, to the verdict; and nothing is complained about."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        publisher.publish(REHEARSAL.progress(63.0, samples_max=PLENTY))
        async with browse() as watched:
            page = watched.page
            await opened(page, await console.open())
            await expect(page.locator("#now")).to_have_text("Climbing: 6×")
            await expect(page.locator("#steps tr")).to_have_count(10)
            await expect(page.locator("#steps tr").nth(4)).to_contain_text("held")
            publisher.publish(REHEARSAL.progress(118.0))
            await expect(page.locator("#drills li").first).to_have_attribute("data-state", "injected")
            await expect(page.locator("#servers li", has_text="main.primary")).to_contain_text("faulted")
            publisher.publish(REHEARSAL.progress(END_S))
            await expect(page.locator("#verdict")).to_have_text("GO")
            await expect(page).to_have_title(re.compile("^GO"))
            assert watched.complaints == []
            origins = {re.match(r"https?://[^/]+/", url) for url in watched.requests}
            assert {origin[0] for origin in origins if origin} == {console.url}
            await console.close()

    run(scene())


def test_a_service_that_crashed_says_so(browse: Browse) -> None:
    """In the line of its state, as long as the run lasts."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        progress = REHEARSAL.progress(63.0)
        next(server for server in progress.servers if server.name == "api").restarts = 2
        publisher.publish(progress)
        async with browse() as watched:
            await opened(watched.page, await console.open())
            await expect(watched.page.locator("#servers li", has_text="api")).to_contain_text("crashed, restarted 2×")
            await expect(watched.page.locator("#servers li", has_text="worker")).not_to_contain_text("restarted")
            await console.close()

    run(scene())


def test_a_no_go_says_what_is_broken(browse: Browse) -> None:
    """The reasons are on the page, in words."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        publisher.publish(SimulatedRehearsal(broken=("order-never-lost",)).progress(END_S))
        async with browse() as watched:
            await opened(watched.page, await console.open())
            await expect(watched.page.locator("#verdict")).to_have_text("NO-GO")
            await expect(watched.page.locator("#causes")).to_contain_text(
                "order-never-lost: 18 of 31,204 wrong, limit 0"
            )
            await console.close()

    run(scene())


def test_a_director_reads_how_the_run_ended_and_where_its_report_is_kept(browse: Browse) -> None:
    """At most 120 words on the first screen, the rest folded; when the console is gone the page says what to do."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        over = REHEARSAL.progress(END_S)
        over.verdict, over.summary, over.report = (
            "no-go",
            summary_of(worst_verdict(wrong=2)),
            "/shop/reports/run-1/index.html",
        )
        publisher.publish(over)
        async with browse(width=1440, height=900) as watched:
            page = watched.page
            await opened(page, await console.open())
            await expect(page.locator("#now")).to_have_text("5× is the highest step that held, of 10× sent.")
            await expect(page.locator("#scores li")).to_have_text(["Money and stock9/11", "Load1/10", "Faults4/15"])
            await expect(page.locator("#chart-rate")).to_be_hidden()
            for name in ("#figures", "#phases", "#facts"):
                await expect(page.locator(name)).to_be_hidden()
            await console.close()
            await expect(page.locator("#link")).to_have_attribute("data-state", "over")
            words = await page.evaluate(WORDS_IN_SIGHT)
            assert len(words) <= 120, " ".join(words)
            await expect(page.locator("#report")).to_be_hidden()
            await expect(page.locator("#kept")).to_contain_text("/shop/reports/run-1/index.html")
            await expect(page.locator("#kept")).to_contain_text("tenfold reports serve")
            await page.locator("#rest-name").click()
            await expect(page.locator("#chart-rate")).to_be_visible()

    run(scene())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(browse: Browse, scheme: str) -> None:
    """375 pixels are enough at each moment of a run."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        async with browse(width=375, height=812, color_scheme=scheme) as watched:
            publisher.publish(REHEARSAL.progress(2.0))
            await opened(watched.page, await console.open())
            for at in (63.0, 118.0, LOAD_END_S + 1, END_S):
                publisher.publish(REHEARSAL.progress(at))
                await expect(watched.page.locator("#elapsed")).to_have_text(f"{int(at) // 60}:{int(at) % 60:02}")
                assert await width_of(watched.page) == 375
            assert watched.complaints == []
            await console.close()

    run(scene())


def test_a_chart_is_read_by_keyboard_and_by_pointer(browse: Browse) -> None:
    """A moment's figures stand in words beside every chart."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        publisher.publish(REHEARSAL.progress(63.0, samples_max=PLENTY))
        async with browse() as watched:
            page = watched.page
            await opened(page, await console.open())
            reading = page.locator("#chart-p99 figcaption span")
            await expect(reading).to_contain_text("p99")
            await page.locator("#chart-rate canvas").focus()
            await page.keyboard.press("ArrowLeft")
            await expect(reading).to_contain_text("at 1:02")
            await page.keyboard.press("Escape")
            await expect(reading).not_to_contain_text("at ")
            await page.locator("#chart-rate canvas").hover(position={"x": 300, "y": 60})
            await expect(reading).to_contain_text("at 0:")
            await console.close()

    run(scene())


def test_the_page_says_that_the_connection_is_lost_and_comes_back_by_itself(browse: Browse) -> None:
    """A server that is gone without a farewell is noticed, and found again after its restart."""

    async def scene() -> None:
        first = Console(Publisher())
        url = await first.open()
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        async with browse() as watched:
            page = watched.page
            first.publisher.publish(REHEARSAL.progress(30.0))
            await opened(page, url)
            await first.close()
            await expect(page.locator("#link")).to_have_attribute("data-state", "over")
            await expect(page.locator("#notice")).to_contain_text("The run is over")
            publisher = Publisher()
            publisher.publish(REHEARSAL.progress(118.0))
            second = Console(publisher, port=port)
            assert await second.open() == url
            await expect(page.locator("#link")).to_have_attribute("data-state", "live")
            await expect(page.locator("#now")).to_have_text("Drill: cache-primary-killed")
            await expect(page.locator("#notice")).to_be_hidden()
            await second.close()

    run(scene())


def test_an_abrupt_end_is_told_apart_from_a_farewell(browse: Browse) -> None:
    """Without a farewell the page says that the connection is lost, and since when."""

    async def scene() -> None:
        async def abrupt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
            writers.extend([writer, upstream_writer])
            await asyncio.gather(pump(reader, upstream_writer), pump(upstream_reader, writer))

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
            writer.close()

        writers: list[asyncio.StreamWriter] = []
        publisher = Publisher()
        publisher.publish(REHEARSAL.progress(30.0))
        console = Console(publisher)
        port = int((await console.open()).rstrip("/").rsplit(":", 1)[1])
        between = await asyncio.start_server(abrupt, "127.0.0.1", 0)
        async with browse() as watched:
            page = watched.page
            await opened(page, f"http://127.0.0.1:{between.sockets[0].getsockname()[1]}/")
            between.close()
            for writer in writers:
                writer.transport.abort()
            await expect(page.locator("#link")).to_have_attribute("data-state", "lost")
            await expect(page.locator("#notice")).to_contain_text("lost since")
        await console.close()

    run(scene())
