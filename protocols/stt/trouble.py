"""The events by which a recogniser's module says that something is wrong.

* ``jambonz_transcribe::error``, of every vendor: ``{"type": "error", "error": "…"}``, or Amazon's ``{"Message":
  "…"}``, or a result the module did not expect. Only the named texts are taken: a result would hold what somebody
  said.
* ``…::max_duration_exceeded``, without a body: the vendor ends a stream at its own limit (google at about 305 s).
* ``…::connect_failed``: ``{"reason":"…"}``, the reason not escaped.
* ``…::disconnect`` and ``…::buffer_overrun``, without a body: the vendor hung up on the module, or the module threw
  audio away that it could not send in time.

An event of trouble with a body that cannot be read is trouble all the same, so nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from protocols.stt.body import Body, complaint, mended_utf8, read_json
from protocols.stt.result import RecogniserError, UnreadableResultError


class _Error(msgspec.Struct, gc=False):
    error: Any = None
    reason: Any = None
    message: Any = msgspec.field(default=None, name="Message")


_decoder = msgspec.json.Decoder(_Error)
_REASON = re.compile(r'\s*\{\s*"reason"\s*:\s*"(.*)"\s*\}\s*', re.DOTALL)


def _reported(body: Body) -> RecogniserError:
    return RecogniserError(complaint(_text(body), "the recogniser reported an error"))


def _not_connected(body: Body) -> RecogniserError:
    return RecogniserError(complaint(_text(body), "the recogniser could not be reached"))


def _time_limit(body: Body) -> RecogniserError:
    return RecogniserError("the recogniser ended the stream at its time limit", restart=True)


def _disconnected(body: Body) -> RecogniserError:
    return RecogniserError("the recogniser closed the connection")


def _overrun(body: Body) -> RecogniserError:
    return RecogniserError("audio was thrown away because the recogniser did not take it in time", goes_on=True)


def _text(body: Body) -> Any:
    """The vendor's own text in ``body``, ``None`` for none."""
    try:
        error = read_json(_decoder, body, "")
    except UnreadableResultError:
        found = _REASON.fullmatch(mended_utf8(body))
        return found[1] if found else None
    return error.error or error.reason or error.message


# subclass → (vendor, reader); the vendor is "" where the event's own header is the only one to know.
TROUBLE: Mapping[str, tuple[str, Callable[[Body], RecogniserError]]] = {
    "jambonz_transcribe::error": ("", _reported),
    "google_transcribe::max_duration_exceeded": ("google", _time_limit),
    "aws_transcribe::max_duration_exceeded": ("aws", _time_limit),
    "nuance_transcribe::max_duration_exceeded": ("nuance", _time_limit),
    "deepgram_transcribe::connect_failed": ("deepgram", _not_connected),
    "deepgram_transcribe::disconnect": ("deepgram", _disconnected),
    "deepgram_transcribe::buffer_overrun": ("deepgram", _overrun),
    "ibm_transcribe::connect_failed": ("ibm", _not_connected),
    "ibm_transcribe::disconnect": ("ibm", _disconnected),
    "ibm_transcribe::buffer_overrun": ("ibm", _overrun),
    "aws::connect_failed": ("aws", _not_connected),
    "aws::disconnect": ("aws", _disconnected),
    "aws::buffer_overrun": ("aws", _overrun),
}
