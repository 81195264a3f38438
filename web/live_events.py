"""What ``/live`` says, as frames: single events, and the past in pieces that a browser can take one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from daemon.calls.call import Call, CallState
from daemon.calls.links import LinkStatus
from daemon.stores.calls import CallRow
from daemon.stores.utterances import UtteranceRow
from daemon.transcripts.utterance import Utterance
from web.encoding import encode
from web.live_frames import Event, event_frame
from web.payloads import CallEventPayload, CallPayload, CallsEventPayload, ResetPayload
from web.views import View, call_payload, link_payload, utterance_payload

_PIECE = 200
"""Calls or utterances in one message; the rest of a long past follows one by one."""


def call_event(call: CallPayload) -> Event:
    """``call``: new or changed."""
    return Event(event_frame("call", encode(CallEventPayload(call))))


def merged_event(call: Call | CallRow, view: View, old_call_id: str) -> Event:
    """``call``: what was known as ``old_call_id`` goes on as ``call``, and has never been a call by itself."""
    payload = call_payload(call, view)
    return call_event(
        msgspec.structs.replace(
            payload,
            call_id=old_call_id,
            state=CallState.ENDED,
            ended_at=payload.created_at,
            merged_into=payload.call_id,
            legs=[],
        )
    )


def link_event(link: LinkStatus) -> Event:
    """``link``: a link's state changed."""
    return Event(event_frame("link", encode(link_payload(link))))


def utterance_event(utterance: Utterance) -> Event:
    """``utterance``: an interim may be dropped for a newer one, but not the empty one that withdraws it."""
    droppable = not utterance.final and bool(utterance.text)
    return Event(_utterance_frame(utterance), utterance.utterance_id, droppable)


def calls_frames(
    calls: Sequence[Call], links: Sequence[LinkStatus], view: View, *, epoch: str, now: float, keep_ended: float
) -> Iterator[bytes]:
    """``calls`` with what there is; a long list goes on as ``call`` events."""
    first = [call_payload(call, view) for call in calls[:_PIECE]]
    told = CallsEventPayload(epoch, now, keep_ended, first, [link_payload(link) for link in links])
    yield event_frame("calls", encode(told))
    for call in calls[_PIECE:]:
        yield event_frame("call", encode(CallEventPayload(call_payload(call, view))))


def call_frames(call: CallRow, view: View, asked_as: str) -> Iterator[bytes]:
    """``call`` as the store has it, and that ``asked_as``, where that is an old id of it, is no call by itself."""
    if asked_as != call.call_id:
        yield merged_event(call, view, asked_as).frame
    yield event_frame("call", encode(CallEventPayload(call_payload(call, view))))


def reset_frames(epoch: str, call_id: str, finals: Iterable[Utterance | UtteranceRow]) -> Iterator[bytes]:
    """``reset`` with the finals; a long past goes on as ``utterance`` events."""
    rest = iter(finals)
    first = [utterance_payload(final) for final in islice(rest, _PIECE)]
    yield event_frame("reset", encode(ResetPayload(epoch, call_id, first)))
    yield from utterance_frames(rest)


def utterance_frames(utterances: Iterable[Utterance | UtteranceRow]) -> Iterator[bytes]:
    """An ``utterance`` event for each."""
    return map(_utterance_frame, utterances)


def _utterance_frame(utterance: Utterance | UtteranceRow) -> bytes:
    return event_frame("utterance", encode(utterance_payload(utterance)))
