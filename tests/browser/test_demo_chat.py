"""All of the demo, as a newcomer meets it: they talk to the bot, and see on the PBX page what it did."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Complaints

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def addresses(tmp_path: Path) -> AsyncIterator[list[str]]:
    """Where the console and the chat page of a demo are."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "demo", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        found = []
        async with asyncio.timeout(60):
            for said in (r"Parley is at (\S+)", r"The chatbot is at (\S+)"):
                line = (await process.stdout.readline()).decode()
                match = re.match(said, line)
                assert match is not None, line
                found.append(match[1])
        yield found
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answered(page: Page, text: str) -> Locator:
    """The bot's last message, once it says that."""
    last = page.get_by_role("log").locator(".message:not(.mine)").last
    await expect(last).to_contain_text(text)
    return last


async def write(page: Page, text: str) -> None:
    await page.get_by_label("메시지").fill(text)
    await page.get_by_role("button", name="보내기").click()


async def test_calls_are_forwarded_by_chat_and_the_pbx_page_shows_it(
    browser: Browser, addresses: list[str], complaints: Complaints
) -> None:
    console_address, chat_address = addresses
    context = await browser.new_context(locale="ko-KR")
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    page = await context.new_page()
    complaints.listen(page, chat_address)
    await page.goto(chat_address)
    await page.get_by_label("나는").select_option(index=0)
    await write(page, "착신전한")
    card = await answered(page, "내선 1010의 착신전환")
    await card.get_by_role("button", name="받지 않을 때").click()
    form = await answered(page, "어느 번호로")
    await form.get_by_label("받을 번호").fill("010-1234-5678")
    await form.get_by_role("button", name="확인").click()
    sure = await answered(page, "돌릴까요?")
    await sure.get_by_role("button", name="네").click()
    await answered(page, "01012345678")
    await expect(page.get_by_role("log").locator(".message:not(.mine)")).to_have_count(4)

    console = await context.new_page()
    await console.goto(console_address)
    await console.get_by_role("navigation").get_by_role("link", name="PBX").click()
    field = console.get_by_label("내선 번호")
    await field.fill("1010")
    await field.press("Enter")
    forwarded = console.locator('form[data-kind="NO_ANSWER"]')
    await expect(forwarded.get_by_text("010-1234-5678로 전환됩니다.")).to_be_visible()
    await context.close()


async def test_somebody_parley_does_not_know_is_refused_politely(
    browser: Browser, addresses: list[str], complaints: Complaints
) -> None:
    page = await browser.new_page(locale="ko-KR")
    complaints.listen(page, addresses[1])
    await page.goto(addresses[1])
    await page.get_by_label("나는").select_option(label="손님 (Parley가 모르는 사람)")
    await write(page, "착신전환")
    await expect(page.get_by_role("log").locator(".message:not(.mine)")).to_have_count(1)
    await expect(page.get_by_role("log").get_by_role("button")).to_have_count(0)
    await page.close()
