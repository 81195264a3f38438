from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocols.webex import cards


def test_a_card_is_an_adaptive_card_of_version_1_3() -> None:
    attached = cards.attachment([*cards.texts("**무엇**을 찾으세요?\n\n\n\n하나를 고르세요.")])
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attached["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.3")
    assert [block["text"] for block in content["body"]] == ["**무엇**을 찾으세요?", "하나를 고르세요."]
    assert all(block["type"] == "TextBlock" and block["wrap"] for block in content["body"])


@given(st.lists(st.tuples(st.text(), st.dictionaries(st.text(), st.text()))))
def test_each_button_is_there_in_order_with_its_data(choices: list[tuple[str, dict[str, str]]]) -> None:
    sets = list(cards.buttons(choices))
    assert all(one["type"] == "ActionSet" and 1 <= len(one["actions"]) <= 5 for one in sets)
    pressed = [(action["title"], action["data"]) for one in sets for action in one["actions"]]
    assert pressed == choices


def test_inputs_say_what_they_want() -> None:
    assert cards.text_input("name", "이름", value="홍", hint="성과 이름", lines=True, needed="이름을 적어 주세요") == {
        "type": "Input.Text",
        "id": "name",
        "label": "이름",
        "value": "홍",
        "placeholder": "성과 이름",
        "isMultiline": True,
        "isRequired": True,
        "errorMessage": "이름을 적어 주세요",
    }
    assert cards.date_input("date", "날짜", value="2026-03-02") == {
        "type": "Input.Date",
        "id": "date",
        "label": "날짜",
        "value": "2026-03-02",
    }
    chosen = cards.choice_input("kind", "종류", [("항상", "IMMEDIATE")], value="IMMEDIATE")
    assert chosen["choices"] == [{"title": "항상", "value": "IMMEDIATE"}]
    assert (chosen["type"], chosen["style"], chosen["value"]) == ("Input.ChoiceSet", "compact", "IMMEDIATE")


@given(st.text() | st.floats().map(str) | st.integers().map(str))
def test_what_a_number_begins_with_is_a_number(value: str) -> None:
    element = cards.number_input("n", "수", value=value)
    assert msgspec.json.decode(msgspec.json.encode(element)) == element
    assert isinstance(element.get("value", 0), int | float)
    assert cards.number_input("n", "수", value="12")["value"] == 12
    assert cards.number_input("n", "수", value="1.5")["value"] == 1.5
