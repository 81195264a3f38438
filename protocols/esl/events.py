"""Events of an event socket, and the channel data that some commands print in the same form.

Only the headers that Parley uses are declared: the switch sends some 150 with every event of a channel, and what is
not declared is skipped without a Python object made of it. That is the hot path.

Two things differ between the formats. Where a header is repeated the last one counts, as in every JSON decoder (in a
``PRIVATE_COMMAND`` the last is the event's own, the first is that of the ``COMMAND`` it carries) — but a plain event
keeps its first ``code``, which is that of its own channel, while JSON has only the last. So read
:attr:`EslEvent.own_code`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import field

from protocols.errors import RefusedError, RemoteError
from protocols.esl.parser import JSON, PLAIN, Frame

_ARRAY = b"ARRAY::"
_ARRAY_SEPARATOR = b"|:"
_MICROSECONDS = 1_000_000


class EslEvent(msgspec.Struct, frozen=True, gc=False):
    """One event: the values of its headers as text, ``""`` for those it does not have (the switch drops empty ones).

    Times are microseconds since the epoch by the switch's clock, as text; ``at``, ``created_at`` and ``answered_at``
    give them as seconds. ``body`` is the event's body. Values come from phones, callers and dialplans: never split or
    format them raw. The declaration follows the order on the wire, which is how the decoder finds names fastest.
    """

    subclass: str = field(default="", name="Event-Subclass")
    name: str = field(default="", name="Event-Name")
    core_uuid: str = field(default="", name="Core-UUID")
    timestamp: str = field(default="", name="Event-Date-Timestamp")
    sequence: str = field(default="", name="Event-Sequence")
    channel_state: str = field(default="", name="Channel-State")
    call_state: str = field(default="", name="Channel-Call-State")
    unique_id: str = field(default="", name="Unique-ID")
    direction: str = field(default="", name="Call-Direction")
    call_uuid: str = field(default="", name="Channel-Call-UUID")
    answer_state: str = field(default="", name="Answer-State")
    caller_username: str = field(default="", name="Caller-Username")
    caller_name: str = field(default="", name="Caller-Caller-ID-Name")
    caller_number: str = field(default="", name="Caller-Caller-ID-Number")
    caller_ani: str = field(default="", name="Caller-ANI")
    destination: str = field(default="", name="Caller-Destination-Number")
    context: str = field(default="", name="Caller-Context")
    rdnis: str = field(default="", name="Caller-RDNIS")
    code: str = field(default="", name="code")
    created_time: str = field(default="", name="Caller-Channel-Created-Time")
    answered_time: str = field(default="", name="Caller-Channel-Answered-Time")
    other_leg_id: str = field(default="", name="Other-Leg-Unique-ID")
    bridge_a_id: str = field(default="", name="Bridge-A-Unique-ID")
    bridge_b_id: str = field(default="", name="Bridge-B-Unique-ID")
    old_unique_id: str = field(default="", name="Old-Unique-ID")
    sip_to_user: str = field(default="", name="variable_sip_to_user")
    loopback_leg: str = field(default="", name="variable_loopback_leg")
    other_loopback_leg_id: str = field(default="", name="variable_other_loopback_leg_uuid")
    current_application: str = field(default="", name="variable_current_application")
    mark: str = field(default="", name="variable_parley_app")
    amd_result: str = field(default="", name="variable_amd_result")
    bridged_to: str = field(default="", name="variable_bridge_to")
    hangup_cause: str = field(default="", name="Hangup-Cause")
    variable_hangup_cause: str = field(default="", name="variable_hangup_cause")
    application: str = field(default="", name="Application")
    application_data: str = field(default="", name="Application-Data")
    application_uuid: str = field(default="", name="Application-UUID")
    application_response: str = field(default="", name="Application-Response")
    job_uuid: str = field(default="", name="Job-UUID")
    dtmf_digit: str = field(default="", name="DTMF-Digit")
    speech_type: str = field(default="", name="Speech-Type")
    bug_function: str = field(default="", name="Media-Bug-Function")
    bug_target: str = field(default="", name="Media-Bug-Target")
    bug_name: str = field(default="", name="media-bugname")
    vendor: str = field(default="", name="transcription-vendor")
    info: str = field(default="", name="Event-Info")
    body: str = field(default="", name="_body")

    @property
    def at(self) -> float:
        """When it happened, in Unix seconds of the switch's clock; 0.0 where the event does not say."""
        return _seconds(self.timestamp) or 0.0

    @property
    def created_at(self) -> float | None:
        """When the channel was created, in Unix seconds of the switch's clock."""
        return _seconds(self.created_time)

    @property
    def answered_at(self) -> float | None:
        """When the channel was answered, in Unix seconds of the switch's clock; ``None`` if it was not."""
        return _seconds(self.answered_time)

    @property
    def own_code(self) -> str:
        """The app code of this channel, ``""`` where the event may carry the other leg's instead."""
        return "" if self.other_leg_id else self.code


