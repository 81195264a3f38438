from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RemoteError
from protocols.webex.objects import (
    Told,
    WebexCardAction,
    WebexHook,
    WebexMessage,
    WebexPerson,
    problem_in,
    read_answer,
    read_inputs,
    read_items,
    read_told,
    told_of,
    unix_seconds,
)
from protocols.webhooks import webex

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
MESSAGE = WebexMessage(
    id="M1",
    room_id="R1",
    room_type="direct",
    person_id="P1",
    person_email="mina@example.com",
    text="안녕",
    created="2026-03-02T00:00:00.000Z",
)


def test_answers_are_read_and_what_nobody_asked_for_is_passed_over() -> None:
    body = b'{"id":"P1","displayName":"Mina","emails":["mina@example.com"],"type":"bot","avatar":null}'
    assert read_answer(body, WebexPerson) == WebexPerson(
        id="P1", display_name="Mina", emails=["mina@example.com"], type="bot"
    )
    body = b'{"id":"A1","type":"submit","roomId":"R1","messageId":"M1","personId":"P1","inputs":{"a":1}}'
    assert read_answer(body, WebexCardAction).inputs == {"a": 1}


def test_what_is_null_is_not_there() -> None:
    body = b'{"id":"M1","roomId":"R1","roomType":null,"parentId":null,"text":null,"html":null,"personEmail":"x"}'
    assert read_answer(body, WebexMessage) == WebexMessage(id="M1", room_id="R1", person_email="x")
    assert read_items(b'{"items":[{"id":"H1","name":"parley","secret":null,"created":null}]}', WebexHook) == [
        WebexHook(id="H1", name="parley")
    ]
    body = b'{"id":"A1","roomId":"R1","messageId":"M1","personId":"P1","inputs":{"a":null}}'
    assert read_answer(body, WebexCardAction).inputs == {"a": None}
    with pytest.raises(RemoteError):
        read_answer(b'{"id":"M1","roomId":null}', WebexMessage)


def test_what_no_text_can_hold_costs_no_message() -> None:
    body = b'{"id":"M1","roomId":"R1","text":"a\\ud83d\\u0000b"}'
    assert read_answer(body, WebexMessage).text == "a\ufffdb"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id":1}', b'{"id":"x","emails":"y"}', b"\xff", b"[" * 10_000])
def test_an_answer_that_is_none_is_the_other_sides_fault(body: bytes) -> None:
    with pytest.raises(RemoteError):
        read_answer(body, WebexPerson)


def test_a_page_keeps_what_can_be_read() -> None:
    hooks = read_items(b'{"items":[{"id":"H1","targetUrl":"https://a.example"},{"id":2},{"id":"H2"}]}', WebexHook)
    assert [(hook.id, hook.target_url) for hook in hooks] == [("H1", "https://a.example"), ("H2", "")]
    for body in (b"{}", b"no", b'{"items":{}}'):
        with pytest.raises(RemoteError):
            read_items(body, WebexHook)


def test_what_would_have_been_told_is_read_as_what_is_told() -> None:
    body = told_of(MESSAGE, WebexHook(id="H1", name="parley"))
    assert read_told(body) == Told(
        resource="messages",
        id="M1",
        person_id="P1",
        person_email="mina@example.com",
    )
    identified = webex.identify({}, body)
    assert identified.event == "messages.created"
    assert identified.other_id == "H1:messages:created:M1"
    assert identified.key == "R1:P1"


@given(JSON | st.fixed_dictionaries({"data": JSON, "resource": JSON, "actorId": JSON}))
def test_no_webhook_is_too_strange(payload: Any) -> None:
    told = read_told(msgspec.json.encode(payload))
    assert told is None or told.id
    assert read_told(b"\xff{") is None


@given(st.dictionaries(st.text(), JSON))
def test_inputs_are_texts(inputs: dict[str, Any]) -> None:
    read = read_inputs(inputs)
    assert set(read) <= set(inputs)
    assert all(isinstance(value, str) for value in read.values())
    assert all(read[name] == value for name, value in inputs.items() if isinstance(value, str))


def test_what_was_ticked_counted_or_left_out() -> None:
    given = {"a": True, "b": False, "c": None, "d": 3, "e": 1.5, "f": [1], "g": {"x": 1}}
    assert read_inputs(given) == {"a": "true", "b": "false", "c": "", "d": "3", "e": "1.5"}


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-03-02T00:00:00.000Z", 1_772_409_600.0),
        ("2026-03-02T00:00:00Z", 1_772_409_600.0),
        ("2026-03-02T00:00:00.250Z", 1_772_409_600.25),
        ("2026-03-02T09:00:00+09:00", None),
        ("2026-13-02T00:00:00Z", None),
        ("", None),
    ],
)
def test_moments(moment: str, seconds: float | None) -> None:
    assert unix_seconds(moment) == seconds


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?Z", fullmatch=True))
def test_no_moment_is_too_strange(moment: str) -> None:
    seconds = unix_seconds(moment)
    assert seconds is None or isinstance(seconds, float)


def test_what_webex_says_is_wrong_is_one_short_line() -> None:
    assert problem_in(b'{"message":"The request\\n could not be served","trackingId":"X"}') == (
        "The request could not be served"
    )
    assert problem_in(b'{"message":["x"]}') == ""
    assert problem_in(b"<html>") == ""
    assert len(problem_in(msgspec.json.encode({"message": "x" * 5_000}))) == 200
