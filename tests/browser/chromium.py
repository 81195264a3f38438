"""The system's Chromium, driven by Playwright, that speaks to nobody by itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of one's own: ``$CHROMIUM``, else the one on the path."""
    executable = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if executable is None:
        raise FileNotFoundError("there is no chromium on the path; install it, or set CHROMIUM to its path")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
