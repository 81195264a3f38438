"""Who is on the phone, and today's calls."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.chatbot.trying import MINA, add_person
from daemon.stores.calls import CallRow, save_calls
from tests.daemon.calls.story import Story
from tests.daemon.chatbot.house import ADA, JUN, NOW, House, renamed
from tests.daemon.stores.rows import call_row, leg_row

SORA = renamed(JUN, name="sora", full_name="소라", email=None, extension="3001", tenant="other", webex_person_id=None)


@pytest.fixture
async def busy(house: House) -> House:
    """Mina and Sora, who is of another tenant, are on the phone; Jun was."""
    story = Story()
    story.now = NOW - 130.0
    story.appear("a", caller="01099998888", callee="07000001004")
    story.appear("b", "a", callee="2001")
    story.appear("c", caller="3001", callee="01011112222")
    story.appear("d", caller="2002", callee="01011112222")
    story.end("d")
    house.calls.all = story.registry.calls()
    await add_person(house.database, SORA)
    return house


async def test_colleagues_of_ones_tenant_are_shown_by_role(busy: House) -> None:
    said = await busy.chat().says("지금 누가 통화중이야?")
    assert "**김미나** · 영업팀 · 2001 · 2분째" in said
    assert "소라" not in said
    assert "박준" not in said
    viewers = await busy.chat(JUN).says("on_the_phone")
    assert "**김미나** · 영업팀 · \\*\\*\\*\\*01 · 2분째" in viewers
    everybody = await busy.chat(ADA).says("on_the_phone")
    assert "소라" in everybody
    assert "01099998888" not in everybody


async def test_nobody_is_on_the_phone(house: House) -> None:
    assert await house.chat().says("통화 중") == "지금은 아무도 통화 중이 아닙니다."


def call(call_id: str, at: float, caller: str, callee: str, **changes: Any) -> CallRow:
    leg = leg_row(call_id, caller=caller, callee=callee)
    times = {"created_at": at, "answered_at": at + 5.0, "ended_at": at + 95.0, "disposition": "answered"}
    fields = {"caller": caller, "caller_name": "", "callee": callee, "did": callee, "legs": [leg]}
    return call_row(call_id, **(fields | times | changes))


async def keep(house: House, *rows: CallRow) -> None:
    async with house.database.transaction() as connection:
        await save_calls(connection, rows)


async def test_ones_own_calls_of_today_with_links(house: House) -> None:
    midnight = NOW - 9 * 3600.0
    to_mina = [leg_row("x1"), leg_row("x2", caller="01055556666", callee="2001")]
    await keep(
        house,
        call("yesterday", midnight - 1.0, "2001", "01077778888"),
        call("first", midnight, "2001", "01077778888"),
        call(
            "second", NOW - 60.0, "01055556666", "07000001004", legs=to_mina, answered_at=None, disposition="no_answer"
        ),
        call("others", NOW - 30.0, "2002", "01077778888"),
        call("now", NOW - 5.0, "2001", "2002", ended_at=None, state="answered", disposition=None),
    )
    rows = (await house.chat().says("오늘 통화 내역")).splitlines()
    link = "[대화록](https://parley.example.com/#/calls/"
    assert rows == [
        "오늘 통화는 3건입니다. 부재중 전화가 1건 있습니다.",
        "",
        f"- 08:59 건 전화 · 2002 · 통화 중 · {link}now)",
        f"- 08:59 온 전화 · 01055556666 · **부재중** · {link}second)",
        f"- 00:00 건 전화 · 01077778888 · 1분 30초 · {link}first)",
    ]


@pytest.mark.parametrize(
    ("seconds", "lasted"), [(15.9, "15초"), (60.0, "1분"), (61.0, "1분 1초"), (3_660.0, "61분"), (0.5, "통화함")]
)
async def test_how_long_a_call_lasted(house: House, seconds: float, lasted: str) -> None:
    began = NOW - 7_200.0
    await keep(house, call("a", began, "2001", "2002", answered_at=began, ended_at=began + seconds))
    assert (await house.chat().says("오늘 통화")).splitlines()[2].split(" · ")[2] == lasted


async def test_who_asks_for_transcripts_where_no_links_can_be_given_is_told(house: House) -> None:
    await keep(house, call("a", NOW - 60.0, "2001", "2002"))
    assert "](https://parley.example.com/#/calls/a)" in await house.chat().says("대화록")
    house.config.chatbot.console_url = ""
    assert (await house.chat().says("대화록")).endswith("콘솔의 통화 기록에서 보십시오.")
    assert "대화록" not in await house.chat().says("오늘 통화")
    assert "대화록" not in await house.chat().says("도움말")


MISSED: dict[str, Any] = {"answered_at": None, "disposition": "no_answer"}


@pytest.fixture
async def called(house: House) -> House:
    """Mina was called in vain an hour ago and yesterday, and talked or called in vain herself between."""
    day = 24 * 3600.0
    await keep(
        house,
        call("vain", NOW - 3600.0, "01055556666", "2001", **MISSED),
        call("talked", NOW - 1800.0, "01077778888", "2001"),
        call("out", NOW - 900.0, "2001", "01044443333", **MISSED),
        call("of-others", NOW - 600.0, "01055556666", "2002", **MISSED),
        call("yesterday-vain", NOW - day, "01022223333", "2001", **MISSED | {"disposition": "abandoned"}),
        call("yesterday", NOW - day + 60.0, "01066667777", "2001"),
        call("friday", NOW - 5 * day, "01012121212", "2001"),
    )
    return house


@pytest.mark.parametrize(
    "text",
    ["부재중", "부재중 전화 보여줘", "누구 부재중이야", "오늘 부재중 있어?", "못 받은 전화 있어?", "부재중 통화 확인"],
)
async def test_the_calls_that_nobody_answered_are_asked_for(called: House, text: str) -> None:
    rows = (await called.chat().says(text)).splitlines()
    assert rows[0] == "오늘 부재중 전화는 1건입니다."
    assert [row.partition(" · [")[0] for row in rows[2:]] == ["- 08:00 온 전화 · 01055556666 · **부재중**"]


async def test_calls_in_vain_stand_out_among_all(called: House) -> None:
    rows = (await called.chat().says("오늘 통화")).splitlines()
    assert rows[0] == "오늘 통화는 3건입니다. 부재중 전화가 1건 있습니다."
    assert [row.split(" · ")[2] for row in rows[2:]] == ["받지 않음", "1분 30초", "**부재중**"]


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("어제 통화", "12월 8일(화) 통화는 2건입니다. 부재중 전화가 1건 있습니다."),
        ("어제 누구랑 통화했어", "12월 8일(화) 통화는 2건입니다. 부재중 전화가 1건 있습니다."),
        ("12/8 통화 내역 보여줘", "12월 8일(화) 통화는 2건입니다. 부재중 전화가 1건 있습니다."),
        ("오늘 통화 말고 어제", "어느 날의 통화인가요?"),
        ("어제 부재중 전화", "12월 8일(화) 부재중 전화는 1건입니다."),
        ("그제 통화", "12월 7일(월)에는 통화가 없습니다."),
        ("금요일 통화", "12월 4일(금) 통화는 1건입니다."),
        ("지난주 통화", "어느 날의 통화인가요?"),
        ("내일 통화", "12월 10일(목)은 아직 오지 않은 날입니다."),
        ("todays_calls 어제", "12월 8일(화) 통화는 2건입니다. 부재중 전화가 1건 있습니다."),
    ],
)
async def test_calls_are_those_of_the_day_that_is_named(called: House, text: str, heading: str) -> None:
    assert (await called.chat().says(text)).startswith(heading)


async def test_a_day_that_could_not_be_read_is_asked_for(called: House) -> None:
    chat = called.chat()
    await chat.says("지난주 부재중 전화")
    assert (await chat.says("어제요")).startswith("12월 8일(화) 부재중 전화는 1건입니다.")
    await chat.says("지난주 통화")
    assert (await chat.fills(date="2026-12-04")).startswith("12월 4일(금) 통화는 1건입니다.")


async def test_numbers_are_masked_by_role_and_links_left_out_where_nobody_knows_the_console(house: House) -> None:
    house.config.chatbot.console_url = ""
    await keep(house, call("a", NOW - 60.0, "01055556666", "2002", caller_name="010-5555-6666"))
    rows = (await house.chat(JUN).says("오늘 통화")).splitlines()
    assert rows[2] == "- 08:59 온 전화 · 010\\*\\*\\*\\*6666 · 1분 30초"


async def test_only_the_last_are_shown(house: House) -> None:
    await keep(house, *(call(f"c{number}", NOW - 200.0 + number, "2001", "01077778888") for number in range(12)))
    rows = (await house.chat().says("오늘 통화")).splitlines()
    assert rows[0] == "오늘 통화 가운데 마지막 10건입니다."
    assert len(rows) == 12


async def test_who_has_no_extension_has_no_calls(house: House) -> None:
    assert "등록된 내선이 없어" in await house.chat(ADA).says("오늘 통화")
    assert await house.chat(MINA).says("오늘 통화") == "오늘은 통화가 없습니다."
