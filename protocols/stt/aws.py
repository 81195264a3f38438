"""``aws_transcribe::transcription``: Amazon's streaming recogniser, by two modules that share the subclass.

**mod_aws_transcribe** glues its body together from strings::

    [{"is_final": true, "alternatives": [{"transcript": "A"}, {"transcript": "B"}]}{"is_final": false, …}]

There is no comma between results, and transcripts are not escaped: a quotation mark, a backslash or a line break
that was heard makes the body invalid JSON. It has no times. What is not JSON is therefore read by the punctuation,
which the module always writes in the same order and which nobody can say: a result begins with ``{"is_final": …,
"alternatives": [``, its first transcript after ``{"transcript": "``, and that one ends where the next alternative
begins or the result ends. Each result is tried as JSON on its own first, so that a module which does escape is read
right. A result whose end is missing is left out, the others are kept.

**mod_aws_transcribe_ws** passes on Amazon's own JSON: ``{"Transcript": {"Results": [{"IsPartial", "StartTime",
"EndTime", "ChannelId": "ch_0", "Alternatives": [{"Transcript"}]}]}}``, times in seconds.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from protocols.stt.body import Body, mended_utf8, read_json, seconds
from protocols.stt.result import RecognitionResult, UnreadableResultError

SUBCLASS = "aws_transcribe::transcription"
VENDOR = "aws"


class _Alternative(msgspec.Struct, gc=False):
    transcript: str = ""


class _Result(msgspec.Struct, gc=False):
    is_final: bool
    alternatives: list[_Alternative]
    channel_id: Any = None


class _StreamAlternative(msgspec.Struct, gc=False, rename="pascal"):
    transcript: str = ""


class _StreamResult(msgspec.Struct, gc=False, rename="pascal"):
    is_partial: bool
    alternatives: list[_StreamAlternative]
    start_time: Any = None
    end_time: Any = None
    channel_id: Any = None


class _StreamTranscript(msgspec.Struct, gc=False, rename="pascal"):
    results: list[_StreamResult]


class _StreamMessage(msgspec.Struct, gc=False, rename="pascal"):
    transcript: _StreamTranscript


_decoder = msgspec.json.Decoder(list[_Result] | _StreamMessage)
_result_decoder = msgspec.json.Decoder(_Result)

_HEAD = re.compile(r'\{\s*"is_final"\s*:\s*(true|false)\s*,\s*"alternatives"\s*:\s*\[\s*')
_TRANSCRIPT = re.compile(
    r'\{\s*"transcript"\s*:\s*"(.*?)"\s*\}'  # the first alternative, up to where
    r'\s*(?:,\s*\{\s*"transcript"\s*:|\]\s*\}\s*$)',  # the next one begins or the result ends
    re.DOTALL,
)


def read(body: Body) -> list[RecognitionResult]:
    """The results in ``body`` in their order, each by its best alternative. Raises ``UnreadableResultError``."""
    try:
        message = read_json(_decoder, body, VENDOR)
    except UnreadableResultError as error:
        unreadable = error
    else:
        if isinstance(message, _StreamMessage):
            return [_stream_result(result) for result in message.transcript.results]
        return [_result(result) for result in message]
    results = _recover(mended_utf8(body))
    if not results:
        raise unreadable
    return results


def _result(result: _Result) -> RecognitionResult:
    text = result.alternatives[0].transcript if result.alternatives else ""
    return RecognitionResult(text.strip(), result.is_final, channel=_channel(result.channel_id))


def _stream_result(result: _StreamResult) -> RecognitionResult:
    return RecognitionResult(
        result.alternatives[0].transcript.strip() if result.alternatives else "",
        not result.is_partial,
        seconds(result.start_time),
        seconds(result.end_time),
        channel=_channel(result.channel_id),
    )


def _channel(channel_id: Any) -> int:
    return 1 if channel_id == "ch_1" else 0


def _recover(text: str) -> list[RecognitionResult]:
    """What can be told from a body of mod_aws_transcribe that is not JSON."""
    heads = list(_HEAD.finditer(text))
    if not heads:
        return []
    # The closing bracket of the whole array belongs to no result.
    borders = [*(head.start() for head in heads[1:]), len(text.rstrip().removesuffix("]"))]
    results = []
    for head, border in zip(heads, borders, strict=True):
        result = _recover_one(text[head.start() : border].rstrip(", \t\r\n"), head)
        if result is not None:
            results.append(result)
    return results


def _recover_one(text: str, head: re.Match[str]) -> RecognitionResult | None:
    """One result: ``text`` from its opening to its closing brace, opened by ``head``."""
    try:
        return _result(_result_decoder.decode(text))
    except (msgspec.DecodeError, RecursionError):
        pass
    found = _TRANSCRIPT.match(text, head.end() - head.start())
    if found is None:
        return None
    return RecognitionResult(found[1].strip(), head[1] == "true")
