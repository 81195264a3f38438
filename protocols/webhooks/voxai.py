"""Vox.ai: the events of a call, in the shapes of its webhook versions 1 and 2, as one.

Version 1 is ``{"event", "call": {"call_id", "agent_id", "call_from", "call_to", "start_timestamp", …}}``, version 2
``{"event", "webhook_version": "v2", "call": {"call_id", "agent": {"agent_id"}, "from_number", "to_number", "start_at",
…}}``; times are Unix milliseconds in both. Events: ``call_started``, ``mid_call``, ``call_ended``, and in version 2
``call_analyzed`` (later than the end, or before it) and ``sms_received`` (its fields under ``sms``). An event that
nobody knows is identified and read as far as it goes. Source: Vox.ai's documentation of webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from protocols.webhooks.delivery import ID_LENGTH, Identified, body_hash, event_name, stable_id
from protocols.webhooks.payload import at, read_object
from protocols.webhooks.voxai_redaction import redact

_ONCE = frozenset({"call_started", "call_ended", "call_analyzed"})
"""Events that a call has once."""
_KEY_LENGTH = 128
# The year 5138: past it a time is nonsense, and far past it a float cannot say seconds any more.
_LATEST_MS = 1e14
# September 2001: what is less are seconds, or nothing.
_EARLIEST_MS = 10**12


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one side said: ``role`` is Vox.ai's word for the side (``agent``, ``user`` …)."""

    role: str
    content: str


class Finding(msgspec.Struct, frozen=True):
    """One thing that the analysis was configured to find: ``type`` and ``value`` are Vox.ai's."""

    name: str
    type: str | None
    value: Any


class VoxaiCall(msgspec.Struct, frozen=True):
    """A call as one event tells it; ``None`` is what the event does not say, or says in a type that it should not have.

    ``started_at`` and ``ended_at`` are Unix seconds, ``duration`` seconds. Where ``opt_out`` is true, nothing that is
    not to be kept is read.
    """

    event: str
    call_id: str
    opt_out: bool
    agent_id: str | None = None
    agent_version: str | None = None
    call_type: str | None = None
    caller: str | None = None
    callee: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    duration: float | None = None
    disconnection_reason: str | None = None
    transcript: tuple[Turn, ...] | None = None
    recording_url: str | None = None
    summary: str | None = None
    sentiment: str | None = None
    analysis: tuple[Finding, ...] | None = None
    dynamic_variables: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


def identify(headers: Mapping[str, str], body: bytes) -> Identified:
    """Never raises. Events of one call stay in order, and their ids begin with the call's key and a colon.

    An event that a call may have again is told from others by its body: the same bytes are the same event.
    """
    payload = read_object(body)
    event = event_name(payload.get("event"))
    sms = payload.get("sms")
    call_id = _word(at(payload, "call", "call_id")) or _word(at(sms, "call_id"))
    key = stable_id(call_id, most=_KEY_LENGTH)
    own = _sms_id(sms) if event == "sms_received" else None
    if key is None:
        return Identified(event, stable_id(own, event))
    marks = [own] if own else [] if event in _ONCE else [body_hash(body)]
    return Identified(event, f"{key}:{stable_id(event, *marks, most=ID_LENGTH - _KEY_LENGTH - 1)}", key)


def _sms_id(sms: Any) -> str | None:
    """The message's own id."""
    return next(filter(None, (_word(at(sms, name)) for name in ("sms_id", "message_id", "id"))), None)


def read_call(body: bytes) -> VoxaiCall | None:
    """The call that an event is about; ``None`` for a body without the id of one. Never raises."""
    kept, opt_out = redact(body)
    payload = read_object(kept)
    call = payload.get("call")
    call_id = _word(at(call, "call_id"))
    if call_id is None:
        return None
    analysis = at(call, "call_analysis")
    return VoxaiCall(
        event=event_name(payload.get("event")),
        call_id=call_id,
        opt_out=opt_out,
        agent_id=_first_word(call, ("agent_id",), ("agent", "agent_id")),
        agent_version=_first_word(call, ("agent_version",), ("agent", "agent_version")),
        call_type=_word(at(call, "call_type")),
        caller=_first_word(call, ("call_from",), ("from_number",)),
        callee=_first_word(call, ("call_to",), ("to_number",)),
        started_at=_first_seconds(call, "start_timestamp", "start_at", least=_EARLIEST_MS),
        ended_at=_first_seconds(call, "end_timestamp", "end_at", least=_EARLIEST_MS),
        duration=_first_seconds(call, "duration_ms"),
        disconnection_reason=_word(at(call, "disconnection_reason")),
        transcript=_turns(at(call, "transcript")),
        recording_url=_word(at(call, "recording_url")),
        summary=_word(at(analysis, "summary")),
        sentiment=_word(at(analysis, "user_sentiment")),
        analysis=_findings(at(analysis, "custom_analysis_data")),
        dynamic_variables=_object(at(call, "dynamic_variables")),
        metadata=_object(at(call, "metadata")),
    )


def make_com_body(body: bytes) -> dict[str, Any] | None:
    """What Make.com is sent of a call's end, every value as Vox.ai wrote it; ``None`` for any other event.

    ``timestamp`` is when the call ended, in Unix milliseconds.
    """
    payload = read_object(body)
    call = payload.get("call")
    if payload.get("event") != "call_ended" or not isinstance(call, Mapping):
        return None
    return {
        "event_type": "call_ended",
        "timestamp": _first(call, ("end_timestamp",), ("end_at",)),
        "call_id": call.get("call_id"),
        "agent_id": _first(call, ("agent_id",), ("agent", "agent_id")),
        "disconnection_reason": call.get("disconnection_reason"),
        "duration_ms": call.get("duration_ms"),
        "call_from": _first(call, ("call_from",), ("from_number",)),
        "call_to": _first(call, ("call_to",), ("to_number",)),
    }


def _first(call: Any, *paths: tuple[str, ...]) -> Any:
    return next((value for path in paths if (value := at(call, *path)) is not None), None)


def _first_word(call: Any, *paths: tuple[str, ...]) -> str | None:
    return next((word for path in paths if (word := _word(at(call, *path))) is not None), None)


def _first_seconds(call: Any, *names: str, least: int = 0) -> float | None:
    """The first of the milliseconds ``names`` that is a sensible number, ``least`` or more, in seconds."""
    for name in names:
        value = at(call, name)
        if (type(value) is int or type(value) is float) and least <= value <= _LATEST_MS:
            return value / 1000
    return None


def _word(value: Any) -> str | None:
    """``value`` as text, if it is some or a whole number of a sensible size."""
    if type(value) is int and abs(value) < 10**40:
        return str(value)
    return value if isinstance(value, str) and value else None


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _turns(value: Any) -> tuple[Turn, ...] | None:
    """Every turn in which something was said."""
    if not isinstance(value, list):
        return None
    said = ((_word(at(turn, "role")) or "", _word(at(turn, "content"))) for turn in value)
    return tuple(Turn(role, content) for role, content in said if content is not None)


def _findings(value: Any) -> tuple[Finding, ...] | None:
    """Every finding with a name."""
    if not isinstance(value, list):
        return None
    named = ((_word(at(item, "name")), item) for item in value)
    return tuple(Finding(name, _word(at(item, "type")), at(item, "value")) for name, item in named if name is not None)
