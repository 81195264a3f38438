"""The service ``todays_calls``: the calls of one's own extension today, with links to their transcripts."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final
from urllib.parse import quote

from daemon.calls.call import Disposition
from daemon.chatbot.contract import escaped
from daemon.chatbot.services.pbx_words import NO_EXTENSION
from daemon.chatbot.turn import Reply, Turn, done
from daemon.config import ChatbotConfig
from daemon.stores.calls import CallFilter, CallRow, page_calls
from daemon.stores.database import Database

_MOST: Final = 10
_NONE: Final = "오늘은 통화가 없습니다."
_WENT: Final = {
    Disposition.ANSWERED: "통화함",
    Disposition.NO_ANSWER: "받지 않음",
    Disposition.BUSY: "통화 중",
    Disposition.ABANDONED: "끊김",
    Disposition.FAILED: "실패",
    Disposition.LOST: "알 수 없음",
}


async def todays_calls(turn: Turn, *, database: Database, chatbot: ChatbotConfig) -> Reply:
    """오늘 내 내선의 통화와 대화록을 보여 줍니다."""
    if not turn.person.extension:
        return done(NO_EXTENSION)
    since = datetime.combine(turn.today, time(), turn.zone).timestamp()
    async with database.read() as connection:
        wanted = CallFilter(extension=turn.person.extension, since=since)
        found, more = await page_calls(connection, wanted, _MOST)
    if not found:
        return done(_NONE)
    rows = [_row(turn, call, chatbot.console_url) for call in found]
    heading = f"오늘 통화 가운데 마지막 {_MOST}건입니다." if more else f"오늘 통화는 {len(found)}건입니다."
    return done("\n".join([heading, "", *rows]))


def _row(turn: Turn, call: CallRow, console_url: str) -> str:
    began = datetime.fromtimestamp(call.created_at, turn.zone).strftime("%H:%M")
    is_ours = call.caller == turn.person.extension
    other = turn.number(call.callee or call.did) if is_ours else turn.number(call.caller)
    named = "" if is_ours else turn.name(call.caller_name)
    who = f"{named} {other}".strip() if named and named != other else other
    row = f"- {began} {'건 전화' if is_ours else '온 전화'} · {escaped(who or '번호 없음')} · {_went(call)}"
    if console_url:
        row += f" · [대화록]({console_url.rstrip('/')}/#/calls/{quote(call.call_id, safe='')})"
    return row


def _went(call: CallRow) -> str:
    if call.ended_at is None:
        return "통화 중"
    talked = int(call.ended_at - call.answered_at) if call.answered_at is not None else 0
    return f"{talked // 60}분 {talked % 60}초" if talked else _WENT.get(Disposition(call.disposition or "lost"), "")
