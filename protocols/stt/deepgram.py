"""``deepgram_transcribe::transcription``: every message of Deepgram's streaming recogniser, passed on as it is.

A result is ``{"type": "Results", "channel_index": [0, 1], "start": 1.2, "duration": 0.8, "is_final",
"speech_final", "channel": {"alternatives": [{"transcript", "confidence"}]}}``, times in seconds. ``is_final`` says
that the words of this span will not change any more, ``speech_final`` that the speaker paused: the first makes a
final, the second only says where a sentence ends and is not needed. ``channel_index`` is [this channel, how many
there are].

``Metadata``, ``SpeechStarted`` and ``UtteranceEnd`` come under the same subclass and give nothing (their
``channel`` is a list); ``Error`` is an error.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, channel, complaint, confidence, read_json, seconds
from protocols.stt.result import Recognised, RecogniserError, RecognitionResult, UnreadableResultError

SUBCLASS = "deepgram_transcribe::transcription"
VENDOR = "deepgram"


class _Alternative(msgspec.Struct, gc=False):
    transcript: str = ""
    confidence: Any = None


class _Channel(msgspec.Struct, gc=False):
    alternatives: list[_Alternative]


class _Message(msgspec.Struct, gc=False):
    type: str = "Results"
    channel: _Channel | list[Any] | None = None
    is_final: bool = False
    start: Any = None
    duration: Any = None
    channel_index: Any = None
    description: Any = None


_decoder = msgspec.json.Decoder(_Message)


def read(body: Body) -> list[Recognised]:
    """The result in ``body``, or none. Raises ``UnreadableResultError``."""
    message = read_json(_decoder, body, VENDOR)
    if message.type == "Error":
        return [RecogniserError(complaint(message.description, "the recognition service reported an error"))]
    if message.type != "Results":
        return []
    if not isinstance(message.channel, _Channel):
        raise UnreadableResultError(VENDOR, "a value is missing or of another type")
    best = message.channel.alternatives[0] if message.channel.alternatives else _Alternative()
    start, duration = seconds(message.start), seconds(message.duration)
    index = message.channel_index
    return [
        RecognitionResult(
            best.transcript.strip(),
            message.is_final,
            start,
            None if start is None or duration is None else start + duration,
            confidence(best.confidence),
            channel(index[0]) if isinstance(index, list) and index else 0,
        )
    ]
