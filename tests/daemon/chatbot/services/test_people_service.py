"""People and teams by chat."""

from __future__ import annotations

import pytest

from daemon.chatbot.trying import MINA, add_person
from daemon.demo.directory import ENTRIES
from daemon.demo.webex import PEOPLE
from daemon.directory.contract import Entry
from daemon.stores.database import Database
from daemon.stores.people import PersonRow
from tests.daemon.chatbot.conftest import AnyMemory
from tests.daemon.chatbot.house import ADA, JUN, House, renamed

GILDONG = Entry(
    entry_id="p1", kind="person", name="홍길동", team="인사팀", number="01012345678", description="휴가와 급여"
)
PERSONNEL = Entry(entry_id="t1", kind="team", name="인사팀", number="7100", keywords=("인사과",))


PASSWORD = Entry(
    entry_id="s1", kind="service", name="비밀번호 초기화", team="전산지원팀", number="7201", keywords=("비번 변경",)
)
LIBRARY = Entry(entry_id="s2", kind="service", name="사내 도서관", code="LIB")
DATES = Entry(entry_id="s3", kind="service", name="근무표 등록", code="tgday", number="7301")
SORA = renamed(
    MINA,
    name="sora",
    full_name="이소라",
    email="sora@example.com",
    team="인사팀",
    extension="2003",
    webex_person_id=None,
)


@pytest.fixture
async def house(house: House) -> House:
    return await house.furnish(GILDONG, PERSONNEL, PASSWORD, LIBRARY, DATES, people=(MINA, JUN, ADA, SORA))


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
    assert (await chat.says("메일")).startswith("하던 일(**사람·팀 찾기**)은 그만두었습니다.")


@pytest.mark.parametrize(
    "text", ["박준", "ㅂㅈ", "박쥰", "상담팀 박준 내선", "박준 전화번호 알려줘", "박준 내선번호", "jun"]
)
async def test_who_uses_parley_is_found_as_entries_are(house: House, text: str) -> None:
    assert await house.chat().says(text) == "- **박준** · 상담팀 · 2002 · jun@example\\.com"


async def test_who_came_and_who_left_is_known_at_once(house: House) -> None:
    chat = house.chat()
    assert "찾지 못했습니다" in await chat.says("people 최새봄")
    newcomer = renamed(SORA, name="saebom", full_name="최새봄", email="saebom@example.com", extension="2004")
    await add_person(house.database, newcomer)
    assert "**최새봄** · 인사팀 · 2004" in await chat.says("최새봄")
    await add_person(house.database, renamed(newcomer, full_name="최가을"))
    assert "찾지 못했습니다" in await chat.says("people 새봄")


@pytest.mark.parametrize("text", ["내 번호 뭐야", "내 내선", "내 전화번호 알려줘", "제 내선번호가 뭐예요?"])
@pytest.mark.parametrize("person", [MINA, JUN], ids=["operator", "viewer"])
async def test_ones_own_number(house: House, text: str, person: PersonRow) -> None:
    said = await house.chat(person).says(text)
    assert said == f"- **{person.full_name}** · {person.team} · 내선 {person.extension}"


async def test_who_has_no_extension_is_told(house: House) -> None:
    assert (await house.chat(ADA).says("내 번호")).startswith("등록된 내선이 없습니다.")


@pytest.mark.parametrize("text", ["인사팀 누구 있어", "인사팀에 누가 있어요?", "인사과 팀원 알려줘", "인사팀 명단"])
async def test_who_is_in_a_team(house: House, text: str) -> None:
    assert (await house.chat().says(text)).splitlines() == [
        "**인사팀** · 7100: 2명",
        "",
        "- **이소라** · 인사팀 · 2003 · sora@example\\.com",
        "- **홍길동** · 인사팀 · 01012345678 · 휴가와 급여",
    ]


@pytest.mark.parametrize("text", ["상담팀", "상담팀 누구 있어", "people 상담팀"])
async def test_who_is_in_a_team_that_has_no_number(house: House, text: str) -> None:
    rows = (await house.chat().says(text)).splitlines()
    assert rows == ["**상담팀**: 1명", "", "- **박준** · 상담팀 · 2002 · jun@example\\.com"]


async def test_who_is_in_ones_own_team(house: House) -> None:
    assert (await house.chat(renamed(SORA, webex_person_id="sora-at-webex")).says("우리 팀 누구 있어")).startswith(
        "**인사팀**: 2명"
    )


@pytest.mark.parametrize("text", ["비밀번호 초기화", "비밀번허 초기하", "비번 변경"])
async def test_what_a_team_sees_to_is_told_of(house: House, text: str) -> None:
    assert await house.chat().says(text) == "- **비밀번호 초기화** · 전산지원팀 · 7201"


async def test_a_service_without_a_number_is_not_told_of_and_one_of_the_bot_is_begun(house: House) -> None:
    assert "찾지 못했습니다" in await house.chat().says("사내 도서관")
    assert (await house.chat().says("근무표 등록")).startswith("tgday 날짜를")


async def test_the_demos_bot_finds_what_the_readme_says(database: Database, memory: AnyMemory) -> None:
    house = await House(database, memory).furnish(*ENTRIES, people=PEOPLE)
    chat = house.chat(PEOPLE[0])
    assert await chat.says("비밀번허 초기하") == "- **비밀번호 초기화** · 전산지원팀 · 7201"
    assert await chat.says("ㅎㄱㄷ") == "- **홍길동** · 인사팀 · 2001"
    rows = (await chat.says("인사팀 누구 있어")).splitlines()
    assert [row.split("**")[1] for row in rows if row] == ["인사팀", "이소라", "홍길동"]
    assert "**김민아**" in await chat.says("상담팀 김민아 내선")


async def test_nobody_is_found_and_asked_for_again(house: House) -> None:
    chat = house.chat()
    assert "찾지 못했습니다" in await chat.says("people 세종대왕")
    assert "홍길동" in await chat.says("홍길동")
