"""What was said, held against what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.chatbot.contract import Choice, Field, Said
from daemon.chatbot.reading import MOST_TEXT, Heard, MisreadError, read_answer
from daemon.chatbot.turn import YES_NO, ask, confirm

TODAY = date(2026, 12, 9)
FLOWERS = (Choice("빨간 장미", "rose"), Choice("수국", "hydrangea"), Choice("국화", "mum"))
COUNT = Field(name="count", label="몇 송이", kind="number")
NOTE = Field(name="note", label="메모", is_required=False)
DAY = Field(name="day", label="날짜", kind="date")
SIZE = Field(name="size", label="크기", kind="choice", choices=(Choice("큰 것", "l"), Choice("작은 것", "s")))


def said(text: str = "", inputs: Mapping[str, str] | None = None) -> Said:
    return Said(
        id="1",
        room_id="R",
        room_type="direct",
        person_id="P",
        person_email="",
        created_at=0.0,
        text=text,
        inputs=inputs,
    )


def heard(what: Said, choices: Any = (), fields: Any = (), *, free: bool = False) -> Heard:
    return read_answer(what, choices=choices, fields=fields, free=free, today=TODAY)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("빨간 장미", "rose"),
        ("빨간장미로 주세요", "rose"),
        ("ROSE", "rose"),
        ("2", "hydrangea"),
        ("3번이요", "mum"),
        ("수국이요", "hydrangea"),
        ("빨간", "rose"),
    ],
)
def test_a_choice_in_words(text: str, value: str) -> None:
    assert heard(said(text), FLOWERS).choice == value


@pytest.mark.parametrize("text", ["", "튤립", "0", "4", "수국이나 국화", "수국 말고", "장"])
def test_what_chooses_nothing(text: str) -> None:
    with pytest.raises(MisreadError, match="빨간 장미, 수국, 국화"):
        heard(said(text), FLOWERS)
    assert heard(said(text), FLOWERS, free=True) == Heard(text=text)


@pytest.mark.parametrize(("text", "value"), [("네", "yes"), ("그래요", "yes"), ("아니요", "no"), ("안 할래요", "no")])
def test_yes_and_no(text: str, value: str) -> None:
    assert heard(said(text), YES_NO).choice == value


def test_titles_that_sound_alike_are_told_apart_by_being_pressed() -> None:
    alike = (Choice("수국!", "a"), Choice("수국?", "b"))
    with pytest.raises(MisreadError):
        heard(said("수국으로요"), alike)
    assert heard(said(inputs={"choice": "b"}), alike).choice == "b"


def test_of_two_that_are_called_the_same_none_is_chosen_by_name() -> None:
    same = (Choice("김민수", "2001"), Choice("김민수", "2002"), Choice("2001", "3"))
    with pytest.raises(MisreadError):
        heard(said("김민수"), same)
    assert heard(said("2번"), same).choice == "2002"
    assert heard(said("2001"), same).choice == "3", "people see the titles"
    assert heard(said("2002"), same).choice == "2002"


def test_what_a_form_sends_is_the_value_and_not_a_title() -> None:
    field = Field(
        name="size", label="크기", kind="choice", choices=(Choice("3", "30"), Choice("1", "3"), Choice("2", "C"))
    )
    for value in ("30", "3", "C"):
        assert heard(said(inputs={"size": value}), (), (field,)).inputs == {"size": value}
    assert heard(said("3"), (), (field,)).inputs == {"size": "30"}


def test_a_form_is_checked() -> None:
    fields = (COUNT, NOTE, DAY, SIZE)
    good = {"count": " 1,200 ", "day": "24일", "size": "작은 것", "conversation": "x"}
    assert heard(said(inputs=good), (), fields).inputs == {
        "count": "1200",
        "note": "",
        "day": "2026-12-24",
        "size": "s",
    }
    for name, value in (
        ("count", "하나"),
        ("count", ""),
        ("day", "2026-13-01"),
        ("size", "중간"),
        ("note", "x" * 5_000),
    ):
        with pytest.raises(MisreadError):
            heard(said(inputs={**good, name: value}), (), fields)


def test_a_form_of_one_field_in_words() -> None:
    assert heard(said("내일이요"), (), (DAY,)) == Heard(text="내일이요", inputs={"day": "2026-12-10"})
    with pytest.raises(MisreadError):
        heard(said("언젠가"), (), (DAY,))
    assert heard(said("언젠가"), (), (DAY,), free=True) == Heard(text="언젠가")
    with pytest.raises(MisreadError, match="양식"):
        heard(said("셋"), (), (COUNT, DAY))
    assert heard(said("셋"), (), (COUNT, DAY), free=True) == Heard(text="셋")


def test_words_are_taken_as_they_are_up_to_a_bound() -> None:
    assert heard(said(" 가 나 ")) == Heard(text="가 나")
    assert len(heard(said("가" * 10_000)).text) == MOST_TEXT


@pytest.mark.parametrize(
    "wrong",
    [
        {"step": ""},
        {"step": "a", "choices": ["x"], "fields": [COUNT]},
        {"step": "a", "fields": [COUNT, COUNT]},
        {"step": "a", "fields": [Field(name="choice", label="?")]},
    ],
)
def test_what_cannot_be_asked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"step|choices|name"):
        ask("?", **wrong)


def test_what_is_asked() -> None:
    assert ask("?", step="a", choices=["x"]).choices == (Choice("x", "x"),)
    assert confirm("?", step="a", slots={"b": "c"}).slots == {"b": "c"}


@given(
    st.text(max_size=60),
    st.lists(st.builds(Choice, st.text(max_size=8), st.text(max_size=8)), max_size=7),
    st.lists(st.sampled_from([COUNT, NOTE, DAY, SIZE]), max_size=3),
    st.booleans(),
    st.none() | st.dictionaries(st.sampled_from(["choice", "count", "note", "day", "size"]), st.text(max_size=20)),
)
def test_anything_is_an_answer_or_misread(
    text: str, choices: list[Choice], fields: list[Field], free: bool, inputs: dict[str, str] | None
) -> None:
    with suppress(MisreadError):
        answer = heard(said(text, inputs), choices, () if choices else fields, free=free)
        assert not answer.choice or answer.choice in [choice.value for choice in choices]
