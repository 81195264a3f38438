"""The console's page in a real browser, against a server that says what the test tells it to."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Locator, Page, expect

from daemon.calls.call import CallState, Disposition, LegState
from daemon.calls.events import Direction
from daemon.calls.links import LinkState
from daemon.transcripts.utterance import Speaker
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.browser.console_server import ConsoleServer, call, leg
from tests.browser.example_calls import INTERIM, WATCHED, fill
from web.payloads import CallPayload

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

expect.set_options(timeout=20_000)

CALLER = "01012345678"
CONSOLE = Path(__file__).resolve().parents[2] / "web" / "console"


def answered(call_id: str = "call-1", *, caller: str = CALLER, ago: float = 60.0) -> CallPayload:
    """A call that was answered ``ago`` seconds ago, ten seconds after it came in."""
    at = time.time() - ago
    return call(call_id, caller=caller, at=at - 10, state=CallState.ACTIVE, answered_at=at)


async def sign_in(page: Page) -> None:
    await page.get_by_label("사용자 이름").fill("console")
    await page.get_by_label("비밀번호", exact=True).fill("right password")
    await page.get_by_role("button", name="로그인", exact=True).click()
    await expect(page.get_by_role("main")).to_be_visible()
    await expect(page.get_by_text("모두 정상")).to_be_visible()


async def open_call(page: Page, call_id: str = "call-1") -> Locator:
    """The dialogue of that call, once it is watched."""
    await page.locator(f'[data-call="{call_id}"]').click()
    dialogue = page.get_by_role("log")
    await expect(dialogue).to_have_attribute("aria-busy", "false")
    return dialogue


async def texts(dialogue: Locator) -> list[str]:
    found = await dialogue.locator("[data-utterance]").all_text_contents()
    return [re.sub(r"\(듣는 중\)|\s", "", text) for text in found]


async def at_the_end(dialogue: Locator) -> bool:
    result: bool = await dialogue.evaluate("it => it.scrollHeight - it.scrollTop - it.clientHeight < 2")
    return result


async def test_signing_in_says_what_is_wrong_and_when_to_try_again(page: Page, console: ConsoleServer) -> None:
    await page.get_by_label("사용자 이름").fill("console")
    await page.get_by_label("비밀번호", exact=True).fill("wrong password")
    await page.get_by_role("button", name="로그인", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("맞지 않습니다")
    await expect(page.get_by_label("비밀번호", exact=True)).to_be_focused()

    console.refuse_for = 3
    await page.get_by_label("비밀번호", exact=True).fill("right password")
    await page.get_by_role("button", name="로그인", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("초 뒤에 다시 시도할 수 있습니다")
    await expect(page.get_by_role("button", name="로그인", exact=True)).to_be_disabled()

    console.refuse_for = None
    await expect(page.get_by_role("alert")).to_contain_text("이제 다시 시도할 수 있습니다")
    await page.get_by_role("button", name="로그인", exact=True).click()
    await expect(page.get_by_text("지금은 통화가 없습니다.")).to_be_visible()

    await page.reload()
    await expect(page.get_by_text("지금은 통화가 없습니다.")).to_be_visible()
    await page.get_by_role("button", name="설정").click()
    await page.get_by_role("button", name="로그아웃").click()
    await expect(page.get_by_role("heading", name="로그인")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="로그인")).to_be_visible()


async def test_a_server_that_is_not_ready_is_told_from_one_that_is_away(page: Page, console: ConsoleServer) -> None:
    console.ready = False
    await page.goto(console.address)
    await expect(page.get_by_role("heading", name="서버가 아직 준비되지 않았습니다")).to_be_visible()
    await console.stop()
    await expect(page.get_by_role("heading", name="서버에 연결할 수 없습니다")).to_be_visible()
    console.ready = True
    await console.start()
    await expect(page.get_by_role("heading", name="로그인")).to_be_visible()


async def test_a_session_that_ends_leads_back_to_signing_in(page: Page, console: ConsoleServer) -> None:
    await sign_in(page)
    console.forget_sessions()
    await console.stop()
    await console.start()
    await expect(page.get_by_text("로그인이 만료되었습니다.")).to_be_visible()


async def test_calls_stand_in_order_and_change_as_they_are_told(page: Page, console: ConsoleServer) -> None:
    console.calls["old"] = answered("old", caller="010****1111", ago=600)
    await sign_in(page)
    await console.tell_call(call("new", caller="0212345678", at=time.time(), caller_name="이서연", code="order"))
    rows = page.get_by_role("option")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text(re.compile(r"02-1234-5678.*이서연.*order.*벨 울림", re.DOTALL))
    await expect(rows.nth(1)).to_contain_text(re.compile(r"010-\*\*\*\*-1111.*10:0\d", re.DOTALL))
    await expect(page).to_have_title("(2) 통화 · Parley")

    ended = replace(
        console.calls["new"], state=CallState.ENDED, ended_at=time.time(), disposition=Disposition.ABANDONED
    )
    await console.tell_call(ended)
    await expect(rows.nth(1)).to_contain_text("받기 전에 끊음")
    await expect(page).to_have_title("(1) 통화 · Parley")
    await console.tell_call(answered("third"))
    await console.tell_call(replace(answered("third"), state=CallState.ENDED, merged_into="old", legs=[]))
    await expect(rows).to_have_count(2)

    await page.keyboard.press("/")
    await page.keyboard.type("서연")
    await expect(rows).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(rows).to_have_count(2)


async def test_interims_become_finals_and_the_order_is_that_of_speech(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered()
    now = time.time()
    await sign_in(page)
    dialogue = await open_call(page)
    interim = await console.say("call-1", "배송이", final=False, utterance_id="u-1", said_at=now - 20)
    await expect(dialogue.locator(".interim")).to_contain_text("배송이")
    await console.say("call-1", "배송이 언제", final=False, utterance_id="u-1", said_at=now - 20)
    await expect(dialogue.locator(".interim")).to_contain_text("배송이 언제")
    spoken = page.get_by_test_id("said")
    assert await spoken.inner_text() == ""

    await console.say("call-1", "배송이 언제 오나요", utterance_id="u-1", said_at=now - 5)
    await console.repeat(interim)
    await console.say("call-1", "네 고객님", speaker=Speaker.CALLEE, said_at=now - 10)
    await expect(dialogue.locator("[data-utterance]")).to_have_count(2)
    assert await texts(dialogue) == ["네고객님", "배송이언제오나요"]
    await expect(dialogue.locator(".interim")).to_have_count(0)
    await expect(dialogue.get_by_text("0:55", exact=True)).to_be_visible()
    await expect(spoken).to_have_text("발신자: 배송이 언제 오나요수신자: 네 고객님")

    await console.say("call-1", "듣다가", final=False, utterance_id="u-9", said_at=now)
    await expect(dialogue.locator(".interim")).to_contain_text("듣다가")
    await console.say("call-1", "", final=False, utterance_id="u-9", said_at=now)
    await expect(dialogue.locator(".interim")).to_have_count(0)


async def test_short_pauses_are_joined_as_the_reader_wishes(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered()
    at = time.time() - 30
    for start, end in ((0, 2), (3, 4), (7, 8)):
        await console.say("call-1", f"말 {start}", tell=False, start=start, end=end, said_at=at + start)
    await console.say("call-1", "welcome.wav", tell=False, speaker=Speaker.APP, vendor="playback", said_at=at + 9)
    await sign_in(page)
    dialogue = await open_call(page)
    await expect(dialogue.locator("[data-turn]")).to_have_count(3)
    await expect(dialogue.locator(".played")).to_contain_text("welcome.wav")
    await page.get_by_role("button", name="설정").click()
    await page.get_by_label("짧은 쉼 이어 보기").select_option("끔")
    await expect(dialogue.locator("[data-turn]")).to_have_count(4)
    await page.get_by_label("짧은 쉼 이어 보기").select_option("3초")
    await expect(dialogue.locator("[data-turn]")).to_have_count(2)


async def test_after_a_break_nothing_is_missing_and_nothing_doubled(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered()
    for number in (1, 2):
        await console.say("call-1", f"말 {number}", tell=False)
    await sign_in(page)
    dialogue = await open_call(page)
    assert await texts(dialogue) == ["말1", "말2"]

    await console.stop()
    banner = page.get_by_test_id("server-banner")
    await expect(banner).to_contain_text(re.compile(r"서버와 연결이 끊겼습니다 · \d+초"))
    await console.say("call-1", "말 3", tell=False)
    await console.start()
    await expect(dialogue.get_by_text("말 3")).to_be_visible()
    await expect(banner).to_have_count(0)
    assert await texts(dialogue) == ["말1", "말2", "말3"]
    assert console.watches[-1] == {"call_id": "call-1", "after": {"call-1": 2}, "epoch": "epoch-1"}

    await console.stop()
    console.epoch = "epoch-2"
    console.finals["call-1"] = []
    for number in (1, 5):
        await console.say("call-1", f"말 {number}", tell=False, utterance_id=f"again-{number}")
    await console.start()
    await expect(dialogue.get_by_text("말 5")).to_be_visible()
    assert await texts(dialogue) == ["말1", "말5"]


async def test_no_number_of_breaks_loses_or_doubles_an_utterance(page: Page, console: ConsoleServer) -> None:
    rounds = 40 if os.environ.get("PARLEY_PROVE") else 3
    chance = random.Random(7)
    console.calls["call-1"] = answered()
    await sign_in(page)
    await page.get_by_role("button", name="설정").click()
    await page.get_by_label("짧은 쉼 이어 보기").select_option("끔")
    await page.keyboard.press("Escape")
    dialogue = await open_call(page)

    async def speak(*, tell: bool) -> None:
        for _ in range(chance.randrange(4)):
            number = len(console.finals.get("call-1", [])) + 1
            at = time.time() + chance.uniform(-3, 0)
            interim = await console.say("call-1", f"음 {number}", final=False, tell=tell, said_at=at)
            await console.say("call-1", f"말 {number}", tell=tell, said_at=at)
            if tell:
                await console.repeat(chance.choice([interim, console.finals["call-1"][0]]))

    for number in range(rounds):
        await speak(tell=True)
        await console.stop()
        await speak(tell=False)
        if chance.random() < 0.3:
            console.epoch = f"epoch-{number + 2}"
        await console.start()
        last = await console.say("call-1", f"끝 {number}", tell=False)
        await expect(dialogue.get_by_text(last.text, exact=True)).to_be_visible()
        held = sorted(console.finals["call-1"], key=lambda one: (one.said_at, one.seq))
        assert await texts(dialogue) == [re.sub(r"\s", "", one.text) for one in held]


async def test_links_say_how_they_are_and_leave_their_gaps(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered()
    await console.say("call-1", "말 1", tell=False, said_at=time.time() - 50)
    await console.tell_link(LinkState.READY, last_event_at=time.time() - 7)
    await sign_in(page)
    dialogue = await open_call(page)
    status = page.get_by_role("region", name="연결 상태")
    await expect(status).to_contain_text(re.compile(r"main 스위치.*초 전", re.DOTALL))

    banner = page.get_by_test_id("link-banner")
    await console.tell_link(LinkState.AWAY, since=time.time() - 12, detail="no HEARTBEAT for 45 s")
    await expect(banner).to_contain_text(
        re.compile(r"main 스위치와 연결이 끊겼습니다 · 1\d초.*no HEARTBEAT", re.DOTALL)
    )
    await console.tell_link(LinkState.CONNECTING)
    await expect(banner).to_contain_text(re.compile(r"연결하는 중입니다 · 1\d초"))
    await console.tell_link(LinkState.REFUSED, detail="ERR invalid")
    await expect(banner).to_contain_text(re.compile(r"거부했습니다.*ACL.*ERR invalid", re.DOTALL))

    await console.tell_link(LinkState.READY, gap=15.0)
    await expect(banner).to_have_count(0)
    notice = page.get_by_test_id("gap-banner")
    await expect(notice).to_contain_text("15초 동안 있었던 일은 알 수 없습니다")
    await expect(dialogue).to_contain_text("main 스위치와 15초 동안 연결이 끊겨")
    await notice.get_by_role("button").click()
    await expect(notice).to_have_count(0)
    await expect(dialogue).to_contain_text("main 스위치와 15초 동안 연결이 끊겨")


async def test_the_dialogue_follows_until_the_reader_scrolls_up(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered(ago=4000)
    at = time.time() - 3900
    for number in range(1, 1201):
        speaker = Speaker.CALLEE if number % 2 else Speaker.CALLER
        await console.say("call-1", f"말 {number}", tell=False, speaker=speaker, said_at=at + number * 3)
    await sign_in(page)
    dialogue = await open_call(page)
    await expect(dialogue.locator("[data-turn]")).to_have_count(1200)
    assert await at_the_end(dialogue)

    await dialogue.hover()
    await page.mouse.wheel(0, -2000)
    pill = page.get_by_role("button", name="맨 아래로")
    await expect(pill).to_be_visible()
    for number in (1201, 1202):
        await console.say("call-1", f"말 {number}", speaker=Speaker.CALLEE)
    await expect(page.get_by_role("button", name="새 말 2개")).to_be_visible()
    assert not await at_the_end(dialogue)

    await page.keyboard.press("End")
    await expect(dialogue.get_by_text("말 1202", exact=True)).to_be_in_viewport()
    await expect(page.get_by_role("button", name="새 말 2개")).to_have_count(0)
    await console.say("call-1", "말 1203", speaker=Speaker.CALLEE)
    await expect(dialogue.get_by_text("말 1203", exact=True)).to_be_in_viewport()


async def test_ended_calls_stay_in_the_list_as_long_as_the_server_says(page: Page, console: ConsoleServer) -> None:
    at = time.time()
    console.keep_ended = 3600.0
    for ago in (100, 1000, 5000):
        ended = answered(f"ended-{ago}", ago=ago + 60)
        console.calls[f"ended-{ago}"] = replace(
            ended, state=CallState.ENDED, ended_at=at - ago, disposition=Disposition.ANSWERED
        )
    await sign_in(page)
    await expect(page.locator("[data-call]")).to_have_count(2)
    await expect(page.locator('[data-call="ended-1000"]')).to_be_visible()


async def test_a_line_up_by_keyboard_is_enough_to_stay_there(page: Page, console: ConsoleServer) -> None:
    console.calls["call-1"] = answered(ago=400)
    at = time.time() - 390
    for number in range(1, 81):
        speaker = Speaker.CALLEE if number % 2 else Speaker.CALLER
        await console.say("call-1", f"말 {number}", tell=False, speaker=speaker, said_at=at + number * 3)
    await sign_in(page)
    dialogue = await open_call(page)
    await expect(dialogue.get_by_text("말 80", exact=True)).to_be_in_viewport()
    await dialogue.focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("button", name="맨 아래로")).to_be_visible()
    await console.say("call-1", "말 81", speaker=Speaker.CALLEE)
    await expect(page.get_by_role("button", name="새 말 1개")).to_be_visible()
    await expect(dialogue.get_by_text("말 81", exact=True)).not_to_be_in_viewport(ratio=1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("End")
    await expect(dialogue.get_by_text("말 81", exact=True)).to_be_in_viewport()
    await console.say("call-1", "말 82", speaker=Speaker.CALLER)
    await expect(dialogue.get_by_text("말 82", exact=True)).to_be_in_viewport()


async def test_everything_can_be_done_by_keyboard(page: Page, console: ConsoleServer) -> None:
    for number in range(5):
        console.calls[f"call-{number}"] = answered(f"call-{number}", caller=f"0101111000{number}", ago=60 + number)
    await sign_in(page)
    rows = page.get_by_role("option")
    await expect(rows).to_have_count(5)
    await page.keyboard.press("/")
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(rows.nth(0)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await expect(rows.nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialogue h2")).to_contain_text("010-1111-0001")
    await expect(rows.nth(1)).to_have_attribute("aria-selected", "true")

    # The call that has the focus ends, and takes it along to its new place.
    over = replace(console.calls["call-1"], state=CallState.ENDED, ended_at=time.time())
    await console.tell_call(over)
    await expect(rows.nth(4)).to_be_focused()

    await page.get_by_role("log").focus()
    await page.keyboard.press("Escape")
    await expect(rows.nth(4)).to_be_focused()
    await page.keyboard.press("Home")
    await expect(rows.nth(0)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialogue h2")).to_contain_text("010-1111-0000")
    await page.go_back()
    await expect(page.get_by_role("heading", name="통화를 선택하세요")).to_be_visible()

    await page.reload()
    await expect(rows).to_have_count(5)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="대화로 건너뛰기")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialogue")).to_be_focused()


async def test_a_merged_call_takes_its_reader_along(page: Page, console: ConsoleServer) -> None:
    console.calls["older"] = answered("older", caller="01011110000", ago=100)
    console.calls["younger"] = answered("younger", caller="01022220000", ago=50)
    await console.say("older", "먼저 온 통화", tell=False)
    await sign_in(page)
    await open_call(page, "younger")
    at = time.time()
    await console.tell_call(
        replace(console.calls["younger"], state=CallState.ENDED, ended_at=at, merged_into="older", legs=[])
    )
    await expect(page.locator("#dialogue h2")).to_contain_text("010-1111-0000")
    await expect(page.get_by_role("log")).to_contain_text("먼저 온 통화")
    await expect(page.get_by_role("log").get_by_role("link", name="다른 통화가 합쳐짐")).to_be_visible()
    assert page.url.endswith("#/calls/older")
    await expect(page.get_by_role("option")).to_have_count(1)


async def test_the_header_tells_all_there_is_to_know(page: Page, console: ConsoleServer) -> None:
    at = time.time() - 90
    legs = [
        leg("a", caller=CALLER, callee="15880000", at=at, state=LegState.ENDED, hangup_cause="NORMAL_CLEARING"),
        leg("b", caller=CALLER, callee="1002", at=at + 5, direction=Direction.OUTBOUND, state=LegState.ENDED),
    ]
    console.calls["call-1"] = replace(
        answered(ago=80),
        caller_name="이서연",
        callee="1002",
        code="order",
        state=CallState.ENDED,
        ended_at=at + 70,
        hangup_cause="NORMAL_CLEARING",
        disposition=Disposition.ANSWERED,
        legs=legs,
    )
    await sign_in(page)
    await open_call(page)
    header = page.locator("#dialogue header")
    for words in ("010-1234-5678", "이서연", "1588-0000", "1002", "order", "종료", "응답", "NORMAL_CLEARING"):
        await expect(header).to_contain_text(words)
    await page.get_by_text("회선 2").click()
    await expect(page.get_by_role("list", name="이 통화의 회선").get_by_role("listitem")).to_have_count(2)
    save = page.get_by_role("link", name="텍스트")
    assert await save.get_attribute("href") == "/api/v1/calls/call-1/transcript?format=text"


async def test_language_and_appearance_are_chosen_and_remembered(page: Page, console: ConsoleServer) -> None:
    await sign_in(page)
    html = page.locator("html")
    await expect(html).to_have_attribute("lang", "ko")
    light = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    await page.get_by_role("button", name="설정").click()
    await page.get_by_text("English").click()
    await page.get_by_text("Dark", exact=True).click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("There are no calls right now.")).to_be_visible()
    await expect(html).to_have_attribute("lang", "en")
    await page.reload()
    await expect(page.get_by_text("There are no calls right now.")).to_be_visible()
    await expect(html).to_have_attribute("data-theme", "dark")
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light


@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
async def test_on_a_narrow_phone_nothing_is_cut_off(
    browser: Browser, console: ConsoleServer, complaints: Complaints, locale: str
) -> None:
    name = "해오름아파트 관리사무소 민원 접수 담당"
    console.calls["call-1"] = replace(answered(), caller_name=name, callee="01099998888", code="outbound-survey")
    await console.say("call-1", "https://example.com/" + "very-long-" * 20, tell=False)
    await console.say("call-1", "가" * 120, tell=False, speaker=Speaker.CALLEE)
    await console.tell_link(LinkState.REFUSED, detail="x" * 120)
    context = await browser.new_context(
        viewport={"width": 360, "height": 640}, locale=locale, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    page = await context.new_page()
    complaints.listen(page, console.address)

    async def fits() -> None:
        wide: list[str] = await page.evaluate(
            "[...document.querySelectorAll('body *')].filter(it => !it.closest('.visually-hidden, .skip')"
            " && it.getBoundingClientRect().right > innerWidth + 0.5).map(it => it.outerHTML.slice(0, 120))"
        )
        assert wide == []

    await page.goto(console.address)
    await page.locator("#username").fill("console")
    await fits()
    await page.locator("#password").fill("right password")
    await page.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("link-banner")).to_be_visible()
    await fits()
    await page.get_by_role("option").click()
    await expect(page.get_by_role("log")).to_be_visible()
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await fits()
    await page.locator("summary").click()
    await fits()
    await page.locator("[popovertarget=settings]").first.click()
    await expect(page.locator("#settings")).to_be_visible()
    await fits()
    await page.keyboard.press("Escape")
    await page.locator("button.back").click()
    await expect(page.get_by_role("option")).to_be_focused()
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_accessible_by_the_rules_that_a_program_can_check(
    page: Page, console: ConsoleServer, scheme: Literal["light", "dark"]
) -> None:

    async def complies() -> None:
        assert await broken_rules(page) == []

    await fill(console)
    await console.tell_link(LinkState.READY)
    await page.emulate_media(color_scheme=scheme)
    await complies()
    await sign_in(page)
    await complies()
    dialogue = await open_call(page, WATCHED)
    await expect(dialogue.get_by_text(INTERIM)).to_be_visible()
    await page.locator("summary").click()
    await console.tell_link(LinkState.AWAY, since=time.time() - 60, detail="no HEARTBEAT for 45 s")
    await console.tell_link(LinkState.REFUSED, server="busan", detail="ERR invalid")
    await console.tell_link(LinkState.READY, server="jeju", gap=20.0)
    await expect(page.get_by_test_id("gap-banner")).to_be_visible()
    await complies()
    await page.get_by_role("button", name="설정").click()
    await complies()
    await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 390, "height": 844})
    await complies()


async def test_the_api_page_shows_the_document(page: Page, console: ConsoleServer) -> None:
    await page.goto(f"{console.address}/docs")
    await expect(page.get_by_text("/api/v1/example")).to_be_visible()
