"""Messages of both directions: their fields on the wire, and why an instruction is refused."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.choices import ChoiceSource
from protocols.errors import RemoteError
from protocols.relay.messages import (
    UNAVAILABLE,
    Ask,
    End,
    EndReason,
    Error,
    ErrorCode,
    Expect,
    Hangup,
    Instruction,
    InstructionRefusedError,
    Message,
    Prompt,
    Said,
    Say,
    Setup,
    Transfer,
    decode_instruction,
    decode_message,
    encode,
)

SETUP = Setup(
    turn=1,
    version=1,
    call_id="1790000000.42",
    tenant_id="demo",
    org_id="flower-01",
    app_id="flower-app",
    did="07012345678",
    notice_played=True,
)
SETUP_FRAME = (
    '{"type":"setup","turn":1,"version":1,"callId":"1790000000.42","tenantId":"demo","orgId":"flower-01",'
    '"appId":"flower-app","did":"07012345678","noticePlayed":true'
)
PROMPT = Prompt(turn=4, text="", silence=True, low_confidence=False, spoke_during_playback=False, heard_voice=True)
PROMPT_FRAME = (
    '{"type":"prompt","turn":4,"text":"","silence":true,"lowConfidence":false,"spokeDuringPlayback":false,'
    '"heardVoice":true'
)
CHOSEN = Prompt(
    turn=5,
    text="참불",
    silence=False,
    low_confidence=True,
    spoke_during_playback=True,
    heard_voice=True,
    choice="착불",
    choice_index=1,
    choice_source=ChoiceSource.INITIAL,
    confirm=True,
)

WIRE: list[tuple[Message | Instruction, str]] = [
    (SETUP, SETUP_FRAME + "}"),
    (
        Setup(
            turn=1,
            version=1,
            call_id="c",
            tenant_id="",
            org_id="",
            app_id="a",
            did="",
            notice_played=False,
            caller="01000000000",
            simulated=True,
        ),
        '{"type":"setup","turn":1,"version":1,"callId":"c","tenantId":"","orgId":"","appId":"a","did":"",'
        '"noticePlayed":false,"caller":"01000000000","simulated":true}',
    ),
    (Said(turn=2), '{"type":"said","turn":2}'),
    (PROMPT, PROMPT_FRAME + "}"),
    (
        CHOSEN,
        '{"type":"prompt","turn":5,"text":"참불","silence":false,"lowConfidence":true,"spokeDuringPlayback":true,'
        '"heardVoice":true,"choice":"착불","choiceIndex":1,"choiceSource":"initial","confirm":true}',
    ),
    (
        Prompt(
            turn=6,
            text="둘 다",
            silence=False,
            low_confidence=False,
            spoke_during_playback=False,
            heard_voice=True,
            choice_index=0,
            choice_source=ChoiceSource.EXACT,
            choice_ambiguous=True,
            address=dict(UNAVAILABLE),
        ),
        '{"type":"prompt","turn":6,"text":"둘 다","silence":false,"lowConfidence":false,"spokeDuringPlayback":false,'
        '"heardVoice":true,"choiceIndex":0,"choiceSource":"exact","choiceAmbiguous":true,'
        '"address":{"status":"unavailable"}}',
    ),
    (
        Error(turn=7, code=ErrorCode.BAD_CHOICES, message="choices: …"),
        '{"type":"error","turn":7,"code":"bad_choices","message":"choices: …"}',
    ),
    (End(turn=8, reason=EndReason.CALLER_HANGUP), '{"type":"end","turn":8,"reason":"caller_hangup"}'),
    (Say("안녕하세요"), '{"type":"say","text":"안녕하세요"}'),
    (Say("가", interruptible=True, turn=1), '{"type":"say","text":"가","interruptible":true,"turn":1}'),
    (Ask(), '{"type":"ask"}'),
    (Ask("어느 쪽?", ("선불", "착불")), '{"type":"ask","text":"어느 쪽?","choices":["선불","착불"]}'),
    (
        Ask("어디로?", expect=Expect.ADDRESS, label="배달지"),
        '{"type":"ask","text":"어디로?","expect":"address","label":"배달지"}',
    ),
    (Transfer(), '{"type":"transfer"}'),
    (Hangup(), '{"type":"hangup"}'),
    (Hangup("감사합니다"), '{"type":"hangup","text":"감사합니다"}'),
]


@pytest.mark.parametrize(("message", "frame"), WIRE)
def test_the_fields_on_the_wire(message: Message | Instruction, frame: str) -> None:
    assert encode(message) == frame
    decode = decode_instruction if isinstance(message, Say | Ask | Transfer | Hangup) else decode_message
    newer = frame[:-1] + ',"invented":{"later":[1]}}'
    for text in (frame, frame.encode(), newer, json.dumps(json.loads(newer))):
        assert decode(text) == message


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        '"say"',
        "null",
        "1",
        '{"type":"say","text":"가"} x',
        "\ud800",
        b"\xff",
        '{"type":"say","text":"\\ud800"}',
        "[" * 100_000,
        '{"x":' * 100_000,
    ],
)
def test_what_is_no_json_object_is_the_other_sides_fault(frame: str | bytes) -> None:
    for decode in (decode_instruction, decode_message):
        with pytest.raises(RemoteError, match=f"a frame of length {len(frame)}"):
            decode(frame)


@pytest.mark.parametrize(
    "frame",
    ["{}", '{"type":"say","turn":1}', '{"type":"said"}', '{"type":"end","turn":1}', '{"type":"said","turn":"1"}'],
)
def test_what_is_no_message_of_a_gateway(frame: str) -> None:
    with pytest.raises(RemoteError):
        decode_message(frame)


def test_a_newer_reason_to_end_is_read() -> None:
    assert decode_message('{"type":"end","turn":3,"reason":"invented"}') == End(turn=3, reason="invented")


REFUSED: list[tuple[dict[str, Any], ErrorCode, str]] = [
    ({}, ErrorCode.UNKNOWN_TYPE, "type is missing or no text; say, ask, transfer and hangup are allowed"),
    ({"type": None}, ErrorCode.UNKNOWN_TYPE, "type is missing or no text"),
    ({"type": ["say"]}, ErrorCode.UNKNOWN_TYPE, "type is missing or no text"),
    ({"type": "sing", "text": "가"}, ErrorCode.UNKNOWN_TYPE, "type is 'sing'; say, ask"),
    ({"type": "Say", "text": "가"}, ErrorCode.UNKNOWN_TYPE, "type is 'Say'"),
    ({"type": "x" * 10_000}, ErrorCode.UNKNOWN_TYPE, f"type is '{'x' * 40}';"),
    ({"type": "say"}, ErrorCode.TEXT_REQUIRED, "text is missing or blank; 1 to 500 characters are allowed"),
    ({"type": "say", "text": " \n"}, ErrorCode.TEXT_REQUIRED, "text is missing or blank"),
    ({"type": "say", "text": 5}, ErrorCode.TEXT_REQUIRED, "text is no text; a string is allowed"),
    ({"type": "ask", "text": ["가"]}, ErrorCode.TEXT_REQUIRED, "text is no text"),
    ({"type": "hangup", "text": True}, ErrorCode.TEXT_REQUIRED, "text is no text"),
    *[
        (
            {"type": kind, "text": "가" * 501},
            ErrorCode.TEXT_TOO_LONG,
            "text has 501 characters; 500 at most are allowed",
        )
        for kind in ("say", "ask", "hangup")
    ],
    ({"type": "ask", "choices": "네"}, ErrorCode.BAD_CHOICES, "choices is no list of texts; 2 to 6 of 1 to 20 char"),
    ({"type": "ask", "choices": ["네", 1]}, ErrorCode.BAD_CHOICES, "choices is no list of texts"),
    ({"type": "ask", "choices": []}, ErrorCode.BAD_CHOICES, "choices: there are 0 choices; 2 to 6 are allowed"),
    ({"type": "ask", "choices": ["네"]}, ErrorCode.BAD_CHOICES, "choices: there are 1 choices"),
    ({"type": "ask", "choices": list("가나다라마바사")}, ErrorCode.BAD_CHOICES, "choices: there are 7 choices"),
    ({"type": "ask", "choices": ["네", ""]}, ErrorCode.BAD_CHOICES, "choice 2 has 0 characters; 1 to 20 are allowed"),
    ({"type": "ask", "choices": ["네", "가" * 21]}, ErrorCode.BAD_CHOICES, "choice 2 has 21 characters"),
    ({"type": "ask", "choices": ["네", "네"]}, ErrorCode.BAD_CHOICES, "they must be distinct"),
    ({"type": "ask", "expect": "phone"}, ErrorCode.BAD_EXPECT, 'expect is unknown; "address" is allowed'),
    ({"type": "ask", "expect": ["address"]}, ErrorCode.BAD_EXPECT, "expect is unknown"),
    ({"type": "ask", "expect": "address", "choices": ["가", "나"]}, ErrorCode.BAD_EXPECT, "one of them is allowed"),
    ({"type": "ask", "expect": "address", "label": "가" * 11}, ErrorCode.BAD_EXPECT, "label is no text or too long"),
    ({"type": "ask", "expect": "address", "label": 1}, ErrorCode.BAD_EXPECT, "10 characters at most are allowed"),
]


@pytest.mark.parametrize(("fields", "code", "text"), REFUSED)
def test_a_refusal_says_which_field_and_what_is_allowed(fields: dict[str, Any], code: ErrorCode, text: str) -> None:
    with pytest.raises(InstructionRefusedError) as raised:
        decode_instruction(json.dumps(fields))
    assert raised.value.code is code
    assert text in raised.value.text
    assert len(raised.value.text) < 150


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "say", "text": "가" * 500}, Say("가" * 500)),
        ({"type": "say", "text": "😀" * 500}, Say("😀" * 500)),
        ({"type": "say", "text": " 가 "}, Say(" 가 ")),
        ({"type": "say", "text": "가", "interruptible": "true"}, Say("가")),
        ({"type": "say", "text": "가", "interruptible": 1, "turn": True}, Say("가")),
        ({"type": "say", "text": "가", "turn": "4"}, Say("가")),
        ({"type": "say", "text": "가", "choices": 5, "expect": 5}, Say("가")),
        ({"type": "ask", "text": None, "choices": None, "expect": None, "label": None}, Ask()),
        ({"type": "ask", "label": 5}, Ask()),
        ({"type": "ask", "choices": ["가" * 20, *"나다라마바"]}, Ask("", ("가" * 20, *"나다라마바"))),
        ({"type": "ask", "expect": "address"}, Ask(expect=Expect.ADDRESS)),
        ({"type": "transfer", "to": "01000000000", "turn": 3}, Transfer(turn=3)),
        ({"type": "hangup", "text": None}, Hangup()),
    ],
)
def test_what_is_taken(fields: dict[str, Any], expected: Instruction) -> None:
    assert decode_instruction(json.dumps(fields)) == expected


def test_lengths_are_counted_composed_and_texts_stay_as_they_are() -> None:
    text = unicodedata.normalize("NFD", "각" * 500)
    assert decode_instruction(json.dumps({"type": "say", "text": text})) == Say(text)
    word = unicodedata.normalize("NFD", "각" * 20)
    assert decode_instruction(json.dumps({"type": "ask", "choices": [word, "나"]})) == Ask("", (word, "나"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
TYPES = st.sampled_from(["say", "ask", "transfer", "hangup", "ask", "sing"])
FIELDS = st.fixed_dictionaries(
    {"type": TYPES | VALUES},
    optional={
        "turn": VALUES,
        "text": st.text(max_size=510) | VALUES,
        "interruptible": VALUES,
        "choices": st.lists(st.text(max_size=22), max_size=7) | VALUES,
        "expect": st.just("address") | VALUES,
        "label": st.text(max_size=12) | VALUES,
    },
)


@given(FIELDS)
def test_any_object_is_an_instruction_that_can_be_sent_again_or_is_refused(fields: dict[str, Any]) -> None:
    frame = json.dumps(fields)
    try:
        instruction = decode_instruction(frame)
    except InstructionRefusedError:
        return
    assert decode_instruction(encode(instruction)) == instruction


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_frame_is_read_or_is_the_other_sides_fault(frame: str | bytes) -> None:
    for decode in (decode_instruction, decode_message):
        with pytest.raises((RemoteError, InstructionRefusedError)):
            decode(frame)
