"""The switchboard in a real browser, at a real control node that real service processes follow."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.protect.followers import ControlProcess
from playwright.async_api import Page, expect
from tests.e2e.conftest import Browse

from tenfold.console import Console, Publisher
from tenfold.protect.live.switches import Rule
from tenfold.respond.switchboard import SwitchOperator

pytestmark = pytest.mark.browser

STORES = ("7", "12")
LOADS_DEADLINE_MS = 15_000
"""Processes say every 5 s how often they read their switches."""
TARGET_PX = 44


@dataclass
class System:
    """A control node and the services that follow it."""

    node: ControlProcess
    services: list["subprocess.Popen[bytes]"]

    def record(self, name: str) -> Any:
        client = self.node.client()
        try:
            return SwitchOperator(client, by="test").view(name)
        finally:
            client.close()

    def set_by(self, by: str, name: str, value: object, reason: str) -> None:
        client = self.node.client()
        try:
            operator = SwitchOperator(client, by=by)
            operator.put(
                operator.draft_set(name, Rule(value=value, owner=by, reason=reason)), reason=reason, confirmed=True
            )
        finally:
            client.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    node = ControlProcess(tmp_path_factory.mktemp("control"))
    node.open()
    system = System(node, [serve(node, store) for store in STORES])
    try:
        for service in system.services:
            assert service.stdout is not None
            assert service.stdout.readline() == b"follows\n"
        yield system
    finally:
        for service in system.services:
            service.communicate(timeout=10)
        node.close()


def serve(node: ControlProcess, store: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.switch_service", store],
        env=os.environ | {"CONTROL_URL": node.url, "CONTROL_TOKEN": node.token},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


class ShownConsole(Console):
    """With the links that its terminal was told to show."""

    def __init__(self) -> None:
        self.links: list[str] = []
        super().__init__(Publisher(), on_link=self.links.append)


@asynccontextmanager
async def console_at(node: ControlProcess) -> AsyncIterator[ShownConsole]:
    console = ShownConsole()
    console.follow_control(node.url, node.token)
    await console.open()
    try:
        yield console
    finally:
        await console.close()


async def signed_in(page: Page, console: ShownConsole, name: str) -> None:
    await page.goto(console.links[-1])
    await page.fill("#name", name)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Switches")
    await expect(page.locator("#link")).to_have_attribute("data-state", "live")


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 60))


def row(page: Page, name: str) -> Any:
    return page.locator("ul.switches > li").filter(has=page.locator(f"#set-{name}"))


def test_a_setting_ends_by_itself_under_the_readers_eyes(browse: Browse, system: System) -> None:
    """The time left counts down, and the page shows what holds afterwards without being asked."""

    async def scene() -> None:
        async with browse() as watched, console_at(system.node) as console:
            page = watched.page
            await signed_in(page, console, "Ann")
            await page.goto(f"{console.url}switches/set/recommendations?value=off&ends=3s")
            await expect(page.locator(".touches")).to_contain_text("by itself in")
            await page.locator("[name=reason]").fill("just a moment")
            await page.locator(".effect .go").click()
            await expect(page.locator(".hold .value")).to_have_text("off")
            await expect(page.locator(".set-now .left")).to_have_text("1 s")
            await expect(page.locator(".hold .value")).to_have_text("on")
            await expect(page.locator(".entries li").first).to_contain_text("tenfold: was set until")
            assert watched.complaints == []

    run(scene())


def test_of_two_who_press_one_is_told_who_was_faster(browse: Browse, system: System) -> None:
    """Each in a browser of their own, both with the dialog open; the second sets nothing."""

    async def scene() -> None:
        async with console_at(system.node) as console, browse() as anns, browse() as bens:
            for watched, name in ((anns, "Ann"), (bens, "Ben")):
                await signed_in(watched.page, console, name)
                await watched.page.click("#set-payment-timeout-ms")
                await watched.page.locator("dialog [name=value]").fill("1200" if name == "Ann" else "300")
                await expect(watched.page.locator("dialog .go")).to_have_text(re.compile("Set to (1200|300)"))
                await expect(watched.page.locator("dialog .go")).to_be_enabled()
                await watched.page.locator("dialog [name=reason]").fill(f"{name} has a reason")
            await anns.page.locator("dialog .go").click()
            await expect(anns.page.locator(".done")).to_be_visible()
            await bens.page.locator("dialog .go").click()
            faster = bens.page.locator(".faster")
            await expect(faster).to_contain_text("Ann was faster. It is now 1200")
            await expect(faster).to_contain_text("Ann has a reason")
            assert system.record("payment-timeout-ms").value == 1200
            await faster.get_by_role("button", name="Look again").click()
            await expect(bens.page.locator(".touches")).to_contain_text("1200 → 300")
            await bens.page.locator(".effect .go").click()
            await expect(bens.page.locator(".done")).to_be_visible()
            assert system.record("payment-timeout-ms").value == 300

    run(scene())


def test_what_somebody_else_sets_appears_by_itself(browse: Browse, system: System) -> None:
    """On the board of whoever looks on, without a session, with who has it and how fast."""

    async def scene() -> None:
        async with browse() as watched, console_at(system.node) as console:
            await watched.page.goto(f"{console.url}switches")
            await expect(watched.page.locator("#link")).to_have_attribute("data-state", "live")
            await asyncio.to_thread(system.set_by, "Cat", "image-quality", "small", "the store's line is thin")
            found = row(watched.page, "image-quality")
            await expect(found).to_contain_text("Cat: the store's line is thin")
            await expect(found).to_contain_text(re.compile(r"2 of 2 processes, slowest \d+(\.\d+)? ms"))
            assert watched.complaints == []

    run(scene())


def test_everything_works_without_javascript(browse: Browse, system: System) -> None:
    """Sign in, look, set, undo: plain links and forms."""

    async def scene() -> None:
        async with browse(java_script_enabled=False) as watched, console_at(system.node) as console:
            page, code = watched.page, console.links[-1].rpartition("=")[2]
            await page.goto(f"{console.url}switches/set/new-checkout")
            await page.fill("#code", code)
            await page.fill("#name", "Ann")
            await page.get_by_role("button", name="Sign in").click()
            await page.locator("[name=value]").fill("25")
            await page.locator("[name=reason]").fill("a quarter first")
            await page.locator(".effect .go").click()
            await expect(page.locator(".effect")).to_contain_text("changed after the last look")
            await page.locator(".effect .go").click()
            await expect(page.locator(".done")).to_be_visible()
            assert system.record("new-checkout").value == 25
            await page.get_by_role("button", name="Undo").click()
            await expect(page.locator(".hold .value")).to_have_text("0 %")
            assert system.record("new-checkout").value == 0

    run(scene())


def test_the_code_leaves_the_address_and_reaches_nobody(browse: Browse, system: System) -> None:
    """It stands behind `#`, which a browser sends to no server, and is good once."""

    async def scene() -> None:
        async with browse() as watched, console_at(system.node) as console:
            link = console.links[-1]
            code = link.rpartition("=")[2]
            await signed_in(watched.page, console, "Ann")
            assert not any(code in url for url in watched.requests if "#" not in url)
            assert console.links[-1] != link
            await watched.page.go_back()
            assert code not in watched.page.url
            await watched.page.context.clear_cookies()
            await watched.page.goto(link)
            await watched.page.fill("#name", "Eve")
            await watched.page.keyboard.press("Enter")
            await expect(watched.page.locator(".bad")).to_contain_text("not good, or was used")

    run(scene())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_and_presses_everything(browse: Browse, system: System, scheme: str) -> None:
    """375 pixels are enough, and whatever is pressed is as high as a thumb is wide."""

    async def scene() -> None:
        async with (
            browse(width=375, height=812, color_scheme=scheme) as watched,
            console_at(system.node) as console,
        ):
            page = watched.page
            await signed_in(page, console, "Ann")
            for path in ("switches", "switches/of/delivery-slots", "switches/set/delivery-slots", "switches/history"):
                await page.goto(f"{console.url}{path}")
                assert await page.evaluate("document.documentElement.scrollWidth") == 375, path
                assert await too_small(page) == [], path
            await page.goto(f"{console.url}switches")
            await page.click("#set-delivery-slots")
            await expect(page.locator("dialog .go")).to_be_in_viewport()
            assert await too_small(page) == []
            assert watched.complaints == []

    run(scene())


async def too_small(page: Page) -> list[str]:
    """What can be pressed, is seen, and is lower than a thumb is wide."""
    script = """least => [...document.querySelectorAll('button, a.button, summary, input:not([type=hidden]), .rooms a')]
        .filter(one => one.checkVisibility() && !one.matches('.look, [type=radio]'))
        .filter(one => one.getBoundingClientRect().height < least).map(one => one.outerHTML)"""
    found: list[str] = await page.evaluate(script, TARGET_PX)
    return found


def test_the_keyboard_does_all_of_it(browse: Browse, system: System) -> None:
    """Focus goes into the dialog, stays there, comes back at Escape; and live news do not take it away."""

    async def scene() -> None:
        async with browse() as watched, console_at(system.node) as console:
            page = watched.page
            await signed_in(page, console, "Ann")
            await page.locator("#set-delivery-slots").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("dialog [name=reason]")).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(page.locator("dialog")).to_be_hidden()
            await expect(page.locator("#set-delivery-slots")).to_be_focused()
            await asyncio.to_thread(system.set_by, "Cat", "image-quality", "none", "even thinner")
            await expect(row(page, "image-quality")).to_contain_text("even thinner")
            await expect(page.locator("#set-delivery-slots")).to_be_focused()

    run(scene())


def test_a_switch_is_set_seen_applied_and_undone(browse: Browse, system: System) -> None:
    """Dry run in the dialog, one press, who has it and how fast, one press back; nothing is complained about."""

    async def scene() -> None:
        async with browse() as watched, console_at(system.node) as console:
            page = watched.page
            await signed_in(page, console, "Ann")
            await expect(row(page, "reviews")).to_contain_text(
                re.compile(r"[1-9]\d*/s calls now"), timeout=LOADS_DEADLINE_MS
            )
            await page.click("#set-reviews")
            box = page.locator("dialog")
            await expect(box.locator(".touches")).to_contain_text(re.compile(r"[1-9]\d*/s of [1-9]\d*/s reads"))
            await expect(box.locator(".touches")).to_contain_text("What customers say of a product.")
            await expect(box.locator(".touches")).to_contain_text("2 of 2")
            await expect(box.locator(".go")).to_have_text("Set to off everywhere")
            await box.locator("summary").click()
            await box.locator("[name=stores]").fill("7")
            await expect(box.locator(".go")).to_have_text("Set to off for some")
            await expect(box.locator(".touches")).to_contain_text("1 of 2: 7")
            await box.locator("[name=reason]").fill("store 7 is slow")
            await box.locator(".go").click()
            await expect(page.locator(".done")).to_contain_text("2 of 2 processes have it")
            await expect(page.locator(".taken-by tbody tr")).to_have_count(2)
            for taken in await page.locator(".taken-by tbody tr").all():
                await expect(taken).to_contain_text(re.compile(r"shop/(7|12)/\d+.*applied\s*\d+(\.\d+)? ms"))
            await expect(page.locator(".set-now")).to_contain_text("Ann: store 7 is slow")
            assert system.record("reviews").rules[0].stores == ("7",)
            await page.locator("[id^=undo-]").click()
            await expect(page.locator(".done")).to_contain_text("2 of 2 processes have it")
            await expect(page.locator(".entries li").first).to_contain_text("as declared")
            assert system.record("reviews").rules == ()
            assert watched.complaints == []

    run(scene())


def test_a_dead_node_is_said_and_its_return_is_seen(browse: Browse, tmp_path: Path) -> None:
    """Killed under the reader's eyes and started again, without a reload."""

    async def scene() -> None:
        node = ControlProcess(tmp_path)
        await asyncio.to_thread(node.open)
        service = serve(node, "7")
        try:
            async with browse() as watched, console_at(node) as console:
                page = watched.page
                await page.goto(f"{console.url}switches")
                await expect(row(page, "reviews")).to_be_visible()
                await asyncio.to_thread(node.kill)
                await expect(page.locator(".trouble")).to_contain_text("It does not answer at")
                await expect(page.locator(".trouble")).to_contain_text("tenfold switch list")
                await expect(page.locator("#live")).to_contain_text("What follows was so at")
                await asyncio.to_thread(node.open)
                await expect(page.locator(".trouble")).to_have_count(0)
                await expect(row(page, "reviews")).to_be_visible()
        finally:
            await asyncio.to_thread(service.communicate, timeout=10)
            await asyncio.to_thread(node.close)

    run(scene())
