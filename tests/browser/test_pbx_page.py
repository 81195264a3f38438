"""The PBX page in a real browser, in front of all of Parley and a simulated gateway on a real WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from daemon.actor import Actor
from daemon.demo.pbx_gateway import SimulatedGateway
from daemon.pbx.diversion_service import ANY_VERSION
from protocols.dcmiws.diversions import DiversionKind
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.browser.live_page import LivePage
from tests.daemon.pbx.conftest import ENVIRONMENT, configured
from tests.daemon.running_service import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "an example password"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def simulated() -> AsyncIterator[SimulatedGateway]:
    made = SimulatedGateway({1: "pbx1.example.com", 2: "pbx2.example.com"}, speed=20.0)
    await made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def parley(simulated: SimulatedGateway, tmp_path: Path) -> AsyncIterator[RunningService]:
    """Parley with an operator ``hana`` and a viewer ``duri``."""
    config = configured(simulated.url, ping_interval=0.2, reconnect_cap=0.1, request_timeout=2.0)
    async with RunningService(tmp_path / "state", None, pbx=config, secrets=ENVIRONMENT) as service:
        await service.rooms.accounts.add_user("hana", PASSWORD, "operator")
        await service.rooms.accounts.add_user("duri", PASSWORD, "viewer")
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, parley: RunningService, complaints: Complaints) -> AsyncIterator[OpenPage]:
    """Opens the console, signs in and goes to the PBX page by its link."""
    contexts = []

    async def open_page(name: str = "hana", *, size: Any = DESK) -> Page:
        context = await browser.new_context(
            viewport=size, locale="ko-KR", timezone_id="Asia/Seoul", reduced_motion="reduce"
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        address = f"http://127.0.0.1:{parley.port}"
        complaints.listen(page, address)
        await page.goto(address)
        await LivePage(page).sign_in(name, PASSWORD)
        await page.get_by_role("navigation").get_by_role("link", name="PBX").click()
        await expect(page.get_by_role("heading", name="착신전환")).to_be_visible()
        return page

    expect.set_options(timeout=20_000)
    yield open_page
    for context in contexts:
        await context.close()


async def look_up(page: Page, extension: str) -> None:
    field = page.get_by_label("내선 번호")
    await field.fill(extension)
    await field.press("Enter")
    await expect(page.locator("form[data-kind]")).to_have_count(4)


def form(page: Page, kind: str) -> Locator:
    return page.locator(f'form[data-kind="{kind}"]')


async def test_a_diversion_set_in_the_console_is_on_the_pbx(open_page: OpenPage, simulated: SimulatedGateway) -> None:
    page = await open_page()
    await look_up(page, "1010")
    no_answer = form(page, "NO_ANSWER")
    await expect(no_answer.get_by_text("켜져 있지만 받을 번호가 없어 전환되지 않습니다.")).to_be_visible()
    await no_answer.get_by_label("받을 번호").fill("01012345678")
    await no_answer.get_by_label("받을 번호").press("Enter")
    await expect(no_answer.get_by_text("저장했고, 서버에서 다시 읽어 확인했습니다.")).to_be_visible()
    await expect(no_answer.get_by_text("010-1234-5678로 전환됩니다.")).to_be_visible()
    for stored in simulated.database.values():
        assert "sub-custom-numbers,01012345678,1" in stored.values()
    await no_answer.get_by_role("switch").uncheck(force=True)
    await no_answer.get_by_role("button", name="저장").click()
    await expect(no_answer.get_by_text("꺼져 있습니다. 켜면 010-1234-5678로 전환됩니다.")).to_be_visible()
    await page.reload()
    await expect(form(page, "NO_ANSWER").get_by_text("꺼져 있습니다. 켜면 010-1234-5678로")).to_be_visible()
    await expect(form(page, "NO_ANSWER").get_by_role("switch")).not_to_be_checked()


async def test_two_people_do_not_overwrite_each_other_unseen(open_page: OpenPage, parley: RunningService) -> None:
    page = await open_page()
    await look_up(page, "1010")
    assert parley.rooms.pbx is not None
    somebody = Actor("somebody", "session", "")
    await parley.rooms.pbx.diversions.change(
        "1010", DiversionKind.BUSY, actor=somebody, version=ANY_VERSION, destination="1011"
    )
    busy = form(page, "BUSY")
    await busy.get_by_label("받을 번호").fill("01012345678")
    await busy.get_by_role("button", name="저장").click()
    await expect(busy.get_by_text("그 사이 다른 사람이 바꿨습니다.")).to_be_visible()
    await expect(busy.get_by_text("1011로 전환됩니다.")).to_be_visible()
    await expect(busy.get_by_label("받을 번호")).to_have_value("01012345678")
    await busy.get_by_role("button", name="저장").click()
    await expect(busy.get_by_text("010-1234-5678로 전환됩니다.")).to_be_visible()


async def test_servers_that_disagree_are_shown_as_such(open_page: OpenPage, simulated: SimulatedGateway) -> None:
    page = await open_page()
    await look_up(page, "1012")
    immediate = form(page, "IMMEDIATE")
    await immediate.get_by_label("받을 번호").fill("01012345678")
    await immediate.get_by_role("button", name="저장").click()
    await expect(immediate.get_by_text("010-1234-5678로 전환됩니다.")).to_be_visible()
    stored = simulated.database[2]
    for key in [key for key, value in stored.items() if "01012345678" in value]:
        del stored[key]
    await page.reload()
    await expect(immediate.get_by_text("서버마다 값이 다릅니다.")).to_be_visible()
    await expect(immediate.get_by_role("definition")).to_have_text(["켬 · 010-1234-5678", "켬 · 번호 없음"])


async def test_a_change_that_came_half_true_shows_what_is_stored(
    open_page: OpenPage, simulated: SimulatedGateway
) -> None:
    page = await open_page()
    await simulated.down(2)
    await look_up(page, "1010")
    busy = form(page, "BUSY")
    await busy.get_by_label("받을 번호").fill("01012345678")
    await busy.get_by_role("button", name="저장").click()
    await expect(busy.get_by_role("alert")).to_contain_text("tored on pbx1; not on pbx2")
    await expect(busy.get_by_text("010-1234-5678로 전환됩니다.")).to_be_visible()
    await expect(busy.get_by_role("definition").first).to_have_text("켬 · 010-1234-5678")
    await expect(busy.get_by_role("definition").last).to_contain_text("읽을 수 없음")
    await expect(busy.get_by_role("alert")).to_contain_text("tored on pbx1; not on pbx2")


async def test_what_is_refused_is_said_and_the_draft_stays(open_page: OpenPage) -> None:
    page = await open_page()
    await look_up(page, "1010")
    busy = form(page, "BUSY")
    await busy.get_by_label("받을 번호").fill("010,1")
    await busy.get_by_role("button", name="저장").click()
    await expect(busy.get_by_role("alert")).to_contain_text("comma")
    await expect(busy.get_by_label("받을 번호")).to_have_value("010,1")
    await page.get_by_label("내선 번호").fill("9999")
    await page.get_by_label("내선 번호").press("Enter")
    await expect(page.get_by_text("이 내선의 테넌트를 찾을 수 없습니다.")).to_be_visible()


async def test_a_click_to_call_shows_each_step(open_page: OpenPage) -> None:
    page = await open_page()
    await look_up(page, "1010")
    immediate = form(page, "IMMEDIATE")
    await immediate.get_by_label("받을 번호").fill("01098765432")
    await immediate.get_by_role("button", name="저장").click()
    await expect(immediate.get_by_text("010-9876-5432로 전환됩니다.")).to_be_visible()
    await page.get_by_label("거는 내선").fill("1010")
    await page.get_by_label("상대 번호").fill("07000000801")
    await page.get_by_role("button", name="전화 걸기").click()
    progress = page.get_by_role("region", name="진행 상황")
    await expect(progress.get_by_text("1010은 010-9876-5432로 착신전환되어")).to_be_visible()
    await expect(progress.locator('[data-step="ended"]')).to_be_visible()
    steps = await progress.locator("[data-step]").evaluate_all("all => all.map(one => one.dataset.step)")
    assert steps == [
        "requested",
        "queued",
        "forwarded",
        "caller_ringing",
        "caller_answered",
        "callee_ringing",
        "callee_answered",
        "ended",
    ]
    await expect(progress.locator('[data-step="caller_answered"]')).to_contain_text("전환된 전화에서 받음")
    await expect(progress.locator('[data-step="ended"]')).to_contain_text("정상 종료")
    await progress.get_by_role("link", name="통화 보기").click()
    await expect(page.get_by_role("option", selected=True)).to_contain_text("1010")


async def test_servers_say_how_they_are(open_page: OpenPage, simulated: SimulatedGateway) -> None:
    page = await open_page()
    servers = page.get_by_role("region", name="서버").get_by_role("listitem")
    await expect(servers.filter(has_text="pbx1 서버")).to_contain_text("ms")
    await simulated.stop()
    await expect(page.get_by_text("게이트웨이와 연결이 끊겨")).to_be_visible()
    await simulated.start()
    await expect(servers.filter(has_text="pbx1 서버")).to_contain_text("ms")
    await expect(page.get_by_text("게이트웨이와 연결이 끊겨")).to_have_count(0)


async def test_a_viewer_looks_and_changes_nothing(open_page: OpenPage) -> None:
    page = await open_page("duri")
    await look_up(page, "1010")
    await expect(form(page, "BUSY").get_by_role("switch")).to_be_disabled()
    await expect(form(page, "BUSY").get_by_label("받을 번호")).not_to_be_editable()
    await expect(page.get_by_text("전화를 걸려면 운영 권한이 필요합니다.")).to_be_visible()
    await expect(page.get_by_role("button", name="전화 걸기")).to_have_count(0)


async def test_on_a_phone_nothing_is_cut_off_and_the_rules_are_kept(open_page: OpenPage) -> None:
    page = await open_page(size=PHONE)
    await look_up(page, "1010")
    width: int = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    navigation = await page.get_by_role("navigation").bounding_box()
    assert navigation is not None
    assert navigation["y"] + navigation["height"] <= PHONE["height"]
    last = form(page, "UNAVAILABLE").get_by_label("받을 번호")
    await last.scroll_into_view_if_needed()
    box = await last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= navigation["y"], "the bar covers nothing that was scrolled to"
    assert await broken_rules(page) == []
