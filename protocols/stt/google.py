"""``google_transcribe::transcription``: one result of Google's streaming recogniser.

Body ``{"stability", "is_final", "alternatives": [{"confidence", "transcript", "words": […]}], "language_code",
"channel_tag", "result_end_time"}``, as mod_google_transcribe builds it:

* ``result_end_time`` is a number of milliseconds. Google's own JSON writes a duration as ``"1.2s"`` or as seconds and
  nanos; both are understood too, since modules exist that pass it on.
* ``words`` (only where asked for) carry ``start_time`` or ``start_offset``, which the module cuts to whole seconds.
  That would put a word up to a second too early, in front of the sentence it answers, so such times are not used.
* ``channel_tag`` counts from 1; 0 means that the channels were not told apart.
* ``confidence`` 0 is Google's way of saying that there is none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.stt.body import Body, channel, confidence, read_json, seconds
from protocols.stt.result import RecognitionResult

SUBCLASS = "google_transcribe::transcription"
VENDOR = "google"


class _Word(msgspec.Struct, gc=False):
    start_time: Any = None
    start_offset: Any = None


class _Alternative(msgspec.Struct, gc=False):
    transcript: str = ""
    confidence: Any = None
    words: list[_Word] = []


class _Result(msgspec.Struct, gc=False):
    is_final: bool
    alternatives: list[_Alternative]
    channel_tag: Any = None
    result_end_time: Any = None


_decoder = msgspec.json.Decoder(_Result)


def read(body: Body) -> list[RecognitionResult]:
    """The one result in ``body``, by its best alternative. Raises ``UnreadableResultError``."""
    result = read_json(_decoder, body, VENDOR)
    best = result.alternatives[0] if result.alternatives else _Alternative()
    end = result.result_end_time
    return [
        RecognitionResult(
            best.transcript.strip(),
            result.is_final,
            _first_start(best.words),
            seconds(end, 1000) if type(end) in (int, float) else _duration(end),
            confidence(best.confidence) or None,
            channel(result.channel_tag, first=1),
        )
    ]


def _first_start(words: list[_Word]) -> float | None:
    """Where the first word begins; ``None`` where every start is a whole second, which is how the module cuts them."""
    starts = [_duration(word.start_offset if word.start_time is None else word.start_time) for word in words]
    if any(start is not None and not start.is_integer() for start in starts):
        return starts[0]
    return None


def _duration(value: Any) -> float | None:
    """A protobuf duration: seconds, ``"1.200s"`` or ``{"seconds": 1, "nanos": 200000000}``."""
    if isinstance(value, dict):
        whole, rest = seconds(_number(value.get("seconds", 0))), seconds(value.get("nanos", 0), 1e9)
        return None if whole is None or rest is None else whole + rest
    if isinstance(value, str) and value.endswith("s"):
        return seconds(_number(value[:-1]))
    return seconds(value)


def _number(value: Any) -> Any:
    """A number written as a string, as protobuf's JSON does with 64 bits; anything else unchanged."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value
