"""The page of people in a real browser, in front of all of Parley and a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from daemon.accounts.people_file import read_people
from daemon.actor import Actor
from daemon.mail.sealing import new_key
from daemon.mail.settings import MailAccount
from tests.browser.accessibility import broken_rules
from tests.browser.conftest import Complaints
from tests.browser.live_page import LivePage
from tests.daemon.mail.post_office import PostOffice
from tests.daemon.running_service import RunningService

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "an example password"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
FILE = (
    "아이디,이름,이메일,팀,팀장 이메일,역할,내선\n"
    "mina,김미나,mina@example.com,영업팀,lead@example.com,운영,2001\n"
    "jun,박준,jun@example.com,상담팀,,,2002\n"
    ",한소라,sora@example.com,상담팀,,,\n"
)

ROOM_BESIDE_PLACEHOLDER = """(input) => {
    const style = getComputedStyle(input);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const cross = parseFloat(style.fontSize);  // which empties the field
    const around = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) + cross;
    return input.clientWidth - around - pen.measureText(input.placeholder).width;
}"""

OpenPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    await office.start()
    yield office
    await office.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def parley(tmp_path: Path) -> AsyncIterator[RunningService]:
    """Parley with three people in two teams, an admin ``chief`` and an operator ``hana``."""
    secrets = {"PARLEY_MAIL_PASSWORD_KEY": new_key()}
    async with RunningService(tmp_path / "state", None, secrets=secrets) as service:
        await service.rooms.people.import_people(read_people(FILE.encode()), by=Actor("", "command"))
        await service.rooms.accounts.add_user("chief", PASSWORD, "admin")
        await service.rooms.accounts.add_user("hana", PASSWORD, "operator")
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(browser: Browser, parley: RunningService, complaints: Complaints) -> AsyncIterator[OpenPage]:
    """Opens the console and signs in; as an admin also the page of people, by its link."""
    contexts = []

    async def open_page(name: str = "chief", *, size: Any = DESK, **more: Any) -> Page:
        context = await browser.new_context(
            viewport=size, locale="ko-KR", timezone_id="Asia/Seoul", reduced_motion="reduce", **more
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        address = f"http://127.0.0.1:{parley.port}"
        complaints.listen(page, address)
        await page.goto(address)
        await LivePage(page).sign_in(name, PASSWORD)
        if name == "chief":
            await page.get_by_role("navigation").get_by_role("link", name="사람").click()
            await expect(page.get_by_role("heading", name="메일", exact=True)).to_be_visible()
        return page

    expect.set_options(timeout=20_000)
    yield open_page
    for context in contexts:
        await context.close()


def row(page: Page, name: str) -> Locator:
    return page.locator(f'[data-person="{name}"]')


async def test_a_person_edited_here_is_so_everywhere(open_page: OpenPage, parley: RunningService) -> None:
    page = await open_page()
    await expect(page.locator("[data-person]")).to_have_count(5)
    await page.get_by_label("이름, 이메일, 팀, 내선으로 찾기").fill("상담")
    await expect(page.locator("[data-person]")).to_have_count(2)
    await expect(page.get_by_text("5명 중 2명")).to_be_visible()
    await row(page, "jun").click()
    form = page.get_by_role("dialog", name="박준 고치기")
    await expect(form.get_by_label("아이디")).not_to_be_editable()
    await form.get_by_label("이름").fill("박준호")
    await form.get_by_label("역할").select_option("관리")
    await form.get_by_label("팀").select_option("영업팀")
    await form.get_by_label("내선").fill("2100")
    await form.get_by_label("새 비밀번호").fill(PASSWORD)
    await form.get_by_role("button", name="저장").click()
    await expect(form).to_have_count(0)
    await expect(page.get_by_text("박준호, 저장했습니다.")).to_be_visible()
    await page.get_by_label("이름, 이메일, 팀, 내선으로 찾기").fill("")
    await expect(row(page, "jun")).to_contain_text("박준호")
    await expect(row(page, "jun")).to_contain_text("영업팀")
    await expect(row(page, "jun")).to_contain_text("내선 2100")
    await expect(row(page, "jun")).not_to_contain_text("비밀번호 없음")
    await expect(page.locator('[data-team="영업팀"]')).to_contain_text("2명")
    person = (await parley.rooms.people.get_person("jun")).row
    assert (person.full_name, person.role, person.team, person.extension) == ("박준호", "admin", "영업팀", "2100")
    session = await parley.rooms.accounts.sign_in("jun", PASSWORD, "127.0.0.1")
    assert session.account.role == "admin"


async def test_somebody_is_added_by_their_address_and_removed(open_page: OpenPage, parley: RunningService) -> None:
    page = await open_page()
    await page.get_by_role("button", name="사람 추가").click()
    form = page.get_by_role("dialog", name="사람 추가")
    await form.get_by_label("이름").fill("최하늘")
    await form.get_by_label("이메일").fill("mina@example.com")
    await form.get_by_role("button", name="저장").click()
    await expect(form.get_by_role("alert")).to_have_text("이미 다른 사람의 이메일입니다: mina")
    await form.get_by_label("이메일").fill("Sky@example.com")
    await form.get_by_role("button", name="저장").click()
    await expect(row(page, "sky@example.com")).to_contain_text("최하늘")
    await row(page, "sky@example.com").click()
    await page.get_by_role("dialog").get_by_role("button", name="삭제").click()
    question = page.get_by_role("dialog", name="최하늘을 삭제할까요?")
    await question.get_by_role("button", name="삭제").click()
    await expect(row(page, "sky@example.com")).to_have_count(0)
    await expect(page.get_by_text("최하늘, 삭제했습니다.")).to_be_visible()
    assert "sky@example.com" not in [one.row.name for one in await parley.rooms.people.list_people()]


async def test_whoever_was_saved_is_shown_also_where_their_password_was_refused(open_page: OpenPage) -> None:
    page = await open_page()
    await page.get_by_role("button", name="사람 추가").click()
    form = page.get_by_role("dialog", name="사람 추가")
    await form.get_by_label("이메일").fill("sky@example.com")
    await form.get_by_label("새 비밀번호").fill("aaaaaaaaaaaa")
    await form.get_by_role("button", name="저장").click()
    refusal = "나머지는 저장했지만 비밀번호는 바꾸지 못했습니다. 비밀번호의 글자가 너무 단순합니다."
    await expect(form.get_by_role("alert")).to_have_text(refusal)
    await form.get_by_role("button", name="취소").click()
    await expect(row(page, "sky@example.com")).to_contain_text("비밀번호 없음")


async def test_a_test_letter_waits_for_the_mail_server_s_own_answer(
    open_page: OpenPage, office: PostOffice, parley: RunningService
) -> None:
    account = MailAccount(sender="parley@example.com", host="127.0.0.1", port=office.port, tls="none")
    mail = parley.rooms.mail
    await mail.settings.save(account, keep_password=False, by=Actor("", "command"))
    page = await open_page()
    await page.evaluate(
        """() => {
            const timeout = AbortSignal.timeout.bind(AbortSignal);
            AbortSignal.timeout = (ms) => timeout((window.patience = ms));
        }"""
    )
    await page.get_by_label("시험 메일을 받을 주소").fill("mina@example.com")
    await page.get_by_role("button", name="시험 메일 보내기").click()
    await expect(page.get_by_text("메일 서버가 받았습니다: mina@example.com")).to_be_visible()
    assert await page.evaluate("window.patience") >= mail.patience * 1000


async def test_a_team_is_made_changed_and_removed(open_page: OpenPage, parley: RunningService) -> None:
    page = await open_page()
    await page.get_by_role("button", name="팀 추가").click()
    form = page.get_by_role("dialog", name="팀 추가")
    await form.get_by_label("팀 이름").fill("기술팀")
    await form.get_by_role("button", name="저장").click()
    team = page.locator('[data-team="기술팀"]')
    await expect(team).to_contain_text("0명 · 팀장 이메일 없음")
    await team.click()
    form = page.get_by_role("dialog", name="기술팀 고치기")
    await form.get_by_label("팀장 이메일").fill("tech@example.com")
    await form.get_by_role("button", name="저장").click()
    await expect(team).to_contain_text("tech@example.com")
    await page.locator('[data-team="상담팀"]').click()
    await page.get_by_role("dialog").get_by_role("button", name="삭제").click()
    question = page.get_by_role("dialog", name="상담팀을 삭제할까요?")
    await expect(question).to_contain_text("2명은 팀이 없는 사람이 됩니다.")
    await question.get_by_role("button", name="삭제").click()
    await expect(page.locator("[data-team]")).to_have_count(2)
    await expect(row(page, "jun")).not_to_contain_text("상담팀")
    teams = {team.row.name: team.row.manager_email for team in await parley.rooms.people.list_teams()}
    assert teams == {"기술팀": "tech@example.com", "영업팀": "lead@example.com"}


async def test_one_s_own_role_is_for_others_to_change(open_page: OpenPage) -> None:
    page = await open_page()
    await row(page, "chief").click()
    form = page.get_by_role("dialog")
    await expect(form.get_by_label("역할")).to_be_disabled()
    await expect(form.get_by_role("button", name="삭제")).to_have_count(0)


async def test_mail_is_set_and_tried_out(open_page: OpenPage, office: PostOffice, parley: RunningService) -> None:
    page = await open_page()
    mail = page.get_by_role("region", name="메일")
    await expect(mail.get_by_text("아직 메일 설정이 없습니다.")).to_be_visible()
    await mail.get_by_label("암호화").select_option("TLS (보통 465)")
    await expect(mail.get_by_label("포트")).to_have_value("465")
    await mail.get_by_label("암호화").select_option("없음")
    await mail.get_by_label("서버").fill("127.0.0.1")
    await mail.get_by_label("포트").fill(str(office.port))
    await mail.get_by_label("보내는 주소").fill("parley@example.com")
    await mail.get_by_label("기본 받는 주소").fill("lead@example.com")
    await mail.get_by_role("button", name="저장").click()
    await expect(mail.get_by_text("저장했습니다.")).to_be_visible()
    await mail.get_by_role("button", name="시험 메일 보내기").click()
    await expect(mail.get_by_text("메일 서버가 받았습니다: lead@example.com")).to_be_visible()
    office.says = {"mina@example.com": ["550 No such user"]}
    await mail.get_by_label("시험 메일을 받을 주소").fill("mina@example.com")
    await mail.get_by_role("button", name="시험 메일 보내기").click()
    await expect(mail.get_by_text("메일 서버가 거절했습니다: 550 No such user", exact=True)).to_be_visible()
    assert [taken.recipients for taken in office.taken] == [["lead@example.com"]]
    # A password is never shown again, and stays with its server.
    await mail.get_by_label("비밀번호", exact=True).fill("an example secret")
    await mail.get_by_role("button", name="저장").click()
    await expect(mail.get_by_text("저장되어 있습니다. 바꿀 때만 넣습니다.")).to_be_visible()
    await expect(mail.get_by_label("비밀번호", exact=True)).to_have_value("")
    await mail.get_by_label("서버").fill("mail.example.net")
    await expect(mail.get_by_text("비밀번호를 다시 넣어야 합니다.")).to_be_visible()
    await mail.get_by_role("button", name="저장").click()
    await expect(mail.get_by_role("alert").filter(has_text="비밀번호는 다른 서버나 주소의 것입니다.")).to_be_visible()
    await mail.get_by_label("비밀번호 없이 보내기").check()
    await mail.get_by_role("button", name="저장").click()
    await expect(mail.get_by_label("비밀번호 없이 보내기")).to_have_count(0)
    account = await parley.rooms.mail.settings.account()
    assert (account.host, account.password) == ("mail.example.net", "")
    await mail.get_by_role("button", name="설정 지우기").click()
    await page.get_by_role("dialog").get_by_role("button", name="설정 지우기").click()
    await expect(mail.get_by_text("아직 메일 설정이 없습니다.")).to_be_visible()
    await expect(mail.get_by_label("서버")).to_have_value("")


async def test_it_is_for_admins_alone(open_page: OpenPage) -> None:
    page = await open_page("hana")
    await expect(page.get_by_role("link", name="사람")).to_have_count(0)
    await page.goto(f"{page.url.partition('#')[0]}#/people")
    await expect(page.get_by_role("heading", name="관리자만 볼 수 있습니다")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_nothing_is_cut_off_and_the_rules_are_kept(open_page: OpenPage, scheme: str) -> None:
    page = await open_page(size=PHONE, color_scheme=scheme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.get_by_role("searchbox").evaluate(ROOM_BESIDE_PLACEHOLDER) >= 0
    assert await broken_rules(page) == []
    navigation = await page.get_by_role("navigation").bounding_box()
    assert navigation is not None
    last = page.get_by_role("region", name="메일").get_by_role("button", name="저장")
    await last.scroll_into_view_if_needed()
    box = await last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= navigation["y"], "the bar covers nothing that was scrolled to"
    await row(page, "mina").click()
    await expect(page.get_by_role("dialog", name="김미나 고치기")).to_be_visible()
    assert await page.evaluate("document.querySelector('dialog[open]').scrollWidth") <= PHONE["width"]
    assert await broken_rules(page) == []
