"""People and teams by chat."""

from __future__ import annotations

import pytest

from daemon.chatbot.trying import MINA
from daemon.directory.contract import Entry
from tests.daemon.chatbot.house import ADA, JUN, House

GILDONG = Entry(
    entry_id="p1", kind="person", name="홍길동", team="인사팀", number="01012345678", description="휴가와 급여"
)
PERSONNEL = Entry(entry_id="t1", kind="team", name="인사팀", number="7100", keywords=("인사과",))


@pytest.fixture
async def house(house: House) -> House:
    return await house.furnish(GILDONG, PERSONNEL)


@pytest.mark.parametrize("text", ["홍길동", "ㅎㄱㄷ", "홍길둥"])
async def test_somebody_is_found(house: House, text: str) -> None:
    chat = house.chat()
    assert "누구를 찾으시나요" in await chat.says("사람 찾기")
    assert await chat.says(text) == "- **홍길동** · 인사팀 · 01012345678 · 휴가와 급여"


@pytest.mark.parametrize(("text", "named"), [("홍길동", "홍길동"), ("ㅎㄱㄷ", "홍길동"), ("인사과", "인사팀")])
async def test_who_writes_nothing_but_a_name_is_told_of_it(house: House, text: str, named: str) -> None:
    assert (await house.chat().says(text)).startswith(f"- **{named}** · ")


@pytest.mark.parametrize("text", ["메일 보내기", "통화 내역", "오늘 통화 보여줘"])
async def test_a_service_that_is_asked_for_is_no_name(house: House, text: str) -> None:
    await house.furnish(Entry(entry_id="t2", kind="team", name="통화품질팀", number="7200"), people=())
    assert "통화품질팀" not in await house.chat().says(text)


async def test_a_team_is_found_in_one_go(house: House) -> None:
    said = await house.chat().says("people 인사과")
    assert said.startswith("- **인사팀** · 7100")


async def test_numbers_are_shown_by_role_and_never_where_others_read_along(house: House) -> None:
    assert "010\\*\\*\\*\\*5678" in await house.chat(JUN).says("people 홍길동")
    assert "01012345678" in await house.chat(ADA).says("people 홍길동")
    assert "010\\*\\*\\*\\*5678" in await house.chat(ADA, room_id="R", is_group=True).says("people 홍길동")


async def test_a_number_is_shown_to_nobody_where_the_configuration_says_so(house: House) -> None:
    house.config.web.full_numbers = "nobody"
    assert "010\\*\\*\\*\\*5678" in await house.chat(ADA).says("people 홍길동")


async def test_registered_people_are_found_too(house: House) -> None:
    assert await house.chat().says("people 박준") == "- **박준** · 상담팀 · 2002 · jun@example\\.com"
    assert "이다" in await house.chat(MINA).says("people ada")


async def test_another_service_in_the_place_of_a_name(house: House) -> None:
    chat = house.chat()
    await chat.says("사람 찾기")
    assert (await chat.says("tgday")).startswith("하던 일(**사람·팀 찾기**)은 그만두었습니다.")


async def test_nobody_is_found_and_asked_for_again(house: House) -> None:
    chat = house.chat()
    assert "찾지 못했습니다" in await chat.says("people 세종대왕")
    assert "홍길동" in await chat.says("홍길동")
