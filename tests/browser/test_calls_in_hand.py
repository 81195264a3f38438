"""Calls that an app leads, seen and taken in hand in a real browser, in front of Parley and a simulated switch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from daemon.actor import Actor
from daemon.callapps.contract import AppCall
from daemon.callapps.outgoing import OutgoingRequest, OutgoingState
from daemon.config import CallAppConfig, CallAppsConfig, Day, FallbackConfig, OutgoingConfig, TakeoverConfig
from daemon.demo.call import SimulatedCall
from daemon.demo.exchange import Destination
from daemon.demo.switch import SimulatedSwitch
from daemon.stores.audit import latest_audit
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.browser.live_page import LivePage
from tests.daemon.running_service import PASSWORD as SWITCH_PASSWORD
from tests.daemon.running_service import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "an example password"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
GREETING = "안녕하세요. 하시는 말씀을 따라 합니다."
LINE = "담당자가 곧 연결됩니다"
OWN = "2002"
PERSON = "1001"

OpenPage = Callable[..., Awaitable[LivePage]]


async def broken(call: AppCall) -> None:
    """Greets, and raises."""
    await call.answer()
    await call.say("주문을 도와드리겠습니다")
    raise LookupError


@pytest_asyncio.fixture(loop_scope="module")
async def switch() -> AsyncIterator[SimulatedSwitch]:
    simulated = SimulatedSwitch(password=SWITCH_PASSWORD, speed=20.0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def parley(switch: SimulatedSwitch, tmp_path: Path) -> AsyncIterator[RunningService]:
    """Parley with the app ``echo`` and one that raises, an operator ``hana`` at an extension and a viewer ``duri``."""
    config = CallAppsConfig(
        no_input=60.0,
        end_silence=0.05,
        app=[
            CallAppConfig(use="echo", codes=["echo-app"]),
            CallAppConfig(name="order", use=f"{__name__}:broken", codes=["order-app"]),
        ],
        fallback=FallbackConfig(announcement="잠시만 기다려 주세요", extension=PERSON),
        outgoing=OutgoingConfig(
            allowed=["010[0-9]{8}"], days=list(get_args(Day)), opens="00:00", closes="24:00", caller="0212345678"
        ),
        takeover=TakeoverConfig(allowed=["30[0-9]{2}"]),
    )
    dial = {"0[0-9]+": "sofia/gateway/trunk/{number}"}
    async with RunningService(tmp_path / "state", switch.port, callapps=config, dial=dial) as service:
        await service.rooms.accounts.add_user("hana", PASSWORD, "operator")
        await service.rooms.accounts.set_extension("hana", OWN)
        await service.rooms.accounts.add_user("duri", PASSWORD, "viewer")
        await switch.subscribers()
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, parley: RunningService, complaints: Complaints) -> AsyncIterator[OpenPage]:
    """Opens the console and signs in."""
    contexts = []

    async def open_page(name: str = "hana", *, size: Any = DESK, dark: bool = False) -> LivePage:
        context = await browser.new_context(
            viewport=size,
            locale="ko-KR",
            timezone_id="Asia/Seoul",
            reduced_motion="reduce",
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        address = f"http://127.0.0.1:{parley.port}"
        complaints.listen(page, address)
        await page.goto(address)
        live = LivePage(page)
        await live.sign_in(name, PASSWORD)
        return live

    expect.set_options(timeout=20_000)
    yield open_page
    for context in contexts:
        await context.close()


async def ring(switch: SimulatedSwitch, caller: str, code: str = "echo-app") -> SimulatedCall:
    """Somebody calls, and is parked for an app."""
    call = await switch.call(code=code, caller=caller)
    await call.park()
    return call


def bar(live: LivePage) -> Locator:
    """The line about the app, and what can be done."""
    return live.page.get_by_test_id("app-bar")


async def ask(live: LivePage, button: str) -> Locator:
    """The question that follows."""
    await bar(live).get_by_role("button", name=button).click()
    dialog = live.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    return dialog


async def audited(parley: RunningService) -> list[tuple[str, str]]:
    """Who did what to calls, oldest first."""
    async with parley.rooms.database.read() as connection:
        rows = await latest_audit(connection, 50)
    return [(row.actor, row.action) for row in rows[::-1] if row.action.startswith("call_")]


async def test_seen_spoken_into_and_taken_over(
    open_page: OpenPage, parley: RunningService, switch: SimulatedSwitch
) -> None:
    live = await open_page()
    call = await ring(switch, "01012345678")
    await expect(live.row("010-1234-5678").get_by_text("앱 듣는 중")).to_be_visible()
    await live.open("010-1234-5678")
    await expect(bar(live)).to_contain_text("echo")
    await expect(bar(live)).to_contain_text("앱 듣는 중")
    await expect(live.page.get_by_text("대기", exact=True)).to_have_count(0)
    await live.until_texts([GREETING])

    dialog = await ask(live, "한마디 하기")
    assert await broken_rules(live.page) == []
    await dialog.get_by_label("들려줄 말").fill(LINE)
    await live.page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(bar(live).get_by_role("status")).to_have_text("들려주었습니다.")
    await live.until_texts([GREETING, LINE])

    dialog = await ask(live, "넘겨받기")
    await expect(dialog.get_by_label("받을 내선")).to_have_value(OWN)
    await expect(dialog).to_contain_text("echo 앱을 끝내고")
    assert await broken_rules(live.page) == []
    await dialog.get_by_role("button", name="넘겨받기").click()
    await expect(bar(live)).to_contain_text("사람이 넘겨받음")
    await expect(bar(live).get_by_role("status")).to_have_text(f"발신자를 {OWN}로 보냈습니다.")
    await expect(live.row("010-1234-5678").get_by_text("연결됨")).to_be_visible()
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == OWN
    assert call.leg.listening == []
    await live.until_texts([GREETING, LINE])
    assert await audited(parley) == [
        ("hana", "call_saying"),
        ("hana", "call_said"),
        ("hana", "call_transferring"),
        ("hana", "call_transferred"),
    ]
    await call.hang_up()


async def test_hung_up_by_the_keyboard(open_page: OpenPage, parley: RunningService, switch: SimulatedSwitch) -> None:
    live = await open_page()
    call = await ring(switch, "01023456789")
    await live.open("010-2345-6789")
    button = bar(live).get_by_role("button", name="끊기")
    await button.focus()
    await live.page.keyboard.press("Enter")
    dialog = live.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await live.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(button).to_be_focused()
    assert call.alive
    await live.page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="끊기").focus()
    await live.page.keyboard.press("Enter")
    await expect(bar(live)).to_contain_text("여기서 끊음")
    await expect(bar(live).get_by_role("button")).to_have_count(0)
    await expect(live.page.locator("#dialogue")).to_be_focused()
    assert call.leg.hangup_cause == "NORMAL_CLEARING"
    assert await audited(parley) == [("hana", "call_hanging_up"), ("hana", "call_hung_up")]


async def test_a_refusal_is_told_in_the_dialog(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    live = await open_page()
    call = await ring(switch, "01034567890")
    await live.open("010-3456-7890")
    dialog = await ask(live, "넘겨받기")
    await dialog.get_by_label("받을 내선").fill("30 03")
    switch.refuse_commands("uuid_transfer")
    switch.core.speed = 0.1  # the announcement lasts until the switch is willing again
    await dialog.get_by_role("button", name="넘겨받기").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("스위치가 거부했습니다.")
    assert await broken_rules(live.page) == []
    switch.refuse_commands()
    switch.core.speed = 20.0
    await live.until_saying("잠시만 기다려 주세요")
    call.leg.thread.stop_current()
    await dialog.get_by_role("button", name="닫기").click()
    await expect(live.row("010-3456-7890").get_by_text("연결됨")).to_be_visible()
    assert call.leg.bridged is not None
    assert call.leg.bridged.profile.destination == PERSON, "the fall-back"
    # Two who talk to each other cannot be spoken to.
    await expect(bar(live).get_by_role("button")).to_have_text(["넘겨받기", "끊기"])
    await call.hang_up()


async def test_a_caller_is_sent_nowhere_but_where_it_is_allowed(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    live = await open_page()
    call = await ring(switch, "01035678901")
    await live.open("010-3567-8901")
    dialog = await ask(live, "넘겨받기")
    await dialog.get_by_label("받을 내선").fill("00822 003 00")
    await dialog.get_by_role("button", name="넘겨받기").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("이 내선으로는 보낼 수 없게 설정되어 있습니다.")
    assert await broken_rules(live.page) == []
    await expect(bar(live)).to_contain_text("앱 듣는 중")
    await call.hang_up()


async def test_who_is_rung_can_be_left_alone_and_nothing_else(
    open_page: OpenPage, parley: RunningService, switch: SimulatedSwitch
) -> None:
    switch.exchange.destinations["01087654321"] = Destination(rings=36_000.0)
    live = await open_page()
    wish = OutgoingRequest(to="01087654321", app="echo")
    placed = await parley.rooms.outgoing.place(wish, actor=Actor("hana", "session"), key="one")
    await live.open("010-8765-4321")
    await expect(live.row("010-8765-4321")).to_contain_text("발신 02-1234-5678")
    await expect(bar(live).get_by_role("button")).to_have_text(["끊기"])
    dialog = await ask(live, "끊기")
    await dialog.get_by_role("button", name="끊기").click()
    await expect(bar(live).get_by_role("button")).to_have_count(0)
    over = await parley.rooms.outgoing.get(placed.call_id)
    assert over is not None
    assert over.state is OutgoingState.CANCELLED


async def test_a_call_that_ends_under_the_question(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    live = await open_page()
    call = await ring(switch, "01045678901")
    await live.open("010-4567-8901")
    dialog = await ask(live, "한마디 하기")
    await dialog.get_by_label("들려줄 말").fill(LINE)
    await call.hang_up()
    await expect(bar(live)).to_contain_text("앱이 있는 동안 통화가 끝남")
    await dialog.get_by_role("button", name="들려주기").click()
    await expect(dialog.get_by_role("alert")).to_have_text("이미 끝난 통화입니다.")
    await expect(dialog.get_by_role("button")).to_have_text(["닫기"])
    await live.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(live.page.locator("#dialogue")).to_be_focused()


async def test_an_app_that_raised_is_told_beside_the_dialogue(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    live = await open_page("duri")
    call = await ring(switch, "01056789012", code="order-app")
    await live.open("010-****-9012")
    await expect(bar(live)).to_contain_text("앱 오류로 끝남")
    await expect(bar(live)).to_contain_text("발신자는 대체 안내로 넘어갔습니다.")
    await live.until_said("잠시만 기다려 주세요")
    assert (await live.texts())[0] == "주문을 도와드리겠습니다"
    assert await broken_rules(live.page) == []
    await call.hang_up()
    await expect(bar(live)).to_contain_text("앱 오류로 끝남")


async def test_viewers_see_and_do_nothing(open_page: OpenPage, switch: SimulatedSwitch) -> None:
    live = await open_page("duri")
    call = await ring(switch, "01067890123")
    await live.open("010-****-0123")
    await expect(bar(live)).to_contain_text("앱 듣는 중")
    await expect(bar(live).get_by_role("button")).to_have_count(0)
    await call.hang_up()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, PHONE])
async def test_everything_has_room(open_page: OpenPage, switch: SimulatedSwitch, size: Any, dark: bool) -> None:
    live = await open_page(size=size, dark=dark)
    call = await ring(switch, "01078901234")
    await expect(live.row("010-7890-1234").get_by_text("앱 듣는 중")).to_be_visible()
    await live.row("010-7890-1234").click()
    await live.settled()
    await expect(bar(live)).to_contain_text("앱 듣는 중")
    await live.check_layout()
    assert await broken_rules(live.page) == []
    for button in ("넘겨받기", "한마디 하기", "끊기"):
        dialog = await ask(live, button)
        await live.check_layout()
        assert await broken_rules(live.page) == []
        box = await dialog.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        await live.page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
    await call.hang_up()
