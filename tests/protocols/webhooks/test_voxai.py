"""Vox.ai: both versions give the same call, an event has one id, and no field's nonsense costs the others."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.webhooks.delivery import ID_LENGTH, Identified, body_hash
from protocols.webhooks.voxai import Finding, Turn, VoxaiCall, identify, make_com_body, read_call
from tests.protocols.webhooks import voxai_samples as samples
from tests.protocols.webhooks.voxai_samples import CALL_ID, v1, v1_ended, v2, v2_ended

ENDED = VoxaiCall(
    event="call_ended",
    call_id=CALL_ID,
    opt_out=False,
    agent_id="agent-1",
    call_type="inbound",
    caller="01012345678",
    callee="0212345678",
    started_at=1_790_000_000.123,
    ended_at=1_790_000_061.623,
    duration=61.5,
    disconnection_reason="user_hangup",
    transcript=(
        Turn("agent", "안녕하세요, 한빛상담실입니다."),
        Turn("user", "예약을 내일로 바꾸고 싶어요."),
    ),
    recording_url="https://recordings.example.com/call-0001.wav",
    summary="예약 날짜를 바꾸었다.",
    sentiment="positive",
    analysis=(Finding("예약 변경", "boolean", True), Finding("새 날짜", "string", "내일")),
    dynamic_variables={"customer_name": "홍길동"},
    metadata={"ticket": "A-1", "branch": 3},
)


def test_both_versions_give_the_same_call() -> None:
    assert read_call(v1_ended()) == ENDED
    assert read_call(v2_ended()) == msgspec.structs.replace(ENDED, agent_version="v7")


@pytest.mark.parametrize("event", ["call_started", "mid_call", "call_analyzed", "call_teleported"])
@pytest.mark.parametrize("version", [v1, v2])
def test_what_an_event_does_not_say_is_none(event: str, version: Any) -> None:
    call = read_call(version(event))
    assert call is not None
    assert (call.event, call.call_id, call.caller, call.started_at) == (
        event, CALL_ID, "01012345678", 1_790_000_000.123,
    )  # fmt: skip
    assert (call.ended_at, call.duration, call.disconnection_reason, call.transcript) == (None, None, None, None)
    assert (call.recording_url, call.summary, call.sentiment, call.analysis) == (None, None, None, None)


def test_an_analysis_may_come_alone() -> None:
    call = read_call(v2("call_analyzed", call_analysis=samples.ANALYSIS))
    assert call is not None
    assert (call.summary, call.sentiment, call.analysis) == (ENDED.summary, ENDED.sentiment, ENDED.analysis)
    assert call.transcript is None


@pytest.mark.parametrize("opt_out", [True, "true", 1])
@pytest.mark.parametrize("ended", [v1_ended, v2_ended])
def test_of_a_call_that_opted_out_nothing_sensitive_is_read(opt_out: Any, ended: Any) -> None:
    call = read_call(ended(opt_out))
    assert call is not None
    assert call == msgspec.structs.replace(
        ENDED,
        opt_out=True,
        agent_version=call.agent_version,
        transcript=None,
        recording_url=None,
        summary=None,
        sentiment=None,
        analysis=None,
        dynamic_variables=None,
    )


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("agent_id", "agent_id"),
        ("call_type", "call_type"),
        ("call_from", "caller"),
        ("call_to", "callee"),
        ("start_timestamp", "started_at"),
        ("end_timestamp", "ended_at"),
        ("duration_ms", "duration"),
        ("disconnection_reason", "disconnection_reason"),
        ("transcript", "transcript"),
        ("recording_url", "recording_url"),
        ("dynamic_variables", "dynamic_variables"),
        ("metadata", "metadata"),
    ],
)
@pytest.mark.parametrize("value", [None, True, 1.5e300, -1.5, [["x"]], ""])
def test_nonsense_in_one_field_costs_no_other(field: str, name: str, value: Any) -> None:
    call = read_call(v1_ended(**{field: value}))
    assert call is not None
    expected = () if name == "transcript" and isinstance(value, list) else None
    assert call == msgspec.structs.replace(ENDED, **{name: expected})


@pytest.mark.parametrize("value", [0, 1, 1_790_000_000, 999_999_999_999])
def test_a_time_before_there_was_anybody_to_call_is_none(value: int) -> None:
    call = read_call(v1_ended(start_timestamp=value, end_timestamp=value))
    assert call == msgspec.structs.replace(ENDED, started_at=None, ended_at=None)


@pytest.mark.parametrize(
    "analysis", [None, [], "x", {"custom_analysis_data": "x", "summary": 1.5, "user_sentiment": []}]
)
def test_an_analysis_that_is_none_costs_no_other_field(analysis: Any) -> None:
    call = read_call(v1_ended(call_analysis=analysis))
    assert call == msgspec.structs.replace(ENDED, summary=None, sentiment=None, analysis=None)


def test_turns_and_findings_that_say_nothing_are_left_out() -> None:
    turns = [
        {"role": "user"},
        {"content": "네"},
        5,
        None,
        {"role": 1, "content": ["x"]},
        {"role": "user", "content": ""},
    ]
    findings = [{"value": 1}, {"name": "a"}, "x", {"name": "b", "type": 5, "value": [1]}]
    call = read_call(v1_ended(transcript=turns, call_analysis={"custom_analysis_data": findings}))
    assert call is not None
    assert call.transcript == (Turn("", "네"),)
    assert call.analysis == (Finding("a", None, None), Finding("b", "5", [1]))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"call":[]}', b'{"call":{"call_id":""}}', b'{"call":{"call_id":[]}}']
)
def test_without_the_id_of_a_call_there_is_none(body: bytes) -> None:
    assert read_call(body) is None


@pytest.mark.parametrize("version", [v1, v2])
@pytest.mark.parametrize("event", ["call_started", "call_ended", "call_analyzed"])
def test_what_a_call_has_once_is_one_delivery(event: str, version: Any) -> None:
    for body in (version(event), version(event, disconnection_reason="x")):
        assert identify({}, body) == Identified(event, f"{CALL_ID}:{event}", CALL_ID)


@pytest.mark.parametrize("event", ["mid_call", "call_teleported"])
def test_what_a_call_may_have_again_is_told_apart_by_its_body(event: str) -> None:
    first, second = v1(event, n=1), v1(event, n=2)
    assert identify({}, first) == Identified(event, f"{CALL_ID}:{event}:{body_hash(first)}", CALL_ID)
    assert identify({}, first).other_id != identify({}, second).other_id


def test_a_text_message_is_identified_by_what_is_there() -> None:
    def sms(**fields: Any) -> bytes:
        return json.dumps({"event": "sms_received", "webhook_version": "v2", "sms": fields}).encode()

    assert identify({}, sms(sms_id="s-1", call_id="c-1")) == Identified("sms_received", "c-1:sms_received:s-1", "c-1")
    assert identify({}, sms(id=7)) == Identified("sms_received", "7:sms_received")
    body = sms(call_id="c-1", content="네")
    assert identify({}, body) == Identified("sms_received", f"c-1:sms_received:{body_hash(body)}", "c-1")
    assert identify({}, sms(content="네")) == Identified("sms_received")
    assert identify({}, b'{"event":"sms_received"}') == Identified("sms_received")


_ids = st.text(min_size=1).filter(lambda text: text.strip("\0"))  # of NULs nothing is left


@given(_ids | st.text("x", min_size=100), st.sampled_from(["call_ended", "mid_call", "x" * 300]))
def test_the_ids_of_a_call_s_events_begin_with_its_key(call_id: str, event: str) -> None:
    identified = identify({}, v1(event, call_id=call_id))
    message = {"event": "sms_received", "sms": {"call_id": call_id, "sms_id": "s" * len(call_id)}}
    texted = identify({}, json.dumps(message).encode())
    assert identified.key == texted.key
    for one in (identified, texted):
        assert one.other_id is not None
        assert one.other_id.startswith(f"{one.key}:")
        assert len(one.other_id) <= ID_LENGTH
        assert one.other_id.isprintable()


def test_without_a_call_nothing_is_deduplicated() -> None:
    assert identify({}, b'{"event":"call_ended"}') == Identified("call_ended")
    assert identify({}, b"no JSON") == Identified("unknown")


def test_make_com_is_told_of_the_end_only() -> None:
    expected = {
        "event_type": "call_ended",
        "timestamp": samples.END_MS,
        "call_id": CALL_ID,
        "agent_id": "agent-1",
        "disconnection_reason": "user_hangup",
        "duration_ms": 61_500,
        "call_from": "01012345678",
        "call_to": "0212345678",
    }
    assert make_com_body(v1_ended()) == make_com_body(v2_ended()) == expected
    for event in ("call_started", "mid_call", "call_analyzed", "sms_received"):
        assert make_com_body(v1(event)) is None
    for body in (b"", b"[]", b'{"event":"call_ended"}', b'{"event":"call_ended","call":[]}'):
        assert make_com_body(body) is None
    absent = make_com_body(b'{"event":"call_ended","call":{}}')
    assert absent == {"event_type": "call_ended"} | dict.fromkeys(list(expected)[1:])


FIELDS = sorted(json.loads(v1_ended())["call"].keys() | json.loads(v2_ended())["call"].keys())
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "summary", "custom_analysis_data", "name"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), shapes) | shapes)
def test_any_call_is_read_or_is_none(call: Any) -> None:
    body = json.dumps({"event": "call_ended", "call": call}).encode()
    read = read_call(body)
    if read is not None:
        # What is read can be written again, and a database takes it.
        assert b"\\u0000" not in msgspec.json.encode(read).replace(b"\\\\", b"")
        assert msgspec.json.decode(msgspec.json.encode(read), type=VoxaiCall) is not None
    made = make_com_body(body)
    assert (made is None) == (not isinstance(call, dict))
