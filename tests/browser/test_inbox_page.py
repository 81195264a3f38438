"""The inbox page in a real browser, in front of all of Parley, real deliveries and a destination that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, expect

from daemon.config import DestinationConfig, InboxConfig, SourceConfig
from daemon.inbox.contract import Delivery, RetryLaterError
from daemon.inbox.destinations import source_of
from daemon.inbox.forwarding import ForwardingHandler, as_it_is
from daemon.inbox.handlers import NamedHandler
from protocols.webhooks import github
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.browser.live_page import LivePage
from tests.daemon.running_service import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "an example password"
SECRET = "an example secret"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Awaitable[Page]]


class Customer:
    """Where webhooks are forwarded to: answers with :attr:`status`."""

    def __init__(self) -> None:
        self.status = 503
        self.bodies: list[bytes] = []
        """Of those that it took."""
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hooks", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status == 200:
            self.bodies.append(body)
        return web.Response(status=self.status)


class Provider:
    """Delivers as GitHub does."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._count = 0

    async def push(self, body: bytes, event: str = "push") -> str:
        """Deliver; returns the delivery's id."""
        self._count += 1
        headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": f"example-{self._count}"}
        async with self._http.post("/webhooks/github", data=body, headers=headers | github.sign(SECRET, body)) as reply:
            assert reply.status == 202, await reply.text()
            delivery_id: str = (await reply.json())["delivery_id"]
            return delivery_id


@pytest_asyncio.fixture(loop_scope="module")
async def customer() -> AsyncIterator[Customer]:
    made = Customer()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def parley(customer: Customer, tmp_path: Path) -> AsyncIterator[RunningService]:
    """Parley with an admin ``hana`` and a viewer ``duri``. What GitHub delivers goes on to ``customer``, and a
    ``release`` waits for a handler that has yet to be let go."""
    config = InboxConfig(
        retries=[0.05],
        source=[SourceConfig(name="github", kind="github")],
        destination=[
            DestinationConfig(
                name="customer",
                url=f"http://127.0.0.1:{customer.port}/hooks",
                signed=False,
                private_networks=["127.0.0.1/32"],
            )
        ],
    )
    secrets = {"PARLEY_SOURCE_GITHUB_SECRET": SECRET}
    async with RunningService(tmp_path / "state", None, inbox=config, secrets=secrets) as running:
        service = running.service
        forward = ForwardingHandler(
            service.rooms.inbox, service.rooms.inbox.redactions, source_of("customer"), as_it_is
        )
        handlers = service.rooms.inbox.handlers
        handlers.add(NamedHandler(name="forward", source="github", event="push", handle=forward.handle))
        handlers.add(NamedHandler(name="later", source="github", event="release.*", handle=_later))
        await service.rooms.accounts.add_user("hana", PASSWORD, "admin")
        await service.rooms.accounts.add_user("duri", PASSWORD, "viewer")
        yield running


async def _later(_: Delivery) -> None:
    raise RetryLaterError("the shop is closed", after=3_600)


@pytest_asyncio.fixture(loop_scope="module")
async def provider(parley: RunningService) -> AsyncIterator[Provider]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{parley.port}") as http:
        yield Provider(http)


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, parley: RunningService, complaints: Complaints) -> AsyncIterator[OpenPage]:
    """Opens ``/admin`` and signs in."""
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
        await page.goto(f"{address}/admin")
        await expect(page.get_by_label("사용자 이름")).to_be_focused()
        await page.keyboard.type(name)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main")).to_be_visible()
        return page

    expect.set_options(timeout=20_000)
    yield open_page
    for context in contexts:
        await context.close()


def rows(page: Page) -> Locator:
    return page.locator("[data-delivery]")


def opened(page: Page) -> Locator:
    return page.get_by_role("article")


async def choose(page: Page, name: str, label: str) -> None:
    """Choose in one of the filter's lists, which are behind their summary."""
    field = page.get_by_role("search").get_by_label(name, exact=True)
    if not await field.is_visible():
        await page.get_by_role("search").locator("summary").click()
    await field.select_option(label=label)


