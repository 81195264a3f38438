"""The console's page as a person uses it, in front of a running Parley."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

_HIDDEN_WORDS = "(듣는 중)"
"""What an interim says to those who hear the page."""


class LivePage:
    """``page`` stands at the console's address, in Korean."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.get_by_role("option")
        self.dialogue = page.get_by_role("log")
        self.interim = self.dialogue.locator(".interim")
        self.link_banner = page.get_by_test_id("link-banner")
        self.gap_banner = page.get_by_test_id("gap-banner")
        self.server_banner = page.get_by_test_id("server-banner")

    async def sign_in(self, name: str, password: str) -> None:
        """By the form, and by the keyboard alone."""
        await expect(self.page.get_by_label("사용자 이름")).to_be_focused()
        await self.page.keyboard.type(name)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(password)
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("main").get_by_role("complementary")).to_be_visible()

    def row(self, number: str) -> Locator:
        """The row of the call from that number, as it is shown."""
        return self.rows.filter(has_text=number)

    async def open(self, number: str) -> None:
        """Open the call from that number; returns when its dialogue is watched."""
        await self.row(number).click()
        await expect(self.row(number)).to_have_attribute("aria-selected", "true")
        await self.settled()

    async def settled(self) -> None:
        """Wait until the dialogue on show is watched."""
        await expect(self.dialogue).to_have_attribute("aria-busy", "false")

    def group(self, name: str) -> Locator:
        """The rows of one part of the list: ``진행 중`` or ``끝난 통화``."""
        return self.page.get_by_role("group", name=re.compile(name)).get_by_role("option")

    async def texts(self) -> list[str]:
        """Every utterance of the dialogue from top to bottom."""
        found: list[str] = await self.dialogue.locator("[data-utterance]").evaluate_all(
            "all => all.map(one => one.textContent)"
        )
        return [text.replace(_HIDDEN_WORDS, "").strip() for text in found]

    async def until_texts(self, texts: list[str]) -> None:
        """Wait until the dialogue holds exactly these utterances, in this order."""
        await expect(self.dialogue.locator("[data-utterance]")).to_have_count(len(texts))
        assert await self.texts() == texts

    async def until_said(self, text: str) -> None:
        """Wait until that final stands in the dialogue."""
        await expect(self.dialogue.locator("[data-utterance]:not(.interim)", has_text=text).last).to_be_attached()

    async def until_saying(self, text: str) -> None:
        """Wait until that is being said."""
        await expect(self.interim.filter(has_text=text)).to_be_attached()

    async def check_layout(self) -> None:
        """The page fills the window, banners or not: nothing is cut off, nothing is wider, nothing left empty."""
        bottom, width = await self.page.get_by_role("main").evaluate(
            "main => [innerHeight - main.getBoundingClientRect().bottom, document.documentElement.scrollWidth]"
        )
        size = self.page.viewport_size
        assert size is not None
        assert (bottom, width) == (0, size["width"])
