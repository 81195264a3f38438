"""The service ``todays_calls``: the calls of one's own extension on a day, today's where none is named, and which of
them nobody answered; with links to their transcripts where the console's address is known."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import quote

from daemon.calls.call import Disposition
from daemon.chatbot.contract import Field, escaped
from daemon.chatbot.services.pbx_words import NO_EXTENSION
from daemon.chatbot.turn import Reply, Turn, ask, done
from daemon.config import ChatbotConfig
from daemon.stores.calls import CallFilter, CallRow, page_calls
from daemon.stores.database import Database
from protocols.korean_dates import read_date, with_days_as, written_date

_MOST: Final = 10
_DATE: Final = "date"
_MISSED: Final = "missed"
_ASKS_FOR_MISSED: Final = re.compile(r"부재\s*중|놓친|못\s*받|받지\s*못|안\s*받|missed")
_SOME_DAY: Final = re.compile(r"\d|지난\s*\S*[주달월해요]|저번|이번|다음|작년|재작년|요일|며칠|엊그제|그끄저께")
"""What says that not today is meant, where no day can be read."""
_A_DAY: Final = "\0"
_WHICH_DAY: Final = "어느 날의 통화인가요? 하루만 볼 수 있습니다. 어제, 12월 3일처럼 써 주십시오."
_ASKS_FOR_TRANSCRIPTS: Final = "대화록"
_NO_TRANSCRIPTS: Final = "대화록은 여기서 열 수 없습니다. 콘솔의 통화 기록에서 보십시오."
_WEEK: Final = 7
_WENT: Final = {
    Disposition.ANSWERED: "통화함",
    Disposition.NO_ANSWER: "받지 않음",
    Disposition.BUSY: "통화 중",
    Disposition.ABANDONED: "끊김",
    Disposition.FAILED: "실패",
    Disposition.LOST: "알 수 없음",
}


async def todays_calls(turn: Turn, *, database: Database, chatbot: ChatbotConfig) -> Reply:
    """오늘이나 다른 날 내 내선의 통화와 부재중 전화를 보여 줍니다."""
    if not turn.person.extension:
        return done(NO_EXTENSION)
    only_missed = bool(turn.slots.get(_MISSED) or _ASKS_FOR_MISSED.search(turn.whole))
    day = date.fromisoformat(turn.inputs[_DATE]) if turn.step else _day(turn)
    if day is None:
        return _which_day(turn, _WHICH_DAY, only_missed)
    if day > turn.today:
        text = f"{written_date(day, turn.today)}은 아직 오지 않은 날입니다. {_WHICH_DAY}"
        return _which_day(turn, text, only_missed)
    return await _of(turn, day, database, chatbot.console_url, only_missed=only_missed)


def _day(turn: Turn) -> date | None:
    """The day that was asked for; a day of the week is the last one of that name. ``None``: another one than today, and
    which it is cannot be said."""
    day = read_date(turn.whole, turn.today)
    if day is None:
        names_one = with_days_as(turn.whole, _A_DAY) != with_days_as(turn.whole, "")
        return None if names_one or _SOME_DAY.search(turn.whole) else turn.today
    is_named_by_weekday = "요일" in turn.whole and not re.search(r"\d|다음", turn.whole)
    return day - timedelta(_WEEK) if day > turn.today and is_named_by_weekday else day


def _which_day(turn: Turn, text: str, only_missed: bool) -> Reply:
    field = Field(name=_DATE, label="날짜", kind="date", value=turn.today.isoformat())
    return ask(text, step="day", slots={_MISSED: "yes"} if only_missed else {}, fields=[field], submit="보기")


async def _of(turn: Turn, day: date, database: Database, console_url: str, *, only_missed: bool) -> Reply:
    extension = turn.person.extension
    since, until = _midnight(turn, day), _midnight(turn, day + timedelta(1))
    of_the_day = CallFilter(extension=extension, since=since, until=until)
    async with database.read() as connection:
        wanted = CallFilter(missed_by=extension, since=since, until=until)
        missed, more_missed = await page_calls(connection, wanted, _MOST)
        found, more = (missed, more_missed) if only_missed else await page_calls(connection, of_the_day, _MOST)
    missed_ids = {call.call_id for call in missed}
    called = "오늘" if day == turn.today else written_date(day, turn.today)
    what = "부재중 전화" if only_missed else "통화"
    if not found:
        return done(f"{called}{'은' if day == turn.today else '에는'} {what}가 없습니다.")
    rows = [_row(turn, call, console_url, is_missed=call.call_id in missed_ids) for call in found]
    heading = f"{called} {what} 가운데 마지막 {_MOST}건입니다." if more else f"{called} {what}는 {len(found)}건입니다."
    if missed and not only_missed:
        heading += f" 부재중 전화가 {len(missed)}건{' 이상' if more_missed else ''} 있습니다."
    if _ASKS_FOR_TRANSCRIPTS in turn.whole and not console_url:
        rows += ["", _NO_TRANSCRIPTS]
    return done("\n".join([heading, "", *rows]))


def _midnight(turn: Turn, day: date) -> float:
    return datetime.combine(day, time(), turn.zone).timestamp()


def _row(turn: Turn, call: CallRow, console_url: str, *, is_missed: bool) -> str:
    began = datetime.fromtimestamp(call.created_at, turn.zone).strftime("%H:%M")
    is_ours = call.caller == turn.person.extension
    other = turn.number(call.callee or call.did) if is_ours else turn.number(call.caller)
    named = "" if is_ours else turn.name(call.caller_name)
    who = f"{named} {other}".strip() if named and named != other else other
    went = "**부재중**" if is_missed else _went(call)
    row = f"- {began} {'건 전화' if is_ours else '온 전화'} · {escaped(who or '번호 없음')} · {went}"
    if console_url:
        row += f" · [대화록]({console_url.rstrip('/')}/#/calls/{quote(call.call_id, safe='')})"
    return row


def _went(call: CallRow) -> str:
    if call.ended_at is None:
        return "통화 중"
    talked = int(call.ended_at - call.answered_at) if call.answered_at is not None else 0
    return _lasted(talked) if talked > 0 else _WENT.get(Disposition(call.disposition or "lost"), "")


def _lasted(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    return " ".join([f"{minutes}분"] * bool(minutes) + [f"{seconds}초"] * bool(seconds))
