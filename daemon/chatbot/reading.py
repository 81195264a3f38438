"""What was said, held against what was asked: a choice, a form that is checked, or words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import msgspec

from daemon.chatbot.contract import Choice, Field, Said, escaped
from daemon.chatbot.phrases import CHOOSE, FILL_IN, plain
from daemon.chatbot.turn import YES_NO
from protocols.choices import FEWEST, LONGEST, MOST, Choices, ChoiceSource
from protocols.errors import LocalError
from protocols.korean_dates import read_date
from protocols.yes_no import yes_or_no

MOST_TEXT: Final = 4_000
"""Characters of what is said that are taken in."""
_LEAST_PART: Final = 2
"""Characters of a title by which it may be chosen."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_ORDINAL: Final = re.compile(r"([0-9]{1,2})(?:번|번째)?(?:이?요)?")


class MisreadError(Exception):
    """It is no answer to what was asked. The text says to the person what would be."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, as a :class:`~daemon.chatbot.turn.Turn` has it; ``whole`` ``""`` is the text."""

    text: str = ""
    whole: str = ""
    choice: str = ""
    inputs: Mapping[str, str] = {}


def read_answer(said: Said, *, choices: Sequence[Choice], fields: Sequence[Field], free: bool, today: date) -> Heard:
    """What ``said`` answers. Raises :class:`MisreadError`."""
    if said.inputs is not None:
        if fields:
            return Heard(inputs={field.name: _sent(field, said.inputs.get(field.name, ""), today) for field in fields})
        return Heard(choice=_pressed(said.inputs.get("choice", ""), choices))
    text = said.text.strip()[:MOST_TEXT]
    if choices:
        return _chosen(text, choices, free=free)
    if len(fields) == 1:
        try:
            return Heard(text=text, inputs={fields[0].name: _field(fields[0], text, today)})
        except MisreadError:
            if not free:
                raise
    elif fields and not free:
        raise MisreadError(FILL_IN)
    return Heard(text=text)


def _pressed(value: str, choices: Sequence[Choice]) -> str:
    if all(choice.value != value for choice in choices):
        raise MisreadError(_choose(choices))
    return value


def _chosen(text: str, choices: Sequence[Choice], *, free: bool) -> Heard:
    value = _meant(text, choices)
    if value is None and not free:
        raise MisreadError(_choose(choices))
    return Heard(text=text, choice=value or "")


def _meant(text: str, choices: Sequence[Choice]) -> str | None:
    """The value of the choice that ``text`` names: by title, value or number, by yes or no, in a sentence, or by a part
    that only one title has. Of several that are called the same it names none."""
    word = plain(text)
    titled = {choice.value for choice in choices if word and word == plain(choice.title)}
    named = titled or {choice.value for choice in choices if word and word == plain(choice.value)}
    if named:
        return named.pop() if len(named) == 1 else None
    ordinal = _ORDINAL.fullmatch(word)
    if ordinal is not None and 1 <= int(ordinal[1]) <= len(choices):
        return choices[int(ordinal[1]) - 1].value
    if tuple(choices) == YES_NO:
        answer = yes_or_no(text)
        return None if answer is None else YES_NO[0 if answer else 1].value
    if FEWEST <= len(choices) <= MOST and all(len(choice.title) <= LONGEST for choice in choices):
        with suppress(LocalError):  # of titles that cannot be told apart in a sentence
            understood = Choices([choice.title for choice in choices]).understand(text)
            if understood.index is not None and understood.source is ChoiceSource.EXACT:
                return choices[understood.index].value
    having = [choice.value for choice in choices if len(word) >= _LEAST_PART and word in plain(choice.title)]
    return having[0] if len(having) == 1 else None


def _choose(choices: Sequence[Choice]) -> str:
    return CHOOSE.format(titles=", ".join(escaped(choice.title) for choice in choices))


def _sent(field: Field, value: str, today: date) -> str:
    """What a form sends of a field: of a choice its value, which may be called as another's title is."""
    if field.kind == "choice" and value and any(choice.value == value for choice in field.choices):
        return value
    return _field(field, value, today)


def _field(field: Field, value: str, today: date) -> str:
    """What stands in a field, in the form that services get it."""
    value = value.strip()
    label = f"**{escaped(field.label)}**"
    if not value:
        if field.is_required:
            raise MisreadError(f"{label} 칸이 비어 있습니다.")
        return ""
    if len(value) > MOST_TEXT:
        raise MisreadError(f"{label} 칸이 너무 깁니다. {MOST_TEXT}자까지 쓸 수 있습니다.")
    match field.kind:
        case "number":
            return _number(value, label)
        case "date":
            day = read_date(value, today)
            if day is None:
                raise MisreadError(f"{label} 칸의 날짜를 알 수 없습니다. 12월 24일, 12/24, 내일처럼 써 주십시오.")
            return day.isoformat()
        case "choice":
            chosen = _meant(value, field.choices)
            if chosen is None:
                raise MisreadError(_choose(field.choices))
            return chosen
        case "text":
            return " ".join(value.split())
        case "lines":
            return value


def _number(value: str, label: str) -> str:
    number = unicodedata.normalize("NFKC", value).replace(",", "").replace(" ", "")
    if _NUMBER.fullmatch(number) is None:
        raise MisreadError(f"{label} 칸에는 숫자를 써 주십시오.")
    return number
