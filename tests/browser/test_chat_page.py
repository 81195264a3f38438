"""The demo's chat page in a real browser: somebody writes to a bot, presses its cards and fills in its forms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from daemon.chatbot.contract import Card, Choice, Field, Message, Said
from daemon.demo.webex import DemoWebex
from daemon.stores.database import Database
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.daemon.chatbot.webex.bot import Bot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
KINDS = (Choice("무조건", "always"), Choice("통화 중일 때", "busy"))
FORM = Card(
    fields=(
        Field(name="number", label="받을 번호", hint="01012345678"),
        Field(name="kind", label="언제", kind="choice", choices=KINDS),
        Field(name="day", label="날짜", kind="date", is_required=False),
        Field(name="memo", label="메모", kind="lines", is_required=False),
    ),
    submit="저장",
    marks={"turn": "7"},
)


def answers(said: Said) -> Sequence[Message]:
    """A conversation without any sense in it: whatever there is to see."""
    if said.inputs is not None and "number" in said.inputs:
        return [Message(f"**저장했습니다**: {said.inputs['number']} `{said.inputs['kind']}` {said.inputs['turn']}")]
    if said.inputs is not None:
        return [Message("착신전환을 설정합니다.", FORM)]
    if said.text == "목록":
        return [Message("다음과 같습니다.\n\n- *하나*\n- **둘** [보기](https://example.com/)\n\n\\*별\\* <b>굵게</b>")]
    choices = (Choice("착신전환", "forwarding"), Choice("휴가 신청", "leave"))
    return [Message(f"**{said.text}**, 어느 것을 찾으세요?", Card(choices=choices))]


@pytest_asyncio.fixture(loop_scope="module")
async def webex(tmp_path: Path) -> AsyncIterator[DemoWebex]:
    """A Webex whose bot answers."""
    url = f"sqlite:///{tmp_path}/parley.db"
    database = Database.of(url)
    await database.upgrade()
    made = DemoWebex()
    await made.start()
    bot = Bot(database, tmp_path, api_url=made.url, token=made.token)
    bot.echo.say = answers
    await bot.enter()
    await bot.ready()
    yield made
    await bot.leave()
    await made.stop()
    await database.close()


@pytest_asyncio.fixture(loop_scope="module", params=["desk", "phone"])
async def chat(
    request: pytest.FixtureRequest, browser: Browser, webex: DemoWebex, complaints: Complaints
) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=DESK if request.param == "desk" else PHONE, locale="ko-KR")  # type: ignore[arg-type]
    page = await context.new_page()
    complaints.listen(page, webex.address)
    await page.goto(webex.address)
    await page.locator("#person option").first.wait_for(state="attached")
    yield page
    await context.close()


async def write(page: Page, text: str) -> None:
    await page.get_by_label("메시지").fill(text)
    await page.get_by_role("button", name="보내기").click()


async def test_somebody_asks_chooses_from_the_card_and_completes_the_form(chat: Page) -> None:
    await write(chat, "착신전한")
    log = chat.get_by_role("log")
    await expect(log.locator(".mine")).to_contain_text("착신전한")
    await log.get_by_role("button", name="착신전환").click()
    form = log.locator("form", has=chat.get_by_label("받을 번호"))
    await form.get_by_role("button", name="저장").click()
    await expect(form.get_by_role("alert").first).to_have_text("받을 번호 칸을 채워 주세요.")
    await form.get_by_label("받을 번호").fill("01012345678")
    await form.get_by_label("언제").select_option("통화 중일 때")
    assert await broken_rules(chat) == []
    await form.get_by_role("button", name="저장").click()
    last = log.locator(".message").last
    await expect(last).to_contain_text("저장했습니다: 01012345678 busy 7")
    await expect(last.locator("strong")).to_have_text("저장했습니다")
    width = await chat.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0


async def test_markdown_is_shown_and_markup_is_not_obeyed(chat: Page) -> None:
    await write(chat, "목록")
    said = chat.get_by_role("log").locator(".message:not(.mine) .said")
    await expect(said.locator("li")).to_have_text(["하나", "둘 보기"])
    await expect(said.get_by_role("link")).to_have_attribute("href", "https://example.com/")
    await expect(said.locator("p").last).to_have_text("*별* <b>굵게</b>")


async def test_in_the_group_it_answers_who_calls_it(chat: Page, webex: DemoWebex) -> None:
    await chat.get_by_label("나는").select_option(index=1)
    await chat.get_by_label("대화방").select_option(label="상담팀 단체방")
    mention = chat.get_by_label("@Parley 부르기")
    await mention.uncheck()
    await write(chat, "우리끼리")
    await mention.check()
    await write(chat, "부탁해")
    log = chat.get_by_role("log")
    await expect(log.locator(".reply")).to_contain_text("부탁해, 어느 것을 찾으세요?")
    await expect(log.locator(".message")).to_have_count(3)
    await expect(log.locator(".reply")).to_have_attribute("data-parent", "↳ 박준: Parley 부탁해")


async def test_what_was_said_is_there_again_and_a_demo_that_ended_is_said(chat: Page, webex: DemoWebex) -> None:
    await chat.get_by_label("나는").select_option(index=2)
    await write(chat, "목록")
    log = chat.get_by_role("log")
    await expect(log.locator(".message")).to_have_count(2)
    await chat.reload()
    await expect(log.locator(".message")).to_have_count(2)
    await expect(chat.get_by_label("나는").locator("option:checked")).to_contain_text("이소라")
    await webex.stop()
    await write(chat, "거기 있어요?")
    await expect(chat.get_by_role("status")).to_contain_text("데모가 응답하지 않습니다")
    await webex.start()
