"""``brain_stt::transcription``: the recogniser this daemon exists for.

Body ``{"text": "\\n금요일", "start": 41120, "end": 52480}``. ``text`` may begin with a newline. ``start`` and ``end``
count samples of the leg's audio. The module sends whole stretches only, so every result is final.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, read_json, seconds
from protocols.stt.result import RecognitionResult

SUBCLASS = "brain_stt::transcription"
VENDOR = "mindslab"


class _Transcription(msgspec.Struct, gc=False):
    text: str
    start: Any = None
    end: Any = None


# One decoder for the life of the process: this is the hot path of the switch link.
_decoder = msgspec.json.Decoder(_Transcription)


def read(body: Body, sample_rate: int) -> RecognitionResult:
    """The result in ``body``, ``sample_rate`` samples being a second. Raises ``UnreadableResultError``."""
    heard = read_json(_decoder, body, VENDOR)
    return RecognitionResult(
        heard.text.strip(), True, seconds(heard.start, sample_rate), seconds(heard.end, sample_rate)
    )
