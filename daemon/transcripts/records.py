"""What the recorder writes: calls and utterances as rows, and as records of the spool.

Text that a database would refuse is made storable here: NUL and halves of surrogate pairs become U+FFFD, and what is
indexed is cut to a length that every index takes.
"""

from __future__ import annotations

import msgspec

from daemon.calls.call import Call, Leg
from daemon.stores.calls import CallRow, LegRow
from daemon.stores.utterances import UtteranceRow
from daemon.transcripts.utterance import Utterance

_LONGEST = 256
"""Characters kept of a number, a name or a code. PostgreSQL's indexes take 2,704 bytes."""


class CallRecord(msgspec.Struct, frozen=True, tag="call", gc=False):
    """A call as it stood at ``at`` (Unix seconds of our clock)."""

    at: float
    row: CallRow


class UtteranceRecord(msgspec.Struct, frozen=True, tag="utterance", gc=False):
    """A final utterance, heard at ``at`` (Unix seconds of our clock)."""

    at: float
    row: UtteranceRow


Record = CallRecord | UtteranceRecord

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class RecordError(ValueError):
    """A record of the spool that this version of Parley cannot read."""


def encode_record(record: Record) -> bytes:
    """The payload that stands in the spool. Fields are written by name, so that a later version can read them."""
    return _encoder.encode(record)


def decode_record(payload: bytes) -> Record:
    """The record of a payload. Raises :class:`RecordError`."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise RecordError(str(error)) from error


def call_row(call: Call) -> CallRow:
    """``call`` as it stands now."""
    return CallRow(
        call_id=_storable(call.call_id),
        origin=_storable(call.origin),
        server=_storable(call.server),
        other_id=_storable(call.other_id),
        state=call.state.value,
        caller=_short(call.caller),
        caller_name=_short(call.caller_name),
        callee=_short(call.callee),
        did=_short(call.did),
        code=_short(call.code),
        app=_short(call.app),
        created_at=call.created_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        hangup_cause=_short(call.hangup_cause),
        disposition=call.disposition.value if call.disposition else None,
        merged_into=_storable(call.merged_into),
        outcome=_short(call.outcome),
        app_ending=call.app_ending,
        legs=[_leg_row(leg) for leg in call.legs],
    )


def _leg_row(leg: Leg) -> LegRow:
    return LegRow(
        leg_id=_storable(leg.leg_id),
        direction=leg.direction.value,
        caller=_short(leg.caller),
        caller_name=_short(leg.caller_name),
        callee=_short(leg.callee),
        code=_short(leg.code),
        state=leg.state.value,
        created_at=leg.created_at,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        hangup_cause=_short(leg.hangup_cause),
        parked=leg.parked,
        held=leg.held,
        peer_id=_storable(leg.peer_id),
    )


def utterance_row(utterance: Utterance) -> UtteranceRow:
    """A final as it is stored, whole."""
    return UtteranceRow(
        call_id=_storable(utterance.call_id),
        utterance_id=_storable(utterance.utterance_id),
        seq=utterance.seq,
        leg_id=_storable(utterance.leg_id),
        speaker=utterance.speaker.value,
        text=_storable(utterance.text),
        start=utterance.start,
        end=utterance.end,
        said_at=utterance.said_at,
        confidence=utterance.confidence,
        vendor=_storable(utterance.vendor),
    )


def _short(text: str) -> str:
    return _storable(text[:_LONGEST])


def _storable(text: str) -> str:
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Two halves that belong together become the character they mean.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
