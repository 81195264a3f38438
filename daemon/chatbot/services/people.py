"""The service ``people``: finds a person or a team, and where to reach them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from daemon.chatbot.contract import escaped
from daemon.chatbot.phrases import plain
from daemon.chatbot.turn import Reply, Turn, ask, done
from daemon.directory.contract import Directory, DirectoryAwayError, Kind, Match
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, list_people

_KINDS: Final[tuple[Kind, ...]] = ("person", "team")
_MOST: Final = 8
_MARGIN: Final = 0.2
"""What scores less than the best by no more than this is told too."""
_WHO: Final = "누구를 찾으시나요? 이름, 팀 이름이나 초성(ㅎㄱㄷ)을 써 주십시오."
_NOBODY: Final = "찾지 못했습니다. 다른 말로 다시 써 주시거나 **취소**라고 하십시오."
_AWAY: Final = "지금은 주소록을 볼 수 없습니다. 잠시 뒤에 다시 해 주십시오."


async def find_people(turn: Turn, *, directory: Directory, database: Database) -> Reply:
    """이름, 팀, 업무나 초성으로 사람과 팀의 번호를 찾습니다."""
    if not turn.text:
        return ask(_WHO, step="who")
    try:
        found = await directory.search(turn.text, limit=_MOST, kinds=_KINDS)
    except DirectoryAwayError:
        return done(_AWAY)
    rows = [_entry_row(turn, match) for match in _close(found)]
    async with database.read() as connection:
        people = await list_people(connection)
    listed = {plain(match.entry.name) for match in found}
    rows += [
        _person_row(turn, person) for person in of_that_name(people, turn.text) if plain(person.called) not in listed
    ]
    if not rows:
        return ask(_NOBODY, step="who", misread=True)
    return done("\n".join(rows[:_MOST]))


def _close(found: list[Match]) -> Iterable[Match]:
    return (match for match in found if match.score >= found[0].score - _MARGIN)


def of_that_name(people: Iterable[PersonRow], text: str) -> Iterable[PersonRow]:
    """Those of ``people`` whose whole name, or sign-in name, ``text`` is."""
    wanted = plain(text).replace(" ", "")
    return (one for one in people if wanted in (plain(one.full_name).replace(" ", ""), plain(one.name)))


def _entry_row(turn: Turn, match: Match) -> str:
    entry = match.entry
    team = escaped(entry.team) if entry.team else ""
    number = escaped(turn.number(entry.number)) if entry.number else "번호 없음"
    return _row(entry.name, team, number, escaped(entry.description))


def _person_row(turn: Turn, person: PersonRow) -> str:
    number = escaped(turn.number(person.extension)) if person.extension else "번호 없음"
    return _row(person.called, escaped(person.team or ""), number, escaped(person.email or ""))


def _row(name: str, *about: str) -> str:
    return " · ".join([f"- **{escaped(name)}**", *(one for one in about if one)])
