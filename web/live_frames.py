"""Socket.IO events of the namespace ``/live`` as whole WebSocket frames: built once, written to every browser as is.

A server's frames carry no mask, so the bytes are the same for everybody and can be shared. What stands inside is
Engine.IO protocol 4 (one digit, the packet's type) around Socket.IO protocol 5 (one digit, the namespace, JSON).
"""

from __future__ import annotations

from typing import Final

import msgspec

NAMESPACE: Final = "/live"

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_EVENT_OPENS: Final = b"42" + NAMESPACE.encode() + b',["'

DISCONNECT: Final = ("41" + NAMESPACE + ",").encode()
"""The packet that ends a client's stay in the namespace; a browser that gets it does not come back by itself."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing to tell browsers, ready to be written.

    ``utterance_id`` names the utterance whose earlier interims it makes worthless, ``""`` for other events.
    ``droppable`` is true for an interim: a newer one or the final will tell the same and more.
    """

    frame: bytes
    utterance_id: str = ""
    droppable: bool = False


def text_frame(payload: bytes) -> bytes:
    """``payload`` (UTF-8) as one unfragmented, unmasked text frame."""
    return _frame(_TEXT, payload)


def packet_frame(packet: str | bytes) -> bytes:
    """An encoded Engine.IO packet as a frame: text for the protocol's own packets, binary for attachments."""
    return _frame(_TEXT, packet.encode()) if isinstance(packet, str) else _frame(_BINARY, packet)


def close_frame(code: int) -> bytes:
    """The WebSocket's closing frame with ``code`` (RFC 6455, 7.4)."""
    return _frame(_CLOSE, code.to_bytes(2, "big"))


def event_frame(name: str, payload: bytes) -> bytes:
    """The event ``name`` with one argument, ``payload``, which is JSON already."""
    return _frame(_TEXT, b'%b%b",%b]' % (_EVENT_OPENS, name.encode(), payload))


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (first, size, payload)
    if size < 65_536:
        return b"%c\x7e%b%b" % (first, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (first, size.to_bytes(8, "big"), payload)