class ChannelRow(msgspec.Struct, frozen=True, gc=False):
    """One row of ``show channels as json``. ``created_epoch`` is Unix seconds; all values are text, ``""`` for none.

    ``initial_…`` is what ``CHANNEL_CREATE`` said; the others change as the channel is transferred or its two sides are
    exchanged.
    """

    unique_id: str = field(default="", name="uuid")
    direction: str = ""
    created_epoch: str = ""
    name: str = ""
    state: str = ""
    caller_name: str = field(default="", name="cid_name")
    caller_number: str = field(default="", name="cid_num")
    destination: str = field(default="", name="dest")
    application: str = ""
    context: str = ""
    call_state: str = field(default="", name="callstate")
    call_uuid: str = ""
    initial_caller_name: str = field(default="", name="initial_cid_name")
    initial_caller_number: str = field(default="", name="initial_cid_num")
    initial_destination: str = field(default="", name="initial_dest")


class _Channels(msgspec.Struct, gc=False):
    rows: list[ChannelRow] = []


_json_event = msgspec.json.Decoder(EslEvent)
_json_object = msgspec.json.Decoder(dict[str, Any])
_json_channels = msgspec.json.Decoder(_Channels)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NAMELESS = "an event without an Event-Name"
_ATTRIBUTES = {info.encode_name: info.name for info in msgspec.structs.fields(EslEvent)}
_PLAIN_ATTRIBUTES = {name.encode(): attribute for name, attribute in _ATTRIBUTES.items() if attribute != "body"}
_FIRST_COUNTS = frozenset({"code"})


def decode_event(frame: Frame) -> EslEvent:
    """Read an event frame, JSON or plain.

    Bytes that are not UTF-8 become U+FFFD, and of an array header the first element counts: an event is not lost for
    either.

    :raises RemoteError: when the frame's body is no event at all. The frame's border is known all the same, so the
        stream can go on.
    """
    if frame.content_type == JSON:
        return _from_json(frame.body)
    if frame.content_type == PLAIN:
        return _from_plain(frame.body)
    raise RemoteError(f"{frame.content_type[:40]!r} is no form of events that we asked for")


def decode_channel(body: str | bytes) -> EslEvent:
    """Read the output of ``uuid_dump UUID [json]``: the data of one channel, as an event ``CHANNEL_DATA``.

    :raises RefusedError: when it is the switch's ``-ERR …`` (there is no such channel).
    :raises RemoteError: when it is neither that nor channel data.
    """
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    _raise_refusal(raw)
    return _from_json(raw) if raw.lstrip().startswith(b"{") else _from_plain(raw)


def decode_channels(body: str | bytes) -> list[ChannelRow]:
    """Read the output of ``show channels as json``: a row for every channel, in the switch's order.

    :raises RefusedError: when it is the switch's ``-ERR …``.
    :raises RemoteError: when it is neither that nor a list of channels.
    """
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    _raise_refusal(raw)
    try:
        return _json_channels.decode(_valid_utf8(raw)).rows
    except _UNREADABLE as error:
        raise RemoteError(f"the list of channels cannot be read: {error}") from None


def _raise_refusal(raw: bytes) -> None:
    if raw.startswith(b"-"):
        raise RefusedError(raw.decode("utf-8", "replace").strip())


def _from_json(raw: bytes) -> EslEvent:
    try:
        event = _json_event.decode(raw)
    except _UNREADABLE:
        event = _from_odd_json(raw)
    if not event.name:
        raise RemoteError(_NAMELESS)
    return event


def _from_odd_json(raw: bytes) -> EslEvent:
    """Read what the strict decoder refused: bytes that are not UTF-8, arrays and other values that are not text."""
    try:
        headers = _json_object.decode(_valid_utf8(raw))
        return EslEvent(
            **{attribute: _as_text(headers[name]) for name, attribute in _ATTRIBUTES.items() if name in headers}
        )
    except _UNREADABLE as error:
        raise RemoteError(f"a json event cannot be read: {error}") from None


def _valid_utf8(raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode()


def _as_text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _from_plain(raw: bytes) -> EslEvent:
    """Read headers that are split first and percent-decoded after: a value must not be able to forge a header."""
    block, _, rest = raw.partition(b"\n\n")
    values: dict[str, str] = {}
    length = b""
    for line in block.split(b"\n"):
        name, separator, value = line.partition(b": ")
        if not separator:
            continue
        attribute = _PLAIN_ATTRIBUTES.get(name)
        if attribute is not None:
            if attribute not in _FIRST_COUNTS or attribute not in values:
                values[attribute] = _plain_value(value)
        elif name == b"Content-Length":
            length = value
    if not values.get("name"):
        raise RemoteError(_NAMELESS)
    if length:
        values["body"] = _body(rest, length).decode("utf-8", "replace")
    return EslEvent(**values)


def _plain_value(value: bytes) -> str:
    if b"%" in value:
        value = unquote_to_bytes(value)
    if value.startswith(_ARRAY):
        value = value[len(_ARRAY) :].partition(_ARRAY_SEPARATOR)[0]
    return value.decode("utf-8", "replace")


def _body(rest: bytes, length: bytes) -> bytes:
    """As much of ``rest`` as the inner ``Content-Length`` says; all of it where that is no number."""
    return rest[: int(length)] if length.isdigit() and len(length) < len(str(2**63)) else rest


def _seconds(microseconds: str) -> float | None:
    """``None`` for no time, which the switch writes as nothing or as 0."""
    if not microseconds.isdecimal() or len(microseconds) > 20:
        return None
    return int(microseconds) / _MICROSECONDS or None