async def test_a_failed_delivery_is_found_read_replayed_and_done(
    open_page: OpenPage, provider: Provider, customer: Customer
) -> None:
    page = await open_page()
    await provider.push('{"ref":"refs/heads/main","note":"배송 안내","id":12345678901234567890}'.encode())
    await choose(page, "상태", "실패")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("send-customer: HTTP 503")
    await rows(page).click()
    delivery = opened(page)
    await expect(delivery.get_by_role("heading", name="마지막 오류")).to_be_visible()
    await expect(delivery.locator("[data-run=failed]")).to_have_count(2)
    await expect(delivery.locator("[data-run=failed]").first).to_contain_text("send-customer")
    await expect(delivery.locator("[data-run=failed]").first).to_contain_text("HTTP 503")
    await expect(delivery.get_by_label("본문").locator("visible=true").last).to_contain_text('"note": "배송 안내"')
    await expect(delivery.locator("pre")).to_contain_text("12345678901234567890")
    customer.status = 200
    await delivery.get_by_role("button", name="다시 처리").click()
    asked = page.get_by_role("dialog", name="다시 처리할까요?")
    await expect(asked).to_contain_text("실패한 처리기를 다시 실행합니다.")
    await asked.get_by_role("button", name="다시 처리").click()
    await expect(asked).to_be_hidden()
    await expect(delivery.get_by_role("heading", level=2)).to_be_focused()
    await expect(delivery.locator("[data-state=done]")).to_be_visible()
    await expect(delivery.locator("[data-run]").first).to_have_attribute("data-run", "done")
    await expect(delivery.get_by_role("heading", name="마지막 오류")).to_have_count(0)
    assert [body[:6] for body in customer.bodies] == [b'{"ref"']
    # It is no failed one any more, so the list of these is without it; it stays open.
    await page.mouse.move(1000, 500)
    await expect(rows(page)).to_have_count(0)
    await expect(page.get_by_text("찾는 전달이 없습니다.")).to_be_visible()
    await expect(delivery).to_be_visible()


async def test_many_are_counted_and_then_replayed(open_page: OpenPage, provider: Provider, customer: Customer) -> None:
    page = await open_page()
    for number in range(2):
        await provider.push(b'{"number":%d}' % number)
    await choose(page, "상태", "실패")
    await expect(rows(page)).to_have_count(2)
    customer.status = 200
    await page.get_by_role("button", name="찾은 것 모두 다시 처리").click()
    asked = page.get_by_role("dialog", name="한꺼번에 다시 처리")
    await expect(asked).to_contain_text("처리가 끝난 전달은 2건입니다.")
    assert await broken_rules(page) == []
    await asked.get_by_label("1초에 처리할 건수").fill("0")
    await expect(asked.get_by_role("button", name="2건 다시 처리")).to_be_disabled()
    await asked.get_by_label("1초에 처리할 건수").fill("500")
    assert customer.bodies == [], "counting does nothing"
    await asked.get_by_role("button", name="2건 다시 처리").click()
    await expect(asked).to_contain_text("2건을 다시 처리하도록 했습니다.")
    await asked.get_by_role("button", name="닫기").click()
    await choose(page, "상태", "완료")
    await choose(page, "소스", "to:customer")
    await expect(rows(page)).to_have_count(2)
    assert sorted(customer.bodies) == [b'{"number":%d}' % number for number in range(2)]


async def test_one_that_waits_is_cancelled_and_a_second_time_is_refused_in_words(
    open_page: OpenPage, provider: Provider, parley: RunningService
) -> None:
    page = await open_page()
    delivery_id = await provider.push(b'{"action":"published"}', "release")
    row = page.locator(f'[data-delivery="{delivery_id}"]')
    await expect(row).to_contain_text("재시도 대기")
    await expect(row).to_contain_text("later: the shop is closed")
    await row.click()
    await opened(page).get_by_role("button", name="처리 취소").click()
    asked = page.get_by_role("dialog", name="처리를 취소할까요?")
    await asked.get_by_role("button", name="그만두기").click()
    await expect(asked).to_be_hidden()
    # Somebody else is faster.
    await opened(page).get_by_role("button", name="처리 취소").click()
    token = await parley.rooms.accounts.new_token("somebody", "admin")
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.post(f"http://127.0.0.1:{parley.port}/api/v1/inbox/deliveries/{delivery_id}/cancel") as reply,
    ):
        assert reply.status == 200
    await asked.get_by_role("button", name="처리 취소").click()
    await expect(asked.get_by_role("alert")).to_contain_text("이미 처리가 끝나 취소할 수 없습니다.")
    await asked.get_by_role("button", name="닫기").click()
    await expect(opened(page).locator("[data-state=cancelled]")).to_be_visible()
    await expect(row.locator("[data-state=cancelled]")).to_be_visible()


