"""Pictures of the console, into ``screenshots/``: at a desk and on a phone, light and dark, Korean and English.

``python -m tests.browser.screenshots [part of a name ...]`` takes those whose kind (such as ``phone-dark-ko``) has all
parts named.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Literal

from msgspec.structs import replace
from playwright.async_api import Browser, Page

from daemon.calls.call import CallState, Disposition
from daemon.calls.links import LinkState
from daemon.transcripts.utterance import Speaker
from tests.browser.chromium import chromium
from tests.browser.console_server import ConsoleServer
from tests.browser.example_calls import FAILED, INTERIM, LED, WATCHED, fill
from tests.browser.example_deliveries import DEAD, fill_inbox

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "web" / "static"
PICTURES = ROOT / "screenshots"

_SIZES = {"desk": (1280, 800), "phone": (390, 844)}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_LANGUAGES = {"ko": "ko-KR", "en": "en-US"}

Picture = Callable[[str], Awaitable[None]]
"""Take a picture of that name."""


async def take(browser: Browser, size: str, scheme: Literal["light", "dark"], language: str) -> None:
    """One kind of picture of every state of the page."""
    server = ConsoleServer(STATIC)
    await server.start()
    server.role = "admin"
    await fill(server)
    fill_inbox(server.inbox)
    await server.tell_link(LinkState.READY)
    width, height = _SIZES[size]
    phone = size == "phone"
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if phone else 1,
        is_mobile=phone,
        has_touch=phone,
        color_scheme=scheme,
        reduced_motion="reduce",
        locale=_LANGUAGES[language],
        timezone_id="Asia/Seoul",
    )
    page = await context.new_page()
    kind = f"{size}-{scheme}-{language}"

    async def picture(name: str) -> None:
        await page.screenshot(path=PICTURES / f"{kind}-{name}.png")

    try:
        await _walk(page, server, picture)
    finally:
        await context.close()
        await server.stop()


async def _walk(page: Page, server: ConsoleServer, picture: Picture) -> None:
    await page.goto(server.address)
    await page.locator("#username").fill("console")
    await page.locator("#password").fill("wrong password")
    await page.locator("button[type=submit]").click()
    await page.locator("#refusal p").wait_for()
    await picture("1-sign-in")
    await page.locator("#password").fill("right password")
    await page.locator("button[type=submit]").click()
    await page.get_by_role("option").first.wait_for()
    await picture("2-calls")
    await page.locator(f'[data-call="{WATCHED}"]').click()
    await page.get_by_text(INTERIM).wait_for()
    await picture("3-dialogue")
    await page.locator("summary").click()
    await page.get_by_role("log").evaluate("it => it.scrollTop = 0")
    await page.locator(".pill").wait_for()
    await picture("4-details")
    await page.locator("summary").click()
    await page.locator("[popovertarget=settings]").first.click()
    await page.locator("#settings").wait_for()
    await picture("5-settings")
    await page.keyboard.press("Escape")
    await server.tell_link(LinkState.AWAY, since=time.time() - 73, detail="no HEARTBEAT for 45 s")
    await server.tell_link(LinkState.REFUSED, server="busan", detail="ERR invalid")
    await page.get_by_test_id("link-banner").nth(1).wait_for()
    await picture("6-links-down")
    await server.tell_link(LinkState.READY, gap=41.0, since=time.time() - 20)
    await server.tell_link(LinkState.READY, server="busan")
    await page.get_by_test_id("gap-banner").wait_for()
    await page.keyboard.press("End")
    await picture("7-gap")
    await page.get_by_test_id("gap-banner").get_by_role("button").click()
    await server.tell_call(
        replace(
            server.calls[WATCHED],
            state=CallState.ENDED,
            ended_at=time.time(),
            hangup_cause="NORMAL_CLEARING",
            disposition=Disposition.ANSWERED,
        )
    )
    await server.say(
        WATCHED,
        INTERIM + " 필요하신 게 있으실까요?",
        utterance_id="interim",
        speaker=Speaker.CALLEE,
        leg_id=f"{WATCHED}-b",
        said_at=time.time() - 3,
    )
    await page.locator(f'[data-call="{WATCHED}"].ended').wait_for(state="attached")
    await picture("8-ended")
    await _walk_apps(page, server, picture)
    await _walk_inbox(page, server, picture)
    await _walk_people(page, server, picture)
    await page.goto(f"{server.address}/#/calls/{WATCHED}")
    await page.get_by_role("log").wait_for()
    await server.stop()
    await page.get_by_test_id("server-banner").wait_for()
    await picture("9-server-away")


async def _walk_apps(page: Page, server: ConsoleServer, picture: Picture) -> None:
    buttons = page.get_by_test_id("app-bar").get_by_role("button")
    await page.goto(f"{server.address}/#/calls/{LED}")
    await buttons.nth(2).wait_for()
    await picture("15-app")
    for number, name in enumerate(("16-take-over", "17-say", "18-hang-up")):
        await buttons.nth(number).click()
        await page.get_by_role("dialog").wait_for()
        await picture(name)
        await page.keyboard.press("Escape")
    await page.goto(f"{server.address}/#/calls/{FAILED}")
    await page.locator(".wrong").wait_for()
    await picture("19-app-failed")


async def _walk_inbox(page: Page, server: ConsoleServer, picture: Picture) -> None:
    await page.goto(f"{server.address}/#/inbox")
    delivery = page.locator(f'[data-delivery="{DEAD}"]')
    await delivery.wait_for()
    await picture("10-inbox")
    await page.locator("[role=search] summary").click()
    await picture("11-inbox-filter")
    await page.locator("[data-counter=dead]").click()
    await delivery.click()
    await page.get_by_role("article").locator("pre").wait_for()
    await picture("12-delivery")
    await page.get_by_role("article").locator(".actions button").click()
    await page.get_by_role("dialog").wait_for()
    await picture("13-replay")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.locator(".head .button").click()
    await page.get_by_role("dialog").get_by_role("spinbutton").wait_for()
    await picture("14-replay-many")
    await page.keyboard.press("Escape")


async def _walk_people(page: Page, server: ConsoleServer, picture: Picture) -> None:
    await page.goto(f"{server.address}/#/people")
    await page.locator("[data-person=mina]").wait_for()
    await page.locator("[type=email]").first.wait_for()
    await picture("20-people")
    await page.locator("[data-person=mina]").click()
    await page.get_by_role("dialog").wait_for()
    await picture("21-person")
    await page.keyboard.press("Escape")
    await page.locator("[data-team]").first.click()
    await page.get_by_role("dialog").wait_for()
    await picture("22-team")
    await page.keyboard.press("Escape")
    await page.locator("[type=email]").last.scroll_into_view_if_needed()
    await picture("23-mail")


async def main(parts: Sequence[str]) -> None:
    """Take the pictures whose kind has all ``parts`` in its name."""
    PICTURES.mkdir(exist_ok=True)
    async with chromium() as browser:
        for size, scheme, language in product(_SIZES, _SCHEMES, _LANGUAGES):
            if all(part in f"{size}-{scheme}-{language}" for part in parts):
                await take(browser, size, scheme, language)
    print(f"pictures in {PICTURES}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
