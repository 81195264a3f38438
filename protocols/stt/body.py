"""The body of a recogniser's event: JSON into a vendor's Struct, and the values that every vendor writes its own way.

Optional values (times, confidence, channel) are declared ``Any`` by the vendors' modules and judged here: one that is
not what it should be is left out instead of costing the words beside it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from protocols.stt.result import UnreadableResultError

T = TypeVar("T")

Body = str | bytes
"""``str`` as json events carry it, ``bytes`` as plain ones do."""

# Past this a time is nonsense, and a float could not carry its fractions any more: about three years of audio.
_LONGEST_SECONDS = 1e8
_LONGEST_COMPLAINT = 500


def read_json(decoder: msgspec.json.Decoder[T], body: Body, vendor: str) -> T:
    """Decode ``body``; raises :class:`UnreadableResultError`. Invalid UTF-8 costs the letters it hits, no more."""
    mistake = ""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        mistake = "a value is missing or of another type"
    except (msgspec.DecodeError, UnicodeError):
        mistake = "not JSON"
    except RecursionError:
        mistake = "nested too deeply"
    if not body:
        mistake = "no body"
    elif mistake == "not JSON":
        mended = mended_utf8(body)
        if mended != body:
            return read_json(decoder, mended, vendor)
    # Raised outside the handlers, so that no exception that quotes the body hangs on to this one.
    raise UnreadableResultError(vendor, mistake)


def mended_utf8(body: Body) -> str:
    """``body`` as text that can be encoded again; what is not UTF-8 becomes U+FFFD."""
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return body.encode("utf-8", "replace").decode("utf-8")


def seconds(value: Any, per_second: float = 1.0) -> float | None:
    """``value``, counted in ``per_second`` units a second, as seconds; ``None`` for what is no sensible number."""
    if (type(value) is int or type(value) is float) and 0 <= value <= _LONGEST_SECONDS * per_second:
        return value / per_second
    return None


def confidence(value: Any) -> float | None:
    """``value`` where it is a number from 0 to 1, else ``None``."""
    if (type(value) is int or type(value) is float) and 0 <= value <= 1:
        return float(value)
    return None


def channel(value: Any, *, first: int = 0) -> int:
    """0 for the leg, 1 for its other side, by a vendor's number that counts from ``first``; 0 for anything else."""
    return 1 if type(value) is int and value == first + 1 else 0


def complaint(value: Any, otherwise: str) -> str:
    """A vendor's own error text, cut to a readable length; ``otherwise`` where ``value`` is no text or an empty one."""
    return (value.strip()[:_LONGEST_COMPLAINT] if isinstance(value, str) else "") or otherwise
