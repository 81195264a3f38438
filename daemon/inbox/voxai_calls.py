"""Vox.ai's events as calls: rows beside the switch's own, with transcript, analysis and recording link.

Events come in any order and more than once: each says what it knows, and nothing that was known is forgotten. Where
one of a call's events says that its people opted out, nothing of what was said is kept, whatever came before: neither
of the call nor in its deliveries and what was made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from daemon.calls.call import CallState, Disposition, LegState
from daemon.calls.events import Direction
from daemon.calls.numbers import NumberError, normal_number
from daemon.inbox.contract import Delivery
from daemon.inbox.large_bodies import look_through
from daemon.inbox.redactions import Redactions
from daemon.stores.agent_calls import (
    AgentCallRow,
    correct_beginning,
    find_agent_call,
    forget_what_was_said,
    get_agent_call,
    save_agent_call,
)
from daemon.stores.calls import CallRow, LegRow, get_call, save_calls
from daemon.stores.database import Database
from daemon.stores.opt_outs import has_opted_out
from daemon.stores.utterances import UtteranceRow, add_utterances
from daemon.transcripts.utterance import Speaker
from protocols.webhooks.voxai import Turn, VoxaiCall, read_call

ORIGIN: Final = "voxai"

_FINISHED: Final = frozenset({"call_ended", "call_analyzed"})
"""Events whose transcript is the whole one."""
_AGENTS: Final = frozenset({"agent", "assistant", "bot"})
_PEOPLE: Final = frozenset({"user", "customer", "human"})
_DISPOSITIONS: Final[Mapping[str, Disposition]] = {
    "busy": Disposition.BUSY,
    "no_answer": Disposition.NO_ANSWER,
    "no-answer": Disposition.NO_ANSWER,
    "failed": Disposition.FAILED,
    "error": Disposition.FAILED,
}
"""Parts of a disconnection reason, which Vox.ai has many of, and what they mean."""


class VoxaiCallsHandler:
    """A handler of a source of the kind ``voxai``."""

    def __init__(self, database: Database, redactions: Redactions) -> None:
        self._database = database
        self._redactions = redactions

    async def handle(self, delivery: Delivery) -> None:
        """Store what an event says of its call; an event of no call is stored as a delivery alone."""
        told = await look_through(delivery.body, read_call)
        if await self._kept(delivery, told):
            return
        if delivery.key:
            # Before the call's row: an event that is worked on just now is waited for, and what it stores goes too.
            await self._redactions.redact_call(delivery.source, delivery.key)
        if told is not None:
            async with self._database.transaction() as connection:
                call = await _save(connection, delivery, told, sensitive=True)
                await forget_what_was_said(connection, call.call_id)

    async def _kept(self, delivery: Delivery, told: VoxaiCall | None) -> bool:
        """Store all that is told; false, and nothing is stored, where people opted out."""
        if delivery.redacted or (told is not None and told.opt_out):
            return False
        async with self._database.transaction() as connection:
            if (await self._redactions.locked(connection, delivery)).redacted:
                return False
            # One that came in together with the opt-out may stand there whole.
            if await has_opted_out(connection, delivery.source, delivery.key):
                return False
            if told is not None:
                call = await _save(connection, delivery, told, sensitive=False)
                if told.event in _FINISHED and told.transcript:
                    await add_utterances(connection, _utterances(call, told.transcript))
        return True


async def _save(connection: AsyncConnection, delivery: Delivery, told: VoxaiCall, *, sensitive: bool) -> CallRow:
    """The call's row as it is stored, and beside it what only its provider knows."""
    known = await find_agent_call(connection, ORIGIN, delivery.source, told.call_id)
    before = None if known is None else await get_call(connection, known)
    agent = None if known is None else await get_agent_call(connection, known)
    started_at = (None if agent is None else agent.started_at) or told.started_at
    row = _call(known or str(uuid7()), delivery, told, before, started_at, sensitive=sensitive)
    await save_calls(connection, [row])
    if before is not None and before.created_at != row.created_at:
        await correct_beginning(connection, row.call_id, created_at=row.created_at)
    spoken = {} if sensitive else _spoken(told)
    unspoken = AgentCallRow(call_id=row.call_id, started_at=started_at, **_unspoken(told))
    await save_agent_call(connection, msgspec.structs.replace(unspoken, **spoken))
    return row


