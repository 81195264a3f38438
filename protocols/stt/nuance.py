"""``nuance_transcribe::transcription``: one result of Nuance's recogniser.

Body ``{"is_final", "alternatives": [{"confidence", "transcript"}]}``, without times. The module takes
``transcript`` from the formatted text and adds fields that are of no use here. Confidence is given for finals only;
an interim carries 0, which means none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, confidence, read_json
from protocols.stt.result import RecognitionResult

SUBCLASS = "nuance_transcribe::transcription"
VENDOR = "nuance"


class _Alternative(msgspec.Struct, gc=False):
    transcript: str = ""
    confidence: Any = None


class _Result(msgspec.Struct, gc=False):
    is_final: bool
    alternatives: list[_Alternative]


_decoder = msgspec.json.Decoder(_Result)


def read(body: Body) -> list[RecognitionResult]:
    """The one result in ``body``, by its best alternative. Raises ``UnreadableResultError``."""
    result = read_json(_decoder, body, VENDOR)
    best = result.alternatives[0] if result.alternatives else _Alternative()
    sure = confidence(best.confidence)
    return [RecognitionResult(best.transcript.strip(), result.is_final, confidence=sure if result.is_final else None)]
