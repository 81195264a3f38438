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


async def test_nobody_is_found_and_asked_for_again(house: House) -> None:
    chat = house.chat()
    assert "찾지 못했습니다" in await chat.says("people 세종대왕")
    assert "홍길동" in await chat.says("홍길동")
