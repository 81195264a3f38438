"""What is asked, what is answered, and what diversions look like in a server's database."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dcmiws.action_ids import ActionIds
from protocols.dcmiws.actions import (
    Originate,
    check_supplied,
    core_show_channels,
    database_del,
    database_get,
    database_put,
    originate,
    ping,
)
from protocols.dcmiws.answers import (
    DatabaseAnswer,
    Found,
    Missing,
    NotRemoved,
    Refused,
    Removed,
    Updated,
    database_answer,
    is_pong,
    is_success,
    output_of,
)
from protocols.dcmiws.diversions import DiversionKeys, DiversionKind, is_number
from protocols.dcmiws.frames import Frame, FrameType, decode_frame
from protocols.errors import LocalError
from tests.wire import recordings

TENANT = "0123456789abcdef"
KEYS = DiversionKeys(
    "diversions/{extension}/{kind}/enable",
    "diversions/{extension}/{kind}/destination",
    "sub-custom-numbers,{number},1",
)
GUIDE = Originate(
    channel="Local/1010@T2_cos-all",
    context="T2_cos-all",
    exten="07000000801",
    caller_name="한빛상담실",
    caller_number="16000001",
    variables=[("EXEC_AA", "yes"), ("CHANNEL(language)", "ko"), ("CHANNEL(accountcode)", "07000005605")],
)


def recorded(name: str, action_id: str) -> Frame:
    """The response to that action."""
    for line in recordings.frames(name):
        if line["dir"] == "in" and "raw" in line:
            frame = decode_frame(line["raw"].encode())
            if frame.get("ActionID") == action_id and frame.type in (FrameType.RESPONSE, FrameType.OUTPUT):
                return frame
    raise LookupError(action_id)


def data_of(request: str) -> list[tuple[str, str]]:
    """The fields of a request but its ActionID."""
    document: dict[str, Any] = dict(json.loads(request, object_pairs_hook=list))
    return [pair for pair in document["data"] if pair[0] != "ActionID"]


def test_an_originate_is_the_guides() -> None:
    pairs = data_of(originate(GUIDE).encode(1, ActionIds("x").make("C2C")).decode())
    guide = next(
        line["raw"] for line in recordings.frames("s4_originate.jsonl") if '"Action": "Originate"' in line["raw"]
    )
    assert pairs == data_of(guide)


def test_an_originate_that_chooses_its_ids() -> None:
    wanted = Originate(
        channel="Local/1010@c", context="c", exten="1", ring_time=2.5, channel_id="i", other_channel_id="j"
    )
    fields = dict(originate(wanted).fields)
    assert (fields["ChannelId"], fields["OtherChannelId"], fields["Timeout"]) == ("i", "j", "2500")
    assert "Callerid" not in fields
    assert not originate(wanted).repeatable


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variables": [("A", "x,y")]}, "variable A has a comma"),
        ({"variables": [("A", 'x"y')]}, "variable A has a quotation mark"),
        ({"variables": [("A B", "x")]}, "no name of a channel variable"),
        ({"variables": [("A=B", "x")]}, "no name of a channel variable"),
        ({"exten": "1 2"}, "exten is empty or has a space"),
        ({"exten": ""}, "exten is empty"),
        ({"channel": "Local/1@c\r\nAction: x"}, "channel is empty or has"),
        ({"context": ""}, "context is empty"),
        ({"caller_name": "a <b"}, "has a < in it"),
        ({"ring_time": 0.0}, "ring_time must be above 0"),
    ],
)
def test_an_originate_that_would_not_do_what_it_says_is_refused(changes: dict[str, Any], said: str) -> None:
    fields = {"channel": "Local/1010@c", "context": "c", "exten": "1", **changes}
    with pytest.raises(LocalError, match=re.escape(said)):
        originate(Originate(**fields))


def test_database_commands() -> None:
    key = KEYS.enable_key("1010", DiversionKind.IMMEDIATE)
    assert dict(database_put(TENANT, key, "no").fields)["Command"] == (
        f"database put {TENANT} diversions/1010/CFI/enable no"
    )
    assert [
        one.repeatable for one in (ping(), database_get("f", "k"), database_put("f", "k", "v"), core_show_channels())
    ]
    assert not database_del("f", "k").repeatable


@pytest.mark.parametrize("word", ["", "a b", "a\tb", 'a"b', "a'b", "a\\b", "a\nb"])
def test_a_database_word_that_would_be_two_or_another_is_refused(word: str) -> None:
    for words in ((word, "k", "v"), ("f", word, "v"), ("f", "k", word)):
        with pytest.raises(LocalError, match="database entry is empty or has"):
            database_put(*words)


@pytest.mark.parametrize(
    ("recording", "action_id", "answer"),
    [
        ("s2_db.jsonl", "db-1", Updated()),
        ("s2_db.jsonl", "db-12", Found("0212345678")),
        ("s2_db.jsonl", "db-10", Found("yes")),
        ("s2_db.jsonl", "db-19", Missing()),
        ("s2_db.jsonl", "db-22", Removed()),
        ("s2_db.jsonl", "db-23", NotRemoved()),
        ("s2_db.jsonl", "db-31", Found("한빛상담실")),
        ("s2_db.jsonl", "db-34", Found("sip:0212345678@10.0.0.1;a=b")),
        ("s2_db.jsonl", "db-41", Refused("No command provided")),
        ("s10_FAKE_ami13_types5_6.jsonl", "f-one", Found("no")),
        ("s10_FAKE_ami13_types5_6.jsonl", "f-put", Updated()),
    ],
)
def test_recorded_answers_of_the_database(recording: str, action_id: str, answer: DatabaseAnswer) -> None:
    assert database_answer(recorded(recording, action_id)) == answer


def test_a_wrong_number_of_words_is_refused_with_the_usage() -> None:
    answer = database_answer(recorded("s2_db.jsonl", "db-24"))
    assert isinstance(answer, Refused)
    assert answer.text.startswith("Usage: database put <family> <key> <value>\n")


def frame(*fields: tuple[str, str], kind: FrameType = FrameType.RESPONSE) -> Frame:
    return Frame(kind, 1, "pbx1", fields)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ([("Response", "Success"), ("Output", "Database entry not found")], Missing()),
        ([("Response", "Error"), ("Output", "Database entry not found.")], Missing()),
        ([("Response", "Success"), ("Output", "Value:")], Found("")),
        ([("Response", "Success")], Refused("no output")),
        ([("Response", "Error"), ("Message", "Permission denied")], Refused("Permission denied")),
        ([("Response", "Success"), ("Output", "something else")], Refused("something else")),
    ],
)
def test_answers_that_differ_in_detail(fields: list[tuple[str, str]], answer: DatabaseAnswer) -> None:
    assert database_answer(frame(*fields)) == answer


def test_the_output_of_old_servers_is_the_same_lines() -> None:
    old = recorded("s10_FAKE_ami13_types5_6.jsonl", "f-two")
    assert output_of(old) == ["line 1", "  line 2 indented", "", "line 4: with colon"]


def test_alive_is_both_success_and_pong() -> None:
    assert is_pong(recorded("s1_ping.jsonl", "p-1"))
    assert not is_pong(frame(("Response", "Success")))
    assert not is_pong(frame(("Response", "Error"), ("Ping", "Pong")))
    assert is_success(frame(("Response", "Follows"), kind=FrameType.OUTPUT))


# Diversions


def test_keys_are_the_guides() -> None:
    assert KEYS.enable_key("1010", DiversionKind.IMMEDIATE) == "diversions/1010/CFI/enable"
    assert KEYS.destination_key("1010", DiversionKind.UNAVAILABLE) == "diversions/1010/CFU/destination"


@given(st.from_regex(re.compile(r"\A\+?[0-9*#]{1,20}\Z")))
def test_a_destination_is_read_back(number: str) -> None:
    assert KEYS.destination_value(number) == f"sub-custom-numbers,{number},1"
    assert KEYS.read_destination(KEYS.destination_value(number)) == number
    assert KEYS.read_destination(number) == number
    assert is_number(number)


@pytest.mark.parametrize("value", ["sub-other,1010,1", "sub-custom-numbers,,1", "sip:a@b", "sub-custom-numbers,1,2,1"])
def test_any_other_value_stands_as_it_is(value: str) -> None:
    assert KEYS.read_destination(value) == value
    assert not is_number(value)


@pytest.mark.parametrize("number", ["", "abc", "1 2", "1,2", '1"', "1\\", "+", "++1"])
def test_what_is_no_number_is_no_destination(number: str) -> None:
    with pytest.raises(LocalError, match="a destination is a number"):
        KEYS.destination_value(number)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2", "space"),
        ("1,2", "comma"),
        ('1"2', "quote"),
        ("1'2", "quote"),
        ("1\n2", "line break"),
        ("1\\2", "backslash"),
        ("1\x002", "cannot be sent"),
    ],
)
def test_what_people_supply_may_not_mean_more_than_itself(text: str, said: str) -> None:
    with pytest.raises(LocalError, match=f"the extension has a .*{said}"):
        check_supplied("the extension", text)
    check_supplied("the extension", "1010")


@pytest.mark.parametrize(
    "patterns",
    [
        ("a/{extension}", "b/{extension}/{kind}", "{number}"),
        ("a/{extension}/{kind}", "a/{extension}/{kind}", "{number}"),
        ("a/{extension}/{kind}", "b/{kind}", "{number}"),
        ("a/{extension}/{kind}", "b/{extension}/{kind}", "none"),
    ],
)
def test_patterns_that_cannot_tell_what_they_must_are_refused(patterns: tuple[str, str, str]) -> None:
    with pytest.raises(LocalError):
        DiversionKeys(*patterns)
