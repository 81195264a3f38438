"""A call's dialogue in a real browser, all the way: a switch, Parley as a process of its own, its built console."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from daemon.demo.switch import SimulatedSwitch
from tests.browser.conftest import Complaints
from tests.browser.live_page import LivePage
from tests.daemon.parley_process import SWITCH_PASSWORD, ParleyProcess
from tests.daemon.talk import Talk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LONG = os.environ.get("PARLEY_PROVE") == "1"
KILLS = 15 if LONG else 2
BREAKS = 10 if LONG else 1
MAY_BE_LOST = 0.05
"""Seconds before a kill of which finals may be missing."""

PASSWORD = "an example password"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Awaitable[LivePage]]


@pytest_asyncio.fixture(loop_scope="module")
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=20.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def parley(tmp_path: Path, switch: SimulatedSwitch) -> AsyncIterator[ParleyProcess]:
    """``parley run`` with an operator ``hana`` and a viewer ``duri``."""
    process = ParleyProcess(tmp_path, switch.port)
    for name, role in (("hana", "operator"), ("duri", "viewer")):
        await process.command("user", "add", name, "--role", role, "--password-stdin", line=PASSWORD)
    await process.start()
    await switch.subscribers()
    yield process
    await process.close()


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, parley: ParleyProcess, complaints: Complaints) -> AsyncIterator[OpenPage]:
    """Opens the console and signs in. A page that complains about anything fails the test."""
    contexts = []

    async def open_page(name: str = "hana", *, size: dict[str, int] = DESK) -> LivePage:
        phone = size is PHONE
        context = await browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale="ko-KR",
            timezone_id="Asia/Seoul",
            reduced_motion="reduce",
            is_mobile=phone,
            has_touch=phone,
        )
        contexts.append(context)
        context.set_default_timeout(30_000)
        page = await context.new_page()
        complaints.listen(page, parley.address)
        await page.goto(parley.address)
        live = LivePage(page)
        await live.sign_in(name, PASSWORD)
        return live

    expect.set_options(timeout=30_000)
    yield open_page
    for context in contexts:
        await context.close()


async def test_a_dialogue_outlives_its_switch(
    open_page: OpenPage, parley: ParleyProcess, switch: SimulatedSwitch
) -> None:
    """A call appears and is spoken on; its switch goes and comes back: with the same calls, then in another life."""
    live = await open_page()
    await expect(live.page.get_by_text("지금은 통화가 없습니다.")).to_be_visible()

    # A call appears, is opened, and what is said on it takes shape.
    call = await switch.call(caller="01012345678", did="07000001004", name="홍길동", code="dev-app")
    await expect(live.row("010-1234-5678")).to_contain_text(re.compile(r"홍길동.*dev-app.*070-0000-1004", re.DOTALL))
    await call.answer()
    await call.listen(vendor="google")
    await live.open("010-1234-5678")
    said = ["네 안녕하세요 배송 문의드려요"]
    for words in ("네 안녕하세요", "네 안녕하세요 배송"):
        await call.say(words, interim=True, vendor="google")
        await expect(live.interim).to_contain_text(words)
    await call.say(said[0], vendor="google")
    await expect(live.interim).to_have_count(0)
    await live.until_texts(said)
    await live.check_layout()
    leaving = await switch.call(caller="01000000002")
    await leaving.answer()
    await expect(live.group("진행 중")).to_have_count(2)

    for number in range(BREAKS):
        # The link breaks, the switch lives on: what happens meanwhile is found out, what is said meanwhile is not.
        await switch.refuse()
        switch.disconnect()
        await expect(live.link_banner).to_contain_text("main 스위치와 연결이 끊겼습니다")
        await live.check_layout()
        await leaving.hang_up()
        leaving = await switch.call(caller=f"0100000010{number}")
        await leaving.answer()
        await call.say("아무도 못 들은 말", vendor="google")
        assert await live.texts() == said
        await switch.admit()
        await expect(live.link_banner).to_have_count(0)
        await expect(live.gap_banner.last).to_contain_text("동안 있었던 일은 알 수 없습니다")
        await expect(live.dialogue.locator(".gap")).to_have_count(number + 1)
        await expect(live.group("끝난 통화")).to_have_count(number + 1)
        await expect(live.group("끝난 통화").first).to_contain_text("종료 미확인")
        await expect(live.row(f"010-0000-010{number}")).to_contain_text("통화 중")
        said.append(f"다시 들리는 말 {number}")
        await call.say(said[-1], vendor="google")
        await live.until_texts(said)

    # The switch is killed, bare EOF, and another one comes up in its place: all its calls are over.
    await switch.shut_down("kill")
    await expect(live.link_banner).to_contain_text("main 스위치와 연결이 끊겼습니다")
    assert await live.texts() == said
    await switch.start()
    new = await switch.call(caller="01000000003")
    await new.answer()
    await expect(live.link_banner).to_have_count(0)
    await expect(live.group("진행 중")).to_have_count(1)
    await expect(live.row("010-0000-0003")).to_contain_text("통화 중")
    await expect(live.group("끝난 통화")).to_have_count(BREAKS + 2)
    await live.until_texts(said)
    await expect(live.dialogue).to_contain_text("통화 종료 · 종료 미확인")
    await live.open("010-0000-0003")
    await new.say("새 통화의 첫마디")
    await live.until_texts(["새 통화의 첫마디"])
    # The other dialogue is still there, and as it was.
    await live.open("010-1234-5678")
    await live.until_texts(said)


async def test_a_dialogue_outlives_parley(open_page: OpenPage, parley: ParleyProcess, switch: SimulatedSwitch) -> None:
    """``kill -9`` in the middle of speech: the page comes back by itself and shows each utterance once, in order."""
    chance = random.Random()
    calls = [await switch.call(caller=f"0100000000{number}") for number in range(2)]
    for call in calls:
        await call.answer()
        await call.listen()
    live = await open_page()
    await live.open("010-0000-0000")
    talk = Talk(switch, calls)
    said = talk.said[calls[0].leg_id]
    call_id = await live.row("010-0000-0000").get_attribute("data-call")
    assert call_id is not None
    epochs = []
    safe: list[str] = []
    async with talk.going_on(pace=0.03):
        for _ in range(KILLS):
            await live.until_said(await talk.say(calls[0]))
            epochs.append((await parley.get(f"/calls/{call_id}/transcript"))["epoch"])
            await asyncio.sleep(chance.uniform(0.0, 0.5))  # any moment
            safe = await live.texts()
            await asyncio.sleep(2 * MAY_BE_LOST)  # older than this is safe
            await parley.kill()
            await expect(live.server_banner).to_contain_text("서버와 연결이 끊겼습니다")
            await parley.start()
            await expect(live.server_banner).to_have_count(0)
            await live.until_said(await talk.say(calls[0]))
            assert set(safe) <= set(await live.texts())
    last = await talk.say(calls[0])
    await live.until_said(last)
    await live.settled()
    transcript = await parley.get(f"/calls/{call_id}/transcript")
    shown = await live.texts()
    in_order = sorted(transcript["utterances"], key=lambda one: (one["said_at"], one["seq"]))
    assert shown == [one["text"] for one in in_order]
    # Each once and in the order in which it was said; of what was said nothing is missing but while Parley was down.
    places = [said.index(text) for text in shown]
    assert places == sorted(set(places))
    assert transcript["epoch"] not in epochs
    assert len(set(epochs)) == len(epochs) == KILLS
    assert await live.row("010-0000-0000").get_attribute("data-call") == call_id
    await expect(live.group("진행 중")).to_have_count(2)
    await expect(live.interim).to_have_count(0)
    await expect(live.dialogue.locator(".gap")).to_have_count(KILLS)


async def test_only_finals_are_read_out(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    """Whatever passes through the region that screen readers announce, no interim does."""
    call = await switch.call(caller="01012345678")
    await call.answer()
    await call.listen(vendor="google")
    live = await open_page()
    await live.open("010-1234-5678")
    region = live.page.get_by_test_id("said")
    await expect(region).to_have_attribute("aria-live", "polite")
    await region.evaluate(
        """region => {
            window.announced = [];
            new MutationObserver(changes => {
                for (const change of changes)
                    for (const node of change.addedNodes) window.announced.push(node.textContent);
            }).observe(region, { childList: true, subtree: true, characterData: true });
        }"""
    )
    finals = ["주문 번호는 칠칠삼공이에요", "네 기다릴게요"]
    for final in finals:
        words = final.split()
        for count in range(1, len(words) + 1):
            await call.say(" ".join(words[:count]), interim=True, vendor="google")
            await expect(live.interim).to_contain_text(" ".join(words[:count]))
        await call.say(final, vendor="google")
        await live.until_said(final)
    await expect(region).to_contain_text(finals[-1])
    announced = await live.page.evaluate("window.announced.map(text => text.trim()).filter(text => text)")
    assert announced == [f"발신자: {final}" for final in finals]


async def test_a_long_dialogue_stays_usable(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    """Two thousand utterances: all there, in order; it follows, stops for the reader, and every key still works."""
    count = 10_000 if LONG else 2_000
    call = await switch.call(caller="01012345678")
    other = await switch.call(caller="01000000002")
    for one in (call, other):
        await one.answer()
        await one.listen()
    live = await open_page()
    await live.open("010-1234-5678")
    talk = Talk(switch, [call])
    for _ in range(count // 100):
        await talk.say_all(100)
        await switch.flushed()
    await live.until_texts(talk.said[call.leg_id])
    newest = live.dialogue.locator("[data-utterance]").last
    await expect(newest).to_be_in_viewport()

    await live.dialogue.hover()
    await live.page.mouse.wheel(0, -3000)
    await expect(live.page.get_by_role("button", name="맨 아래로")).to_be_visible()
    await talk.say_all()
    await expect(live.page.get_by_role("button", name="새 말 1개")).to_be_visible()
    await expect(newest).not_to_be_in_viewport()
    await live.page.keyboard.press("End")
    await expect(newest).to_be_in_viewport()
    await talk.say_all()
    await live.until_texts(talk.said[call.leg_id])
    await expect(newest).to_be_in_viewport()

    await live.open("010-0000-0002")
    await live.until_texts([])
    await live.open("010-1234-5678")
    await live.until_texts(talk.said[call.leg_id])
    await live.page.reload()
    await live.until_texts(talk.said[call.leg_id])
    await expect(newest).to_be_in_viewport()


async def test_by_the_keyboard_alone(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    for number in range(3):
        call = await switch.call(caller=f"0100000000{number}", code=f"app-{number}")
        await call.answer()
        await call.listen()
        await call.say(f"통화 {number}의 말")
    live = await open_page()
    keys = live.page.keyboard
    await expect(live.rows).to_have_count(3)
    await keys.press("/")
    await expect(live.page.get_by_role("textbox")).to_be_focused()
    await keys.type("app-1")
    await expect(live.rows).to_have_count(1)
    await keys.press("Enter")
    await expect(live.row("app-1")).to_be_focused()
    await keys.press("Enter")
    await live.until_texts(["통화 1의 말"])
    await keys.press("/")
    await keys.press("Escape")
    await expect(live.rows).to_have_count(3)
    await keys.press("Escape")
    await expect(live.row("app-1")).to_be_focused()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    opened = live.page.locator('[aria-selected="true"]')
    await expect(opened).not_to_contain_text("app-1")
    shown = re.search(r"app-(\d)", await opened.inner_text())
    assert shown is not None
    await live.until_texts([f"통화 {shown[1]}의 말"])


async def test_on_a_phone_and_for_who_may_not_see_numbers(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    call = await switch.call(caller="01012345678", name="홍길동 01012345678", did="07000001004")
    await call.answer()
    await call.listen()
    live = await open_page("duri", size=PHONE)
    await expect(live.row("010-****-5678")).to_be_visible()
    await live.row("010-****-5678").tap()
    await live.settled()
    await expect(live.rows.first).not_to_be_visible()
    await call.say("배송이 언제 오는지 확인하고 싶어서 전화드렸는데요 어제 주문한 정수기 필터예요")
    await live.until_texts(["배송이 언제 오는지 확인하고 싶어서 전화드렸는데요 어제 주문한 정수기 필터예요"])
    await live.check_layout()
    assert "1234" not in await live.page.content()
    await live.page.get_by_role("button", name="통화 목록").tap()
    await expect(live.row("010-****-5678")).to_be_visible()
    await live.check_layout()


async def test_the_policy_forbids_foreign_code(open_page: OpenPage, parley: ParleyProcess, browser: Browser) -> None:
    """A page that breaks the policy complains, so that a page without a complaint has kept to it."""
    context = await browser.new_context()
    page = await context.new_page()
    complaints = Complaints()
    complaints.listen(page, parley.address)
    await page.goto(parley.address)
    broken = await page.evaluate(
        """async () => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            const away = await fetch('http://127.0.0.1:1/').then(() => true, () => false);
            return [Boolean(window.ran), away];
        }"""
    )
    await context.close()
    assert broken == [False, False]
    assert any("Content Security Policy" in complaint for complaint in complaints.all)
