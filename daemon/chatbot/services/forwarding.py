"""The service ``forwarding``: shows and sets the call forwarding of one's own extension, and of no other."""

from __future__ import annotations

from typing import Final

from daemon.calls.numbers import NumberError
from daemon.chatbot.contract import Choice, Field, escaped
from daemon.chatbot.services.answered_numbers import answered_number
from daemon.chatbot.services.pbx_words import KINDS, NO_EXTENSION, why_not
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.pbx.contract import Conflict, Diversion, Diversions, ExtensionDiversions, PbxError
from protocols.dcmiws.diversions import DiversionKind

_NO_CHANGE: Final = "바꾸지 않았습니다."
_WITHOUT_NUMBER: Final = "켜져 있지만 받을 번호가 없어 전환되지 않습니다"
"""As the console says it: the PBX forwards by default, once there is a number."""
_LEAVE: Final = "leave"
_NUMBER: Final = "number"
_CHANGED_MEANWHILE: Final = "그 사이에 다른 곳에서 바뀌었습니다. 지금은 이렇습니다."


async def forwarding(turn: Turn, *, diversions: Diversions) -> Reply:
    """내 내선의 착신전환을 확인하고, 켜고, 끕니다."""
    if not turn.person.extension:
        return done(NO_EXTENSION)
    if turn.step and not turn.may("operator"):
        return done("착신전환을 바꿀 권한이 없습니다.")
    try:
        match turn.step:
            case "kind":
                return await _kind_chosen(turn, diversions)
            case "what":
                return _number_asked(turn) if turn.choice == _NUMBER else _off_asked(turn)
            case "number":
                return _number_given(turn)
            case "on":
                return await _changed(turn, diversions) if turn.yes else done(_NO_CHANGE)
            case "off":
                return await _changed(turn, diversions) if turn.yes else done(_NO_CHANGE)
        return await _shown(turn, diversions)
    except PbxError as error:
        return done(why_not(error))


async def _read(turn: Turn, diversions: Diversions) -> ExtensionDiversions:
    return await diversions.read(turn.person.extension, tenant=turn.person.tenant or None)


async def _shown(turn: Turn, diversions: Diversions) -> Reply:
    text = _state(turn, await _read(turn, diversions))
    if not turn.may("operator"):
        return done(text)
    choices = [Choice(words, kind.value) for kind, words in KINDS.items()]
    return ask(f"{text}\n\n어느 것을 바꿀까요?", step="kind", choices=[*choices, Choice("그대로 두기", _LEAVE)])


async def _kind_chosen(turn: Turn, diversions: Diversions) -> Reply:
    if turn.choice == _LEAVE:
        return done(_NO_CHANGE)
    kind = DiversionKind(turn.choice)
    now = _of_kind(await _read(turn, diversions), kind)
    slots = {"kind": kind.value, "version": now.version}
    if not now.in_effect:
        return _asked_for_number(kind, slots)
    text = f"{_row(turn, now)}\n\n어떻게 할까요?"
    return ask(text, step="what", slots=slots, choices=[Choice("번호 바꾸기", _NUMBER), Choice("끄기", "off")])


def _number_asked(turn: Turn) -> Reply:
    return _asked_for_number(_kind(turn), dict(turn.slots))


def _asked_for_number(kind: DiversionKind, slots: dict[str, str], problem: str = "") -> Reply:
    text = f"{problem}**{KINDS[kind]}** 어느 번호로 돌릴까요?"
    return ask(text, step="number", slots=slots, fields=[Field(name=_NUMBER, label="받을 번호", hint="01012345678")])


def _number_given(turn: Turn) -> Reply:
    try:
        number = answered_number(turn.inputs[_NUMBER])
    except NumberError:
        return _asked_for_number(
            _kind(turn), dict(turn.slots), "전화번호가 아닙니다. 그만두시려면 **취소**라고 하십시오. "
        )
    when, here = KINDS[_kind(turn)], escaped(turn.person.extension)
    text = f"내선 {here}에 오는 전화를 **{when}** {escaped(number)} 번호로 돌릴까요?"
    return confirm(text, step="on", slots={**turn.slots, _NUMBER: number})


def _off_asked(turn: Turn) -> Reply:
    return confirm(f"**{KINDS[_kind(turn)]}** 착신전환을 끌까요?", step="off", slots=turn.slots)


async def _changed(turn: Turn, diversions: Diversions) -> Reply:
    """Set it, and say what is really stored. Set by this very answer before, it is no conflict with itself."""
    kind, is_on = _kind(turn), turn.step == "on"
    destination = turn.slots.get(_NUMBER) if is_on else None
    try:
        after = await diversions.change(
            turn.person.extension,
            kind,
            actor=turn.actor,
            version=turn.slots["version"],
            tenant=turn.person.tenant or None,
            enabled=is_on,
            destination=destination,
        )
    except Conflict:
        after = await _read(turn, diversions)
        now = _of_kind(after, kind)
        if not now.agreed or now.in_effect != is_on or (is_on and now.destination != destination):
            return done(f"{_CHANGED_MEANWHILE}\n\n{_state(turn, after)}")
    return done(f"{'켰습니다' if is_on else '껐습니다'}.\n\n{_state(turn, after)}")


def _kind(turn: Turn) -> DiversionKind:
    return DiversionKind(turn.slots["kind"])


def _of_kind(stored: ExtensionDiversions, kind: DiversionKind) -> Diversion:
    return next(one for one in stored.diversions if one.kind is kind)


def _state(turn: Turn, stored: ExtensionDiversions) -> str:
    rows = [_row(turn, one) for one in stored.diversions]
    return "\n".join([f"내선 {escaped(stored.extension)}의 착신전환", "", *rows])


def _row(turn: Turn, one: Diversion) -> str:
    number = escaped(turn.number(one.destination))
    if one.in_effect:
        state = f"{number} 번호로 돌립니다"
    elif one.enabled:
        state = _WITHOUT_NUMBER
    elif one.destination:
        state = f"꺼져 있습니다 (저장된 번호 {number})"
    else:
        state = "꺼져 있습니다"
    return f"- **{KINDS[one.kind]}**: {state}{'' if one.agreed else ' (서버마다 다르거나 일부를 읽지 못했습니다)'}"
