"""The service ``people``: finds a person, a team and who is in it, or what a team sees to, and where to reach them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from daemon.chatbot.contract import escaped
from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.phrases import plain
from daemon.chatbot.turn import Reply, Turn, ask, done
from daemon.directory.contract import DirectoryAwayError, Entry, Kind, Match

_TEAMS: Final[tuple[Kind, ...]] = ("team",)
_MOST: Final = 8
_MOST_MEMBERS: Final = 30
_LOOKED_AT: Final = 20
_MARGIN: Final = 0.2
"""What scores less than the best by no more than this is told too."""
_SURE: Final = 0.55
"""A team that scores less is not the one whose members are asked for."""
_WHO: Final = "누구를 찾으시나요? 이름, 팀 이름이나 초성(ㅎㄱㄷ)을 써 주십시오."
_NOBODY: Final = "찾지 못했습니다. 다른 말로 다시 써 주시거나 **취소**라고 하십시오."
_AWAY: Final = "지금은 주소록을 볼 수 없습니다. 잠시 뒤에 다시 해 주십시오."
_OWN: Final = re.compile(r"(?:내|나의|제|저의)\s*(?:내선|전화\s*번호|번호|연락처)")
_OWN_TEAM: Final = re.compile(r"(?:우리|저희|내|제)\s*팀")
_MEMBERS: Final = re.compile(
    r"누구누구|누구\s*(?:있|야|예요|인가|인지)|누가\s*(?:있|누구)|팀원|구성원|멤버|인원|명단|몇\s*명|사람들|전원"
)
_ABOUT: Final = re.compile(
    r"사람|담당자|연락처|조직도|내선|(?:전화\s*)?번호|찾기|찾아|알려|보여|(?:주세요|줘)요?(?!\S)|뭐(?:야|예요|지)|좀(?!\S)"
)
"""What is said around whom one looks for, of those words too that the service is found by."""


async def find_people(turn: Turn, *, people: KnownPeople) -> Reply:
    """이름, 팀, 업무나 초성으로 사람과 팀의 번호를 찾습니다."""
    if not turn.step and _OWN.match(plain(turn.whole)):
        return done(_own(turn))
    asked = turn.text or plain(" ".join(_ABOUT.sub(" ", turn.whole).split()))
    try:
        rows = await _members(turn, people) or (await _matching(turn, people, asked) if asked else [])
    except DirectoryAwayError:
        return done(_AWAY)
    if rows:
        return done("\n".join(rows))
    # A service that was found by a word alone has not heard of anybody yet.
    return ask(_NOBODY, step="who", misread=True) if turn.text else ask(_WHO, step="who")


def _own(turn: Turn) -> str:
    person = turn.person
    if not person.extension:
        return "등록된 내선이 없습니다. 관리자에게 내선 등록을 요청해 주십시오."
    return _row(person.called, escaped(person.team or ""), f"내선 {escaped(person.extension)}")


async def _matching(turn: Turn, people: KnownPeople, asked: str) -> list[str]:
    found = [match for match in await people.search(asked, limit=_LOOKED_AT) if _is_told(match.entry)]
    if found and found[0].entry.kind == "team" and not found[0].entry.number:
        return await _rows_of(turn, people, found[0].entry)
    return [_entry_row(turn, people, match.entry) for match in _close(found)][:_MOST]


def _is_told(entry: Entry) -> bool:
    """What a team sees to is told of where it can be called."""
    return entry.kind != "service" or entry.number != ""


def _close(found: list[Match]) -> Iterable[Match]:
    return (match for match in found if match.score >= found[0].score - _MARGIN)


async def _members(turn: Turn, people: KnownPeople) -> list[str]:
    """Those of the team that is asked about; nothing where none is."""
    if not _MEMBERS.search(turn.whole) and not _OWN_TEAM.search(turn.whole):
        return []
    if _OWN_TEAM.search(turn.whole) and turn.person.team:
        return await _rows_of(turn, people, Entry(entry_id="", kind="team", name=turn.person.team))
    wanted = _MEMBERS.sub(" ", turn.whole)
    found = await people.search(wanted, limit=1, threshold=_SURE, kinds=_TEAMS)
    return await _rows_of(turn, people, found[0].entry) if found else []


async def _rows_of(turn: Turn, people: KnownPeople, team: Entry) -> list[str]:
    members = await people.members(team.name)
    if not members:
        return [_entry_row(turn, people, team)]
    number = f" · {escaped(turn.number(team.number))}" if team.number else ""
    more = [f"그 밖에 {len(members) - _MOST_MEMBERS}명"] if len(members) > _MOST_MEMBERS else []
    rows = [_entry_row(turn, people, entry) for entry in members[:_MOST_MEMBERS]]
    return [f"**{escaped(team.name)}**{number}: {len(members)}명", "", *rows, *more]


def _entry_row(turn: Turn, people: KnownPeople, entry: Entry) -> str:
    person = people.person_of(entry)
    about = (person.email or "") if person is not None else entry.description
    number = escaped(turn.number(entry.number)) if entry.number else "번호 없음"
    return _row(entry.name, escaped(entry.team), number, escaped(about))


def _row(name: str, *about: str) -> str:
    return " · ".join([f"- **{escaped(name)}**", *(one for one in about if one)])
