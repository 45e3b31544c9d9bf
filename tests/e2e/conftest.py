"""A real browser for the tests that need one: Debian's Chromium, driven by Playwright.

Where there is none, these tests skip at home and fail in CI (`CI=true`).
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DEADLINE_MS = 10_000


@dataclass
class Watched:
    """A page with everything that it complained about and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(DEADLINE_MS)
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))


Browse = Callable[..., AbstractAsyncContextManager[Watched]]


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("There is no chromium on this machine, and in CI no test may skip. Install Debian's chromium.")
    if path is None:
        pytest.skip("There is no chromium on this machine; `apt-get install chromium` brings it.")
    return path


@pytest.fixture
def browse(chromium: str) -> Browse:
    """`async with browse(width=…, color_scheme=…) as watched:` gives a fresh page in a fresh browser."""

    @asynccontextmanager
    async def opened(width: int = 1280, height: int = 900, **context: Any) -> AsyncIterator[Watched]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            try:
                page = await browser.new_page(viewport={"width": width, "height": height}, **context)
                yield Watched(page)
            finally:
                await browser.close()

    return opened
