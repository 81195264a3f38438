"""Rows as tests write them: every field set, so that one that is lost on the way shows."""

from __future__ import annotations

from typing import Any

from daemon.stores.calls import CallRow, LegRow
from daemon.stores.click_to_calls import ClickToCallRow, StepRow
from daemon.stores.outgoing_calls import OutgoingCallRow
from daemon.stores.utterances import UtteranceRow


def leg_row(leg_id: str, **changes: Any) -> LegRow:
    """An answered a-leg."""
    fields: dict[str, Any] = {
        "leg_id": leg_id,
        "direction": "inbound",
        "caller": "01012345678",
        "caller_name": "홍길동",
        "callee": "0212345678",
        "code": "dev-app",
        "state": "answered",
        "created_at": 1_700_000_000.125,
        "answered_at": 1_700_000_003.5,
        "ended_at": None,
        "hangup_cause": "",
        "parked": True,
        "held": False,
        "peer_id": "peer",
    }
    return LegRow(**(fields | changes))


def call_row(call_id: str, **changes: Any) -> CallRow:
    """A parked call of one leg, named after the call."""
    fields: dict[str, Any] = {
        "call_id": call_id,
        "origin": "freeswitch",
        "server": "main",
        "other_id": f"leg-{call_id}",
        "state": "parked",
        "caller": "01012345678",
        "caller_name": "홍길동",
        "callee": "0212345678",
        "did": "0212345678",
        "code": "dev-app",
        "app": "greeter",
        "created_at": 1_700_000_000.125,
        "answered_at": 1_700_000_003.5,
        "ended_at": None,
        "hangup_cause": "",
        "disposition": None,
        "merged_into": "",
        "sensitive": False,
        "outcome": "ordered",
        "app_ending": "handed_on",
    }
    fields["legs"] = [leg_row(str(changes.get("other_id", fields["other_id"])))]
    return CallRow(**(fields | changes))


def utterance_row(call_id: str, seq: int, **changes: Any) -> UtteranceRow:
    """The ``seq``-th final of a call."""
    fields: dict[str, Any] = {
        "call_id": call_id,
        "utterance_id": f"{call_id}-{seq}",
        "seq": seq,
        "leg_id": f"leg-{call_id}",
        "speaker": "caller",
        "text": f"네, {seq}번째 문의입니다.",
        "start": 1.5 * seq,
        "end": 1.5 * seq + 1,
        "said_at": 1_700_000_003.5 + 1.5 * seq,
        "confidence": 0.875,
        "vendor": "brain",
    }
    return UtteranceRow(**(fields | changes))


def click_to_call_row(click_to_call_id: str, **changes: Any) -> ClickToCallRow:
    """One of jin's that is queued."""
    fields: dict[str, Any] = {
        "click_to_call_id": click_to_call_id,
        "actor": "jin",
        "request_key": f"key-{click_to_call_id}",
        "request": "hash",
        "tenant": "main",
        "caller": "1010",
        "callee": "01012345678",
        "way": "rest",
        "notice": "1010번은 010…으로 전환됩니다",
        "call_id": "call-1",
        "created_at": 1000.5,
        "ended_at": None,
        "steps": [StepRow("queued", 1000.75, "자세히")],
    }
    return ClickToCallRow(**(fields | changes))


def outgoing_call_row(call_id: str, **changes: Any) -> OutgoingCallRow:
    """One that is being dialled."""
    fields: dict[str, Any] = {
        "call_id": call_id,
        "actor": "jin",
        "request_key": f"key-{call_id}",
        "request": "hash",
        "holder": "here",
        "server": "main",
        "leg_id": f"leg-{call_id}",
        "app": "order",
        "number": "01012345678",
        "variables": {"name": "홍길동", "odd": "\0\r\n'"},
        "state": "dialling",
        "created_at": 1000.5,
    }
    return OutgoingCallRow(**(fields | changes))
