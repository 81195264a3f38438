"""``ibm_transcribe::transcription``: every message of IBM's streaming recogniser, passed on as it is.

``{"result_index", "results": [{"final", "alternatives": [{"transcript", "confidence"}]}]}``, without times; one
message may hold several results. ``{"state": "listening"}`` and messages with speaker labels only give nothing,
``{"error": "…"}`` is an error. A transcript ends with a space; interims carry no confidence.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, complaint, confidence, read_json
from protocols.stt.result import Recognised, RecogniserError, RecognitionResult, UnreadableResultError

SUBCLASS = "ibm_transcribe::transcription"
VENDOR = "ibm"


class _Alternative(msgspec.Struct, gc=False):
    transcript: str = ""
    confidence: Any = None


class _Result(msgspec.Struct, gc=False):
    final: bool
    alternatives: list[_Alternative]


class _Message(msgspec.Struct, gc=False):
    results: list[_Result] | None = None
    state: Any = None
    error: Any = None
    speaker_labels: Any = None


_decoder = msgspec.json.Decoder(_Message)


def read(body: Body) -> list[Recognised]:
    """All results of ``body`` in their order, or none. Raises ``UnreadableResultError``."""
    message = read_json(_decoder, body, VENDOR)
    if message.error is not None:
        return [RecogniserError(complaint(message.error, "the recognition service reported an error"))]
    if message.results is None:
        if message.state is None and message.speaker_labels is None:
            raise UnreadableResultError(VENDOR, "neither results, nor a state, nor an error")
        return []
    return [_result(result) for result in message.results]


def _result(result: _Result) -> RecognitionResult:
    best = result.alternatives[0] if result.alternatives else _Alternative()
    return RecognitionResult(best.transcript.strip(), result.final, confidence=confidence(best.confidence))
