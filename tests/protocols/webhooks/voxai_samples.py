"""Vox.ai's events in both versions, after its documentation; who calls and what is said is made up."""

from __future__ import annotations

import json
from typing import Any

CALL_ID = "call-0001"
START_MS, END_MS = 1_790_000_000_123, 1_790_000_061_623
TRANSCRIPT = [
    {"role": "agent", "content": "안녕하세요, 한빛상담실입니다."},
    {"role": "user", "content": "예약을 내일로 바꾸고 싶어요."},
]
WITH_TOOLS = [*TRANSCRIPT, {"role": "tool_call_invocation", "name": "change_booking", "arguments": '{"day":"내일"}'}]
ANALYSIS = {
    "summary": "예약 날짜를 바꾸었다.",
    "user_sentiment": "positive",
    "custom_analysis_data": [
        {"type": "boolean", "name": "예약 변경", "value": True},
        {"type": "string", "name": "새 날짜", "value": "내일"},
    ],
}
VARIABLES = {"customer_name": "홍길동"}
METADATA = {"ticket": "A-1", "branch": 3}
ENDED = {
    "duration_ms": 61_500,
    "disconnection_reason": "user_hangup",
    "transcript": TRANSCRIPT,
    "transcript_with_tool_calls": WITH_TOOLS,
    "recording_url": "https://recordings.example.com/call-0001.wav",
    "call_cost": {"total": 12.50},
    "call_analysis": ANALYSIS,
}


def v1(event: str, opt_out: Any = False, **call: Any) -> bytes:
    """An event of version 1; ``call`` adds to the fields that every event has."""
    fields = {
        "agent_id": "agent-1",
        "call_id": CALL_ID,
        "call_type": "inbound",
        "call_from": "01012345678",
        "call_to": "0212345678",
        "dynamic_variables": VARIABLES,
        "metadata": METADATA,
        "start_timestamp": START_MS,
        "opt_out_sensitive_data_storage": opt_out,
    }
    return json.dumps({"event": event, "call": fields | call}, ensure_ascii=False).encode()


def v2(event: str, opt_out: Any = False, **call: Any) -> bytes:
    """The same of version 2."""
    fields = {
        "call_id": CALL_ID,
        "agent": {"agent_id": "agent-1", "agent_version": "v7"},
        "call_type": "inbound",
        "from_number": "01012345678",
        "to_number": "0212345678",
        "dynamic_variables": VARIABLES,
        "metadata": METADATA,
        "start_at": START_MS,
        "opt_out_sensitive_data_storage": opt_out,
    }
    document = {"event": event, "webhook_version": "v2", "call": fields | call}
    return json.dumps(document, ensure_ascii=False).encode()


def v1_ended(opt_out: Any = False, **call: Any) -> bytes:
    """The end of a call in version 1."""
    return v1("call_ended", opt_out, **{**ENDED, "end_timestamp": END_MS, **call})


def v2_ended(opt_out: Any = False, **call: Any) -> bytes:
    """The end of a call in version 2."""
    return v2("call_ended", opt_out, **{**ENDED, "end_at": END_MS, **call})
