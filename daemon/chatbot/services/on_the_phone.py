"""The service ``on_the_phone``: which colleagues are on the phone now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from daemon.calls.call import Call, CallState, LegState
from daemon.chatbot.contract import escaped
from daemon.chatbot.supplies import LiveCalls
from daemon.chatbot.turn import Reply, Turn, done
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, list_people

_MOST: Final = 30
_NOBODY: Final = "지금은 아무도 통화 중이 아닙니다."


async def on_the_phone(turn: Turn, *, database: Database, calls: LiveCalls) -> Reply:
    """지금 통화 중인 동료를 보여 줍니다."""
    async with database.read() as connection:
        people = await list_people(connection)
    busy = since_when(calls.calls())
    rows = [_row(turn, one, busy[one.extension]) for one in _shown(turn, people) if one.extension in busy]
    if not rows:
        return done(_NOBODY)
    more = f"\n\n그 밖에 {len(rows) - _MOST}명" if len(rows) > _MOST else ""
    return done("\n".join(["지금 통화 중입니다.", "", *rows[:_MOST]]) + more)


def since_when(calls: Iterable[Call]) -> Mapping[str, float]:
    """The extensions and numbers on a live call, with when it began (Unix seconds)."""
    busy: dict[str, float] = {}
    for call in calls:
        if call.state is not CallState.ENDED:
            for leg in call.legs:
                if leg.state is not LegState.ENDED:
                    for number in (leg.caller, leg.callee):
                        busy[number] = min(call.created_at, busy.get(number, call.created_at))
    return busy


def _shown(turn: Turn, people: Iterable[PersonRow]) -> Iterable[PersonRow]:
    """Admins see everybody, all others those of their own tenant."""
    return (one for one in people if one.extension and (turn.may("admin") or one.tenant == turn.person.tenant))


def _row(turn: Turn, person: PersonRow, since: float) -> str:
    minutes = max(0, int((turn.now - since) // 60))
    about = filter(None, (person.team, turn.number(person.extension), f"{minutes}분째" if minutes else "방금부터"))
    return f"- **{escaped(person.called)}** · {escaped(' · '.join(about))}"
