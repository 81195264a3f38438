"""Where a page of calls ended, as a text: lists of calls are paged by (``created_at``, ``call_id``), newest first."""

from __future__ import annotations

import base64
import binascii

import msgspec


class CursorError(ValueError):
    """The text is not a cursor that :func:`write_cursor` made."""


def write_cursor(created_at: float, call_id: str) -> str:
    """A cursor for what comes after that call, newest first."""
    return base64.urlsafe_b64encode(msgspec.json.encode((created_at, call_id))).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[float, str]:
    """What :func:`write_cursor` was given. Raises :class:`CursorError`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[float, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise CursorError("not a cursor of this list") from None