def _call(
    call_id: str,
    delivery: Delivery,
    told: VoxaiCall,
    before: CallRow | None,
    started_at: float | None,
    *,
    sensitive: bool,
) -> CallRow:
    inbound = told.call_type != "outbound" if told.call_type else (before is None or before.did != "")
    created_at, ended_at = _times(delivery.received_at, told, before, started_at)
    reason = told.disconnection_reason or (before.hangup_cause if before else "")
    state = CallState.ACTIVE if ended_at is None else CallState.ENDED
    caller = _number(told.caller) or (before.caller if before else "")
    callee = _number(told.callee) or (before.callee if before else "")
    leg = LegRow(
        leg_id=told.call_id,
        direction=(Direction.INBOUND if inbound else Direction.OUTBOUND).value,
        caller=caller,
        caller_name="",
        callee=callee,
        code="",
        state=(LegState.ANSWERED if ended_at is None else LegState.ENDED).value,
        created_at=created_at,
        answered_at=created_at,
        ended_at=ended_at,
        hangup_cause=reason,
    )
    return CallRow(
        call_id=call_id,
        origin=ORIGIN,
        server=delivery.source,
        other_id=told.call_id,
        state=state.value,
        caller=caller,
        caller_name="",
        callee=callee,
        did=callee if inbound else "",
        code="",
        app=told.agent_id or "",
        created_at=created_at,
        answered_at=created_at,
        ended_at=ended_at,
        hangup_cause=reason,
        disposition=None if ended_at is None else _disposition(reason).value,
        sensitive=sensitive,
        legs=[leg],
    )


def _times(
    received_at: float, told: VoxaiCall, before: CallRow | None, started_at: float | None
) -> tuple[float, float | None]:
    """When the call began and ended, in Unix seconds, as far as that is known.

    Where nobody has said when it began, that is a guess, and so may be its end.
    """
    lasted = told.duration or 0.0
    ended_at = told.ended_at or (before.ended_at if before else None)
    began_at = started_at or (before.created_at if before else None)
    if ended_at is None and told.duration is not None and began_at is not None:
        ended_at = began_at + lasted
    if ended_at is None and (told.duration is not None or told.event == "call_ended"):
        ended_at = received_at
    if ended_at is None:
        return began_at or received_at, None
    # Where the two do not agree, what is a guess gives way.
    if started_at is None:
        return min(began_at or ended_at, ended_at - lasted), ended_at
    return started_at, max(started_at, ended_at)


def _number(text: str | None) -> str:
    """As the switch's calls have it, so that one is found by the other."""
    try:
        return normal_number(text or "")
    except NumberError:
        return text or ""


def _disposition(reason: str) -> Disposition:
    return next((meant for part, meant in _DISPOSITIONS.items() if part in reason.lower()), Disposition.ANSWERED)


def _unspoken(told: VoxaiCall) -> dict[str, str]:
    return {
        "agent_id": told.agent_id or "",
        "agent_version": told.agent_version or "",
        "call_type": told.call_type or "",
        "metadata": _json(told.metadata),
    }


def _spoken(told: VoxaiCall) -> dict[str, str]:
    return {
        "recording_url": told.recording_url or "",
        "summary": told.summary or "",
        "sentiment": told.sentiment or "",
        "analysis": _json(told.analysis),
        "dynamic_variables": _json(told.dynamic_variables),
    }


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


def _utterances(call: CallRow, turns: Sequence[Turn]) -> list[UtteranceRow]:
    """Vox.ai says no times of what was said: all of it began with the call, and its order is that of ``seq``."""
    other = Speaker.CALLER if call.did else Speaker.CALLEE
    speakers = dict.fromkeys(_AGENTS, Speaker.APP) | dict.fromkeys(_PEOPLE, other)
    said = [(speakers[turn.role.lower()], turn.content) for turn in turns if turn.role.lower() in speakers]
    return [
        UtteranceRow(
            call_id=call.call_id,
            utterance_id=f"{call.other_id}:{seq}",
            seq=seq,
            leg_id=call.other_id,
            speaker=speaker.value,
            text=text,
            start=None,
            end=None,
            said_at=call.created_at,
            confidence=None,
            vendor=ORIGIN,
        )
        for seq, (speaker, text) in enumerate(said, 1)
    ]
