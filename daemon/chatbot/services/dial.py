"""The service ``dial``: click-to-call from one's own extension, which rings first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from daemon.calls.numbers import NumberError
from daemon.chatbot.contract import Choice, Field, escaped
from daemon.chatbot.known_people import KnownPeople
from daemon.chatbot.services.answered_numbers import answered_number
from daemon.chatbot.services.pbx_words import NO_EXTENSION, why_not
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.directory.contract import DirectoryAwayError, Entry, Kind
from daemon.pbx.contract import CallStep, ClickToCall, ClickToCallRequest, PbxError

_KINDS: Final[tuple[Kind, ...]] = ("person", "team")
_MOST: Final = 6
_MARGIN: Final = 0.1
_WHO: Final = "누구에게 걸까요? 이름이나 번호를 써 주십시오."
_NOBODY: Final = "번호를 찾지 못했습니다. 다른 이름이나 번호를 써 주시거나 **취소**라고 하십시오."
_AWAY: Final = "지금은 주소록을 볼 수 없습니다. 번호를 써 주시거나 잠시 뒤에 다시 해 주십시오."
_UNPLACED: Final = (CallStep.FAILED, CallStep.CALLER_UNREACHED)


async def dial(turn: Turn, *, click_to_call: ClickToCall, people: KnownPeople) -> Reply:
    """내 내선에서 전화를 걸어 줍니다. 내 전화가 먼저 울립니다."""
    if not turn.person.extension:
        return done(NO_EXTENSION)
    match turn.step:
        case "which":
            return _confirmed(turn, turn.slots[turn.choice], turn.choice)
        case "confirm":
            return await _placed(turn, click_to_call) if turn.yes else done("걸지 않았습니다.")
    who = turn.inputs.get("who", "") if turn.step else turn.text
    return await _found(turn, people, who) if who else _asked(_WHO)


def _asked(text: str, *, misread: bool = False) -> Reply:
    field = Field(name="who", label="받는 사람", hint="홍길동, 01012345678")
    return ask(text, step="who", fields=[field], misread=misread)


async def _found(turn: Turn, people: KnownPeople, who: str) -> Reply:
    """A number is dialled as it is; a name is looked up."""
    try:
        return _confirmed(turn, "", answered_number(who))
    except NumberError:
        pass
    try:
        found = await people.search(who, limit=_MOST, kinds=_KINDS)
    except DirectoryAwayError:
        return _asked(_AWAY, misread=True)
    reachable = [match for match in found if match.entry.number]
    close = [match.entry for match in reachable if match.score >= reachable[0].score - _MARGIN]
    if not close:
        return _asked(_NOBODY, misread=True)
    if len(close) == 1:
        return _confirmed(turn, close[0].name, close[0].number)
    return _which(turn, close)


def _which(turn: Turn, entries: Sequence[Entry]) -> Reply:
    names = {entry.number: entry.name for entry in entries}
    choices = [
        Choice(" · ".join(filter(None, (entry.name, entry.team, turn.number(entry.number)))), entry.number)
        for entry in entries
        if names[entry.number] == entry.name
    ]
    return ask("누구에게 걸까요?", step="which", slots=names, choices=choices)


def _confirmed(turn: Turn, name: str, number: str) -> Reply:
    called = f"{escaped(name)} ({escaped(turn.number(number))})" if name else escaped(number)
    text = f"내선 {escaped(turn.person.extension)}에서 **{called}** 번호로 전화를 걸까요?"
    return confirm(text, step="confirm", slots={"callee": number})


async def _placed(turn: Turn, click_to_call: ClickToCall) -> Reply:
    """The key is that of the answer: however often it is handled, one call is placed."""
    tenant = turn.person.tenant or None
    request = ClickToCallRequest(caller=turn.person.extension, callee=turn.slots["callee"], tenant=tenant)
    try:
        placed = await click_to_call.place(request, actor=turn.actor, key=f"chat/{turn.key}")
    except PbxError as error:
        return done(why_not(error))
    if placed.steps and placed.steps[-1].step in _UNPLACED:
        return done("전화를 걸지 못했습니다. 내 전화가 연결되어 있는지 확인해 주십시오.")
    notice = " 착신전환이 켜져 있어 다른 전화가 먼저 울릴 수 있습니다." if placed.forwards else ""
    return done(f"전화를 걸고 있습니다. 내선 {escaped(turn.person.extension)}번이 울리면 받으십시오.{notice}")
