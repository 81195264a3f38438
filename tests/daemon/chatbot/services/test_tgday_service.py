"""tgday by chat: entered, shown, changed and cancelled. Today is Wednesday, 9 December 2026."""

from __future__ import annotations

from datetime import date

import pytest

from daemon.stores.tgdays import get_tgday
from tests.daemon.chatbot.house import JUN, House


async def stored(house: House, name: str = "mina") -> date | None:
    async with house.database.read() as connection:
        row = await get_tgday(connection, name)
    return None if row is None else row.date


async def test_a_date_is_entered_by_the_form(house: House) -> None:
    chat = house.chat(JUN)
    assert "날짜를 골라 주십시오" in await chat.says("티지데이")
    assert chat.card is not None
    assert [(field.kind, field.value) for field in chat.card.fields] == [("date", "2026-12-09")]
    assert await chat.fills(date="2026-12-24") == "tgday를 **12월 24일(목)**로 등록했습니다."
    assert await stored(house, "jun") == date(2026, 12, 24)
    assert await house.audit() == [("jun", "chat", "tgday_entered", "jun")]


@pytest.mark.parametrize(
    "text", ["tgday 12/24", "tgday 12월 24일로 해줘", "TGDAY 24일", "tgday 2026-12-24", "티지데이 24일로 해줘"]
)
async def test_a_date_is_entered_in_one_go(house: House, text: str) -> None:
    assert "12월 24일(목)" in await house.chat().says(text)
    assert await stored(house) == date(2026, 12, 24)


async def test_a_date_is_entered_in_words(house: House) -> None:
    chat = house.chat()
    await chat.says("tgday")
    assert "날짜를 알 수 없습니다" in await chat.says("아무 때나")
    assert await chat.says("내일이요") == "tgday를 **12월 10일(목)**로 등록했습니다."
    assert await stored(house) == date(2026, 12, 10)


async def test_a_past_date_is_refused(house: House) -> None:
    chat = house.chat()
    said = await chat.says("tgday 12/8")
    assert said.startswith("12월 8일(화)은 이미 지난 날짜입니다")
    assert await stored(house) is None
    await chat.says("오늘")
    assert await stored(house) == date(2026, 12, 9)


async def test_another_month_is_asked_about(house: House) -> None:
    chat = house.chat()
    said = await chat.says("tgday 1/5")
    assert said.startswith("**2027년 1월 5일(화)**은 이달이 아닙니다")
    assert "날짜를 골라" in await chat.says("아니요")
    assert await stored(house) is None
    await chat.says("1월 6일")
    assert await chat.presses("네") == "tgday를 **2027년 1월 6일(수)**로 등록했습니다."
    assert await stored(house) == date(2027, 1, 6)


async def test_what_stands_is_shown_changed_and_left(house: House) -> None:
    chat = house.chat()
    await chat.says("tgday 24일")
    assert (await chat.says("tgday")).startswith("등록된 tgday는 **12월 24일(목)**입니다")
    assert await chat.presses("그대로 두기") == "그대로 두었습니다."
    await chat.says("tgday")
    assert "등록했습니다" in await chat.says("25일로 바꿔줘")
    await chat.says("tgday")
    await chat.says("바꾸기")
    assert "등록했습니다" in await chat.fills(date="2026-12-30")
    assert await stored(house) == date(2026, 12, 30)


@pytest.mark.parametrize("way", ["press", "words", "at once"])
async def test_it_is_cancelled_only_on_a_yes(house: House, way: str) -> None:
    chat = house.chat()
    await chat.says("tgday 24일")

    async def ask() -> str:
        if way == "at once":
            return await chat.says("tgday 취소")
        await chat.says("tgday")
        return await (chat.presses("등록 지우기") if way == "press" else chat.says("삭제"))

    assert (await ask()).endswith("지울까요?")
    assert await chat.says("아니요") == "그대로 두었습니다."
    assert await stored(house) == date(2026, 12, 24)
    await ask()
    assert await chat.says("네") == "tgday 등록을 지웠습니다."
    assert await stored(house) is None
    assert [row[2] for row in await house.audit()] == ["tgday_entered", "tgday_cancelled"]
    assert (await chat.says("tgday 취소")).startswith("등록된 날짜가 없습니다")


@pytest.mark.parametrize("text", ["25일 지워줘", "24일 취소해줘", "내일 거 삭제"])
async def test_a_date_beside_a_word_for_removing_is_not_entered(house: House, text: str) -> None:
    chat = house.chat()
    await chat.says("tgday 24일")
    await chat.says("tgday")
    assert await chat.says(text) == "등록된 tgday는 **12월 24일(목)**입니다. 지울까요?"
    await chat.says("아니요")
    assert (await chat.says(f"티지데이 {text}")).endswith("지울까요?")
    assert await stored(house) == date(2026, 12, 24)


async def test_a_day_that_there_is_not_is_said(house: House) -> None:
    chat = house.chat()
    await chat.says("tgday 24일")
    assert not (await chat.says("tgday")).startswith("날짜를 알 수 없습니다")
    assert (await chat.says("13월 45일")).startswith("날짜를 알 수 없습니다. 등록된 tgday는")
    assert await stored(house) == date(2026, 12, 24)


async def test_another_service_in_the_place_of_a_date(house: House) -> None:
    chat = house.chat()
    await chat.says("tgday 24일")
    await chat.says("tgday")
    assert (await chat.says("사람 찾기")).startswith("하던 일(**tgday**)은 그만두었습니다.")


async def test_ones_own_alone_is_touched(house: House) -> None:
    await house.chat(JUN).says("tgday 23일")
    await house.chat().says("tgday 24일")
    assert (await stored(house, "jun"), await stored(house)) == (date(2026, 12, 23), date(2026, 12, 24))


async def test_the_day_is_that_of_seoul(house: House) -> None:
    house.now += 15 * 3600.0 - 1.0
    await house.chat().says("tgday 오늘")
    assert await stored(house) == date(2026, 12, 9)
    house.now += 1.0
    await house.chat().says("tgday 오늘")
    assert await stored(house) == date(2026, 12, 10)
