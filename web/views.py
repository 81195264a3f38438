"""What of what we know an account is shown: calls, utterances and links as payloads, in the view of its role.

In the masked view every number of a person is masked. A DID that somebody outside dialled is one of our own and stays
whole, and so do numbers that stand in what was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import msgspec

from daemon.accounts.account import Account
from daemon.callapps.ending import state_after
from daemon.calls.call import Call, CallState, Disposition, Leg, LegState
from daemon.calls.events import Direction
from daemon.calls.links import LinkStatus
from daemon.calls.numbers import mask_number, mask_numbers_in
from daemon.health import Report
from daemon.roles import sees_numbers
from daemon.stores.agent_calls import AgentCallRow
from daemon.stores.calls import CallRow, LegRow
from daemon.stores.utterances import UtteranceRow
from daemon.transcripts.utterance import Speaker, Utterance
from web.payloads import (
    AgentPayload,
    CallPayload,
    FindingPayload,
    HealthPayload,
    LegPayload,
    LinkPayload,
    PartPayload,
    UtterancePayload,
    WholeCallPayload,
)

_OUTSIDE = re.compile(r"\+?\d{7,}|anonymous|unknown|unavailable|private|restricted|", re.IGNORECASE)
"""A caller like this is none of ours: a whole number, or one that is withheld. An extension is shorter or a name."""


class View(StrEnum):
    """An event is encoded once for each view that somebody has."""

    FULL = "full"
    MASKED = "masked"


def view_for(account: Account, full_numbers: Literal["viewer", "operator", "admin", "nobody"]) -> View:
    """The view of ``account`` where ``full_numbers`` is the least role that sees whole numbers."""
    return View.FULL if sees_numbers(account.role, full_numbers) else View.MASKED


def call_payload(call: Call | CallRow, view: View) -> CallPayload:
    """``call``, from memory or from the store, as ``view`` shows it."""
    whole = view is View.FULL
    ours = call.did if _came_in(call) else None

    def number(text: str) -> str:
        # The DID is shown wherever it stands, so that it can be seen to be the same.
        return text if whole or text == ours else mask_number(text)

    name: Callable[[str], str] = str if whole else mask_numbers_in
    return CallPayload(
        call_id=call.call_id,
        origin=call.origin,
        server=call.server,
        state=CallState(call.state),
        caller=number(call.caller),
        caller_name=name(call.caller_name),
        callee=number(call.callee),
        did=number(call.did),
        code=call.code,
        app=call.app,
        created_at=call.created_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        hangup_cause=call.hangup_cause,
        disposition=Disposition(call.disposition) if call.disposition else None,
        merged_into=call.merged_into or None,
        sensitive=isinstance(call, CallRow) and call.sensitive,
        legs=[_leg_payload(leg, number, name) for leg in call.legs],
        app_state=call.app_state if isinstance(call, Call) else state_after(call.app_ending),
        outcome=call.outcome,
        app_ending=call.app_ending,
    )


def whole_call_payload(call: Call | CallRow, agent: AgentCallRow | None, view: View) -> WholeCallPayload:
    """``call`` with what the provider of its voice agent says of it, whose variables only the full view shows."""
    shown = call_payload(call, view)
    fields = {name: getattr(shown, name) for name in CallPayload.__struct_fields__}
    return WholeCallPayload(**fields, agent=None if agent is None else _agent_payload(agent, view))


def _agent_payload(agent: AgentCallRow, view: View) -> AgentPayload:
    def table(text: str) -> dict[str, Any] | None:
        return msgspec.json.decode(text, type=dict[str, Any]) if text and view is View.FULL else None

    return AgentPayload(
        agent_id=agent.agent_id,
        agent_version=agent.agent_version,
        call_type=agent.call_type,
        recording_url=agent.recording_url,
        summary=agent.summary,
        sentiment=agent.sentiment,
        analysis=msgspec.json.decode(agent.analysis, type=list[FindingPayload]) if agent.analysis else [],
        dynamic_variables=table(agent.dynamic_variables),
        metadata=table(agent.metadata),
    )


def _came_in(call: Call | CallRow) -> bool:
    """Whether somebody outside placed the call. Else what was dialled first is somebody's number and no DID of ours."""
    inbound = bool(call.legs) and call.legs[0].direction == Direction.INBOUND
    return inbound and _OUTSIDE.fullmatch(call.caller) is not None


def _leg_payload(leg: Leg | LegRow, number: Callable[[str], str], name: Callable[[str], str]) -> LegPayload:
    return LegPayload(
        leg_id=leg.leg_id,
        direction=Direction(leg.direction),
        caller=number(leg.caller),
        caller_name=name(leg.caller_name),
        callee=number(leg.callee),
        code=leg.code,
        state=LegState(leg.state),
        created_at=leg.created_at,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        hangup_cause=leg.hangup_cause,
        parked=leg.parked,
        held=leg.held,
        peer_id=leg.peer_id,
    )


def utterance_payload(utterance: Utterance | UtteranceRow) -> UtterancePayload:
    """``utterance``, from memory or from the store (which holds finals only). It is the same in every view."""
    return UtterancePayload(
        call_id=utterance.call_id,
        utterance_id=utterance.utterance_id,
        seq=utterance.seq,
        leg_id=utterance.leg_id,
        speaker=Speaker(utterance.speaker),
        text=utterance.text,
        start=utterance.start,
        end=utterance.end,
        said_at=utterance.said_at,
        final=not isinstance(utterance, Utterance) or utterance.final,
        confidence=utterance.confidence,
        vendor=utterance.vendor,
    )


def link_payload(link: LinkStatus) -> LinkPayload:
    """``link`` as everybody is shown it."""
    return LinkPayload(
        link=link.link,
        server=link.server,
        state=link.state,
        since=link.since,
        last_event_at=link.last_event_at,
        detail=link.detail,
        gap=link.gap,
        round_trip=link.round_trip,
    )


def health_payload(report: Report, version: str, *, details: bool) -> HealthPayload:
    """``report`` without its figures, which are for ``/metrics``; without ``details`` also without words."""
    parts = {name: PartPayload(part.condition, part.detail if details else "") for name, part in report.parts.items()}
    return HealthPayload(report.condition, version if details else "", parts)
