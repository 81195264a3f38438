"""The service ``tgday``: one's date of the month, entered, shown and cancelled."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from daemon.chatbot.contract import Choice, Field
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.stores.audit import add_audit
from daemon.stores.database import Database
from daemon.stores.tgdays import TgdayRow, get_tgday, remove_tgday, save_tgday
from protocols.korean_dates import read_date, written_date

_DATE: Final = "date"
_KEEP, _CHANGE, _REMOVE = "keep", "change", "remove"
_CHOICES: Final = (Choice("그대로 두기", _KEEP), Choice("바꾸기", _CHANGE), Choice("등록 지우기", _REMOVE))
_ASKED: Final = "tgday 날짜를 골라 주십시오. 12월 24일, 12/24, 내일처럼 쓰셔도 됩니다."
_PAST: Final = "{day}은 이미 지난 날짜입니다. 오늘부터의 날짜를 골라 주십시오."
_UNREAD: Final = "날짜를 알 수 없습니다."
_REMOVING: Final = re.compile("취소|그만|지우|지워|삭제")
"""Beside one of these a date is not one to be entered."""


async def tgday(turn: Turn, *, database: Database) -> Reply:
    """이달의 tgday를 등록하고, 확인하고, 지웁니다."""
    match turn.step:
        case "date":
            return await _entered(turn, database, date.fromisoformat(turn.inputs[_DATE]))
        case "confirm" if turn.yes:
            return await _saved(turn, database, date.fromisoformat(turn.slots[_DATE]))
        case "confirm":
            return _asked(turn, _ASKED)
        case "remove":
            return await _removed(turn, database) if turn.yes else done("그대로 두었습니다.")
    return await _first(turn, database)


async def _first(turn: Turn, database: Database) -> Reply:
    """The date that there is, or a question for one; also what was said to that."""
    is_removing = turn.choice == _REMOVE or _REMOVING.search(turn.text) is not None
    day = read_date(turn.text, turn.today)
    if day is not None and not is_removing:
        return await _entered(turn, database, day)
    async with database.read() as connection:
        row = await get_tgday(connection, turn.person.name)
    if row is None:
        return _asked(turn, f"등록된 날짜가 없습니다. {_ASKED}" if is_removing else _ASKED)
    stands = f"등록된 tgday는 **{written_date(row.date, turn.today)}**입니다."
    if is_removing:
        return confirm(f"{stands} 지울까요?", step="remove")
    if turn.choice == _CHANGE:
        return _asked(turn, _ASKED)
    if turn.choice == _KEEP:
        return done("그대로 두었습니다.")
    if turn.step:
        stands = f"{_UNREAD} {stands}"
    text = f"{stands} 어떻게 할까요? 다른 날짜를 쓰시면 바뀝니다."
    return ask(text, step="choose", choices=_CHOICES, free=True, misread=turn.step != "")


def _asked(turn: Turn, text: str) -> Reply:
    field = Field(name=_DATE, label="날짜", kind="date", value=turn.today.isoformat())
    return ask(text, step="date", fields=[field], submit="등록")


async def _entered(turn: Turn, database: Database, day: date) -> Reply:
    if day < turn.today:
        return _asked(turn, _PAST.format(day=written_date(day, turn.today)))
    if (day.year, day.month) != (turn.today.year, turn.today.month):
        text = f"**{written_date(day, turn.today)}**은 이달이 아닙니다. 이 날짜로 등록할까요?"
        return confirm(text, step="confirm", slots={_DATE: day.isoformat()})
    return await _saved(turn, database, day)


async def _saved(turn: Turn, database: Database, day: date) -> Reply:
    async with database.transaction() as connection:
        await save_tgday(connection, TgdayRow(user_name=turn.person.name, date=day, entered_at=turn.now))
        await add_audit(connection, turn.audit("tgday_entered", turn.person.name, date=day.isoformat()))
    return done(f"tgday를 **{written_date(day, turn.today)}**로 등록했습니다.")


async def _removed(turn: Turn, database: Database) -> Reply:
    async with database.transaction() as connection:
        if await remove_tgday(connection, turn.person.name):
            await add_audit(connection, turn.audit("tgday_cancelled", turn.person.name))
    return done("tgday 등록을 지웠습니다.")