async def test_it_is_found_by_what_is_known_of_it(open_page: OpenPage, provider: Provider) -> None:
    page = await open_page()
    first = await provider.push('{"note":"예약 변경"}'.encode(), "issues")
    second = await provider.push('{"note":"배송 문의"}'.encode(), "ping")
    await expect(rows(page)).to_have_count(2)
    search = page.get_by_role("search")
    text = search.get_by_label("아이디, 키, 이벤트, 오류")
    await text.fill(second)
    await text.press("Enter")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_contain_text("ping")
    await text.fill("")
    await search.locator("summary").click()
    body = search.get_by_label("본문에 있는 말")
    await body.fill("예약")
    await body.press("Enter")
    await expect(search.get_by_role("alert")).to_have_text("본문에서 찾으려면 받은 때를 정해 주세요. 최대 7일입니다.")
    await choose(page, "받은 때", "지난 1시간")
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_have_attribute("data-delivery", first)
    await expect(search.get_by_role("alert")).to_have_text("")
    await search.get_by_role("button", name="조건 지우기").click()
    await expect(rows(page)).to_have_count(2)
    await text.fill("written, and not sent")
    await search.get_by_role("button", name="조건 지우기").click()
    await expect(text).to_have_value("")


async def test_what_comes_in_does_not_move_what_somebody_reads(open_page: OpenPage, provider: Provider) -> None:
    page = await open_page()
    await asyncio.gather(*(provider.push(b'{"number":%d}' % number, "ping") for number in range(60)))
    await page.mouse.move(1000, 500)
    await expect(rows(page).nth(49)).to_be_attached()
    await page.get_by_role("button", name="더 보기").scroll_into_view_if_needed()
    await page.get_by_role("button", name="더 보기").click()
    await expect(rows(page).nth(59)).to_be_attached()
    await expect(page.get_by_text("더 오래된 것은 없습니다.")).to_be_visible()
    read = rows(page).nth(40)
    await read.scroll_into_view_if_needed()
    name, before = await read.get_attribute("data-delivery"), await read.bounding_box()
    newest = await provider.push(b"{}", "ping")
    fresh = page.get_by_role("button", name="새 전달 1건 보기")
    await expect(fresh).to_be_visible()
    assert await page.locator(f'[data-delivery="{name}"]').bounding_box() == before
    await fresh.click()
    await expect(rows(page).first).to_have_attribute("data-delivery", newest)
    await expect(rows(page).first).to_be_in_viewport()


async def test_what_is_no_json_is_shown_as_it_came(open_page: OpenPage, provider: Provider) -> None:
    form, other = await provider.push(b"a=1&b=2", "ping"), await provider.push(b"\xff\xfe", "ping")
    page = await open_page()
    for delivery_id, said, shown in (
        (form, "JSON이 아니어서 그대로 보여 줍니다.", "a=1&b=2"),
        (other, "텍스트가 아니어서 base64로 보여 줍니다.", "//4="),
    ):
        await page.locator(f'[data-delivery="{delivery_id}"]').click()
        await expect(opened(page).get_by_text(said)).to_be_visible()
        await expect(opened(page).locator("pre")).to_have_text(shown)


async def test_a_viewer_does_not_get_in(open_page: OpenPage, provider: Provider) -> None:
    await provider.push(b"{}")
    page = await open_page("duri")
    await expect(page.get_by_role("heading", name="수신함은 관리 권한이 있는 사람만 볼 수 있습니다.")).to_be_visible()
    await expect(page.get_by_role("navigation").get_by_role("link", name="수신함")).to_have_count(0)
    await expect(rows(page)).to_have_count(0)
    assert await broken_rules(page) == []


async def test_a_role_that_is_taken_away_closes_the_page(
    open_page: OpenPage, provider: Provider, parley: RunningService
) -> None:
    page = await open_page()
    await provider.push(b"{}")
    await expect(rows(page).first).to_be_visible()
    await parley.rooms.accounts.set_role("hana", "viewer")
    await expect(page.get_by_role("heading", name="수신함은 관리 권한이 있는 사람만 볼 수 있습니다.")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_the_rules_are_kept_and_nothing_is_cut_off(open_page: OpenPage, provider: Provider, size: Any) -> None:
    page = await open_page(size=size)
    await provider.push(b'{"long":"%s"}' % (b"x" * 5_000))
    await choose(page, "받은 때", "직접 지정")
    await expect(rows(page).filter(has_text="실패")).to_be_visible()
    if size is DESK:
        await LivePage(page).check_layout()
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert await broken_rules(page) == []
    failed = rows(page).filter(has_text="실패")
    await failed.click()
    await expect(opened(page).locator("pre")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert await broken_rules(page) == []
    await page.keyboard.press("Escape")
    await expect(opened(page)).to_have_count(0)
    await expect(failed).to_be_focused()
