"""The service ``forwarding``: shows and sets the call forwarding of one's own extension, and of no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from daemon.calls.numbers import NumberError
from daemon.chatbot.contract import Choice, Field, escaped
from daemon.chatbot.services.answered_numbers import answered_number
from daemon.chatbot.services.forwarding_wish import ForwardingWish, forwarding_wish
from daemon.chatbot.services.pbx_words import KINDS, NO_EXTENSION, why_not
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.pbx.contract import Conflict, Diversion, Diversions, ExtensionDiversions, PbxError
from protocols.dcmiws.diversions import DiversionKind

_NO_CHANGE: Final = "바꾸지 않았습니다."
_WITHOUT_NUMBER: Final = "켜져 있지만 받을 번호가 없어 전환되지 않습니다"
"""As the console says it: the PBX forwards by default, once there is a number."""
_LEAVE: Final = "leave"
_NUMBER: Final = "number"
_LATER: Final = "later"
"""In the slots where a time was named: nothing is changed but at once, which is said."""
_NOW_ONLY: Final = "착신전환은 예약할 수 없습니다. 바꾸시면 지금 바로 바뀌고, 다시 바꾸실 때까지 그대로입니다."
_NO_RIGHT: Final = "착신전환을 바꿀 권한이 없어 보여 드리기만 합니다. 필요하시면 관리자에게 문의해 주십시오."
_NO_NUMBER: Final = "전화번호가 아닙니다. 그만두시려면 **취소**라고 하십시오. "
_REFUSED: Final = "쓰신 것은 전화번호가 아니어서 받지 않았습니다."
_CHANGED_MEANWHILE: Final = "그 사이에 다른 곳에서 바뀌었습니다. 지금은 이렇습니다."


async def forwarding(turn: Turn, *, diversions: Diversions) -> Reply:
    """내 내선의 착신전환을 확인하고, 켜고, 끕니다."""
    if not turn.person.extension:
        return done(NO_EXTENSION)
    if turn.step and not turn.may("operator"):
        return done(_NO_RIGHT)
    try:
        match turn.step:
            case "kind" | "kind_off" if turn.choice == _LEAVE:
                return done(_NO_CHANGE)
            case "kind":
                return await _kind_chosen(turn, diversions)
            case "kind_off":
                stored = await _read(turn, diversions)
                return _off_asked(_slots(turn, _of_kind(stored, DiversionKind(turn.choice))))
            case "what":
                return _number_asked(turn) if turn.choice == _NUMBER else _off_asked(turn.slots)
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
    """What is stored, and what was wished in the same sentence as far as it says anything."""
    stored = await _read(turn, diversions)
    if not turn.may("operator"):
        return done(f"{_state(turn, stored)}\n\n{_NO_RIGHT}")
    wish = forwarding_wish(turn.whole, turn.today)
    if wish.is_off:
        return _off_wished(turn, stored, wish)
    slots = ({_NUMBER: wish.number} if wish.number else {}) | ({_LATER: "yes"} if wish.is_for_later else {})
    notes = [_NOW_ONLY] * wish.is_for_later + [_REFUSED] * wish.is_number_refused
    if wish.kind is not None:
        return _of_one_kind(turn, _of_kind(stored, wish.kind), slots, notes)
    to = f"**{escaped(wish.number)}** 번호로 돌립니다. " if wish.number else ""
    text = "\n\n".join([*notes, _state(turn, stored), f"{to}어느 것을 바꿀까요?"])
    return ask(text, step="kind", slots=slots, choices=_kinds(KINDS))


def _kinds(kinds: Iterable[DiversionKind]) -> list[Choice]:
    return [*(Choice(KINDS[kind], kind.value) for kind in kinds), Choice("그대로 두기", _LEAVE)]


def _off_wished(turn: Turn, stored: ExtensionDiversions, wish: ForwardingWish) -> Reply:
    """Of several that are on it is asked which; one that is named and off was hardly meant."""
    on = [one for one in stored.diversions if any(server.in_effect for server in one.servers)]
    on = [one for one in on if one.kind is wish.kind] or on
    notes = [_NOW_ONLY] * wish.is_for_later
    if not on:
        return done("\n\n".join(["지금 전화를 돌리는 착신전환이 없어 끌 것이 없습니다.", _state(turn, stored)]))
    if len(on) == 1:
        return _off_asked(_slots(turn, on[0]), "\n\n".join([*notes, _row(turn, on[0]), ""]))
    text = "\n\n".join([*notes, _state(turn, stored), "어느 것을 끌까요?"])
    return ask(text, step="kind_off", choices=_kinds(one.kind for one in on))


async def _kind_chosen(turn: Turn, diversions: Diversions) -> Reply:
    now = _of_kind(await _read(turn, diversions), DiversionKind(turn.choice))
    return _of_one_kind(turn, now, turn.slots)


def _of_one_kind(turn: Turn, now: Diversion, said: Mapping[str, str], notes: Sequence[str] = ()) -> Reply:
    """What is asked once it is clear which kind is to be changed; ``said`` is what is known already."""
    slots = {**said, **_slots(turn, now)}
    before = "".join(f"{note}\n\n" for note in notes)
    if _NUMBER in slots:
        return _on_asked(turn, slots, before)
    if not now.in_effect:
        return _asked_for_number(now.kind, slots, before)
    text = f"{before}{_row(turn, now)}\n\n어떻게 할까요?"
    return ask(text, step="what", slots=slots, choices=[Choice("번호 바꾸기", _NUMBER), Choice("끄기", "off")])


def _slots(turn: Turn, now: Diversion) -> dict[str, str]:
    later = {_LATER: turn.slots[_LATER]} if _LATER in turn.slots else {}
    return {"kind": now.kind.value, "version": now.version, **later}


def _number_asked(turn: Turn) -> Reply:
    return _asked_for_number(_kind(turn), turn.slots)


def _asked_for_number(
    kind: DiversionKind, slots: Mapping[str, str], before: str = "", *, misread: bool = False
) -> Reply:
    text = f"{before}**{KINDS[kind]}** 어느 번호로 돌릴까요?"
    field = Field(name=_NUMBER, label="받을 번호", hint="01012345678")
    return ask(text, step="number", slots=slots, fields=[field], misread=misread)


def _number_given(turn: Turn) -> Reply:
    try:
        number = answered_number(turn.inputs[_NUMBER])
    except NumberError:
        return _asked_for_number(_kind(turn), turn.slots, _NO_NUMBER, misread=True)
    return _on_asked(turn, {**turn.slots, _NUMBER: number})


def _on_asked(turn: Turn, slots: Mapping[str, str], before: str = "") -> Reply:
    when, here = KINDS[DiversionKind(slots["kind"])], escaped(turn.person.extension)
    since = "지금부터 바로 " if _LATER in slots else ""
    text = f"{before}내선 {here}에 오는 전화를 {since}**{when}** {escaped(slots[_NUMBER])} 번호로 돌릴까요?"
    return confirm(text, step="on", slots=slots)


def _off_asked(slots: Mapping[str, str], before: str = "") -> Reply:
    return confirm(f"{before}**{KINDS[DiversionKind(slots['kind'])]}** 착신전환을 끌까요?", step="off", slots=slots)


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
