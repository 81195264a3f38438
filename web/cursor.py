"""The cursor of a list that is paged by (``created_at``, ``call_id``), for lists that come from memory."""

from __future__ import annotations

import base64
import binascii

import msgspec

from daemon.stores.calls import CursorError


def write_cursor(created_at: float, call_id: str) -> str:
    """A cursor for what comes after that call, newest first."""
    return base64.urlsafe_b64encode(msgspec.json.encode((created_at, call_id))).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[float, str]:
    """What :func:`write_cursor` was given. Raises ``CursorError``."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[float, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise CursorError("not a cursor of this list") from None
