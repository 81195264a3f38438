"""A browser for a module of tests; a server and a page for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page

from tests.browser.chromium import chromium
from tests.browser.console_server import ConsoleServer

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def console() -> AsyncIterator[ConsoleServer]:
    """A server of the built console, without calls."""
    assert (STATIC / "index.html").is_file(), "the console is not built: run make console"
    server = ConsoleServer(STATIC)
    await server.start()
    yield server
    await server.stop()


class Complaints:
    """What a page complained about: errors of its scripts, things its policy forbade, requests to elsewhere."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def listen(self, page: Page, address: str) -> None:
        """Note what ``page`` complains about; it may load from ``address`` only."""
        page.on("pageerror", lambda error: self.all.append(str(error)))
        page.on("console", self._logged)
        page.on("request", lambda request: None if request.url.startswith(address) else self.all.append(request.url))

    def _logged(self, message: ConsoleMessage) -> None:
        # An answer that is an error, and a server that is away, are what several tests are about.
        known = ("Failed to load resource", "WebSocket connection to")
        if message.type in ("error", "warning") and not message.text.startswith(known):
            self.all.append(message.text)


@pytest_asyncio.fixture(loop_scope="module")
async def complaints() -> AsyncIterator[Complaints]:
    """Every page of the test must be content."""
    heard = Complaints()
    yield heard
    assert heard.all == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, console: ConsoleServer, complaints: Complaints) -> AsyncIterator[Page]:
    """The console in Korean at the size of a desk, not signed in."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="ko-KR", timezone_id="Asia/Seoul", reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    opened = await context.new_page()
    complaints.listen(opened, console.address)
    await opened.goto(console.address)
    yield opened
    await context.close()
