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
        "오늘 통화는 3건입니다.",
        "",
        f"- 08:59 건 전화 · 2002 · 통화 중 · {link}now)",
        f"- 08:59 온 전화 · 01055556666 · 받지 않음 · {link}second)",
        f"- 00:00 건 전화 · 01077778888 · 1분 30초 · {link}first)",
    ]


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
