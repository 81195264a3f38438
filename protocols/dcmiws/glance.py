"""A frame read at a glance: only what Parley uses, straight into a Struct, since a gateway tells everybody everything.

Where a key is repeated the last one counts. What must have them all (a command's output) is read again by
:func:`protocols.dcmiws.frames.decode_frame`. The declaration follows the order on the wire, which is how the decoder
finds names fastest.
"""

from __future__ import annotations

import msgspec
from msgspec import field

from protocols.dcmiws.frames import decode_frame, decode_text

UNKNOWN = "<unknown>"
"""What Asterisk says for a number or name that it does not have."""


class GlanceData(msgspec.Struct, frozen=True, gc=False):
    """Values as text, ``""`` for those that the frame does not have."""

    event: str = field(default="", name="Event")
    response: str = field(default="", name="Response")
    action_id: str = field(default="", name="ActionID")
    message: str = field(default="", name="Message")
    channel: str = field(default="", name="Channel")
    channel_state: str = field(default="", name="ChannelState")
    caller_number: str = field(default="", name="CallerIDNum")
    caller_name: str = field(default="", name="CallerIDName")
    connected_number: str = field(default="", name="ConnectedLineNum")
    account_code: str = field(default="", name="AccountCode")
    context: str = field(default="", name="Context")
    exten: str = field(default="", name="Exten")
    uniqueid: str = field(default="", name="Uniqueid")
    linkedid: str = field(default="", name="Linkedid")
    extension: str = field(default="", name="Extension")
    application: str = field(default="", name="Application")
    application_data: str = field(default="", name="AppData")
    variable: str = field(default="", name="Variable")
    value: str = field(default="", name="Value")
    reason: str = field(default="", name="Reason")
    dest_channel: str = field(default="", name="DestChannel")
    dest_channel_state: str = field(default="", name="DestChannelState")
    dest_caller_number: str = field(default="", name="DestCallerIDNum")
    dest_exten: str = field(default="", name="DestExten")
    dest_uniqueid: str = field(default="", name="DestUniqueid")
    dest_linkedid: str = field(default="", name="DestLinkedid")
    dial_string: str = field(default="", name="DialString")
    dial_status: str = field(default="", name="DialStatus")
    bridge_id: str = field(default="", name="BridgeUniqueid")
    listed_bridge_id: str = field(default="", name="BridgeId")
    cause: str = field(default="", name="Cause")
    cause_text: str = field(default="", name="Cause-txt")
    duration: str = field(default="", name="Duration")
    event_list: str = field(default="", name="EventList")
    ping: str = field(default="", name="Ping")
    shutdown: str = field(default="", name="Shutdown")


class Glance(msgspec.Struct, frozen=True, gc=False):
    """The envelope: ``type`` is a :class:`~protocols.dcmiws.frames.FrameType` or a number nobody knows."""

    type: int = 0
    server_id: int = 0
    data: GlanceData = field(default_factory=GlanceData)


_DECODER = msgspec.json.Decoder(Glance)
_NAMES = dict(zip(GlanceData.__struct_encode_fields__, GlanceData.__struct_fields__, strict=True))


def glance(raw: bytes) -> tuple[Glance, bool]:
    """What ``raw`` says at a glance, and whether something of it was no UTF-8.

    Raises ``RemoteError`` for what is no frame.
    """
    try:
        seen = _DECODER.decode(raw)
        # The decoder looks into no value that is not declared, and most frames are plain ASCII.
        damaged = not raw.isascii() and decode_text(raw)[1]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _at_leisure(raw)
    return seen, damaged


def known(text: str) -> str:
    """A number or name of an event: ``""`` where Asterisk does not know it."""
    return "" if text == UNKNOWN else text


def _at_leisure(raw: bytes) -> tuple[Glance, bool]:
    """For frames that are not quite what they should be: invalid UTF-8, control characters, numbers for texts."""
    frame = decode_frame(raw)
    values = {_NAMES[name]: value for name, value in frame.fields if name in _NAMES}
    return Glance(frame.type, frame.server_id, GlanceData(**values)), frame.damaged
