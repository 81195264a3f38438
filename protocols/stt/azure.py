"""``azure_transcribe::transcription`` (``transcription-vendor: microsoft``): what the Speech SDK heard.

A final is ``{"Id", "RecognitionStatus": "Success", "DisplayText", "Offset", "Duration"}``, an interim has ``Text``
and no ``RecognitionStatus``. ``Offset`` and ``Duration`` are in units of 100 ns. With the detailed output format
the words and their confidence stand in ``NBest``; with stereo, ``Channel`` is 0 or 1.

A status other than ``Success`` is no speech: ``NoMatch``, ``InitialSilenceTimeout``, ``BabbleTimeout`` and
``EndOfDictation`` say that nobody spoke or that the stream ended, which is neither a result nor a fault, so they give
nothing. ``Error`` is the service's own failure and is told as one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, channel, confidence, read_json, seconds
from protocols.stt.result import Recognised, RecogniserError, RecognitionResult, UnreadableResultError

SUBCLASS = "azure_transcribe::transcription"
VENDOR = "microsoft"

_UNITS_PER_SECOND = 10_000_000


class _Best(msgspec.Struct, gc=False, rename="pascal"):
    display: str = ""
    confidence: Any = None


class _Phrase(msgspec.Struct, gc=False, rename="pascal"):
    recognition_status: str | None = None
    display_text: str | None = None
    text: str | None = None
    offset: Any = None
    duration: Any = None
    n_best: list[_Best] = msgspec.field(default_factory=list, name="NBest")
    channel: Any = None


_decoder = msgspec.json.Decoder(_Phrase)


def read(body: Body) -> list[Recognised]:
    """The result in ``body``, or none. Raises ``UnreadableResultError``."""
    phrase = read_json(_decoder, body, VENDOR)
    final = phrase.recognition_status == "Success"
    if not final and phrase.recognition_status is not None:
        if phrase.recognition_status == "Error":
            return [RecogniserError("the recognition service had an internal error")]
        return []
    best = phrase.n_best[0] if phrase.n_best else None
    text = phrase.display_text if final else phrase.text
    if text is None and best is not None:
        text = best.display
    if text is None:
        raise UnreadableResultError(VENDOR, "a value is missing or of another type")
    start = seconds(phrase.offset, _UNITS_PER_SECOND)
    duration = seconds(phrase.duration, _UNITS_PER_SECOND)
    return [
        RecognitionResult(
            text.strip(),
            final,
            start,
            None if start is None or duration is None else start + duration,
            None if best is None else confidence(best.confidence),
            channel(phrase.channel),
        )
    ]
