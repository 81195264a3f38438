"""``DETECTED_SPEECH``: the event of FreeSWITCH's own ``detect_speech`` and ``play_and_detect_speech``.

``Speech-Type`` is ``begin-speaking``, ``detected-partial-speech``, ``detected-speech`` or ``closed``; for the two
detected types the body is the text as the engine wrote it. Engines differ, and one that answers in a markup of its
own is shown as it answers. There are no times and no confidence.
"""

from __future__ import annotations

from protocols.stt.body import Body, mended_utf8
from protocols.stt.result import RecognitionResult

EVENT = "DETECTED_SPEECH"
VENDOR = "detect_speech"

BEGIN_SPEAKING = "begin-speaking"
"""The ``Speech-Type`` that says somebody began to speak and has no words yet."""

CLOSED = "closed"
"""The ``Speech-Type`` that says the engine no longer listens."""

_FINAL = {"detected-partial-speech": False, "detected-speech": True}


def read(speech_type: str, body: Body) -> RecognitionResult | None:
    """What was heard; ``None`` for a ``Speech-Type`` without words. Never raises."""
    final = _FINAL.get(speech_type)
    if final is None:
        return None
    return RecognitionResult(mended_utf8(body).strip(), final)
