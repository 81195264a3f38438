"""Whom a switch is told to call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalError
from protocols.esl.dial_strings import NUMBER, DialString


@pytest.mark.parametrize(
    ("template", "dialled"),
    [
        ("user/{number}", "user/1001"),
        ("sofia/gateway/trunk/{number}", "sofia/gateway/trunk/1001"),
        ("sofia/external/{number}@192.0.2.7:5060;transport=tcp", "sofia/external/1001@192.0.2.7:5060;transport=tcp"),
        ("{execute_on_answer=amd}{a=1,b=}user/{number}", "{execute_on_answer=amd}{a=1,b=}user/1001"),
    ],
)
def test_a_number_is_put_in_its_place(template: str, dialled: str) -> None:
    assert DialString(template).of("1001") == dialled


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{number}",
        "user/1001",
        "user/{number} &park()",
        "user/{number},user/1002",
        "user/{number}|user/1002",
        "user/{number}\n",
        "[a=b]user/{number}",
        "{a=b c}user/{number}",
        "{a}user/{number}",
        "{a=${b}}user/{number}",
        "{a='b'}user/{number}",
        "{origination_uuid=x}user/{number}",
        "{a=b,parley_app=order}user/{number}",
        "user/${number}",
    ],
)
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(LocalError):
        DialString(template)


@given(st.text() | st.text(alphabet="0123456789*#+,|{}'\"$& ()\r\n[]<>^\\"))
def test_a_number_stays_within_its_place(number: str) -> None:
    string = DialString("{a=b}user/{number}@example.com")
    try:
        dialled = string.of(number)
    except LocalError:
        assert NUMBER.fullmatch(number) is None
    else:
        assert dialled == f"{{a=b}}user/{number}@example.com"
        assert not set(number) & set(",|{}'\"$& ()\r\n[]<>^\\;/:@")
