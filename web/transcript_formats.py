"""A transcript as a file: CSV for a spreadsheet, plain text to read, WebVTT to lay under a recording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from protocols.spreadsheet import csv_table, harmless
from web.payloads import CallPayload, UtterancePayload

_COLUMNS = (
    "seq",
    "time",
    "seconds",
    "speaker",
    "text",
    "start",
    "end",
    "confidence",
    "vendor",
    "leg_id",
    "utterance_id",
)
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

_SHORTEST_CUE = 1.0
"""Seconds a cue stands at least, and where nobody says how long the stretch was, for its text's sake."""
_SECONDS_PER_CHARACTER = 0.12
_LONGEST_GUESS = 10.0


def to_csv(call: CallPayload, utterances: Sequence[UtterancePayload]) -> str:
    """Comma-separated values for a spreadsheet. ``time`` is UTC, ``seconds`` are since the answer."""
    return csv_table(_COLUMNS, (_row(call, one) for one in in_order(utterances)))


def _row(call: CallPayload, one: UtterancePayload) -> Sequence[object]:
    return (
        one.seq,
        datetime.fromtimestamp(one.said_at, UTC).isoformat(timespec="milliseconds"),
        f"{one.said_at - zero_of(call):.3f}",
        one.speaker.value,
        harmless(one.text),
        "" if one.start is None else f"{one.start:.3f}",
        "" if one.end is None else f"{one.end:.3f}",
        "" if one.confidence is None else f"{one.confidence:.3f}",
        harmless(one.vendor),
        harmless(one.leg_id),
        harmless(one.utterance_id),
    )


def to_text(call: CallPayload, utterances: Sequence[UtterancePayload]) -> str:
    """One line for each utterance: ``[00:01:05] caller: …``, the time since the answer."""
    return "".join(
        f"[{_clock(one.said_at - zero_of(call))}] {one.speaker.value}: {_one_line(one.text)}\n"
        for one in in_order(utterances)
    )


def to_vtt(call: CallPayload, utterances: Sequence[UtterancePayload]) -> str:
    """WebVTT: a cue for each utterance, its times since the answer, the speaker as the cue's voice.

    What was said before the answer stands at its very beginning.
    """
    cues = ["WEBVTT\n"]
    for one in in_order(utterances):
        begins = max(0.0, one.said_at - zero_of(call))
        ends = begins + _duration(one)
        cues.append(
            f"{one.seq}\n{_vtt_time(begins)} --> {_vtt_time(ends)}\n"
            f"<v {one.speaker.value}>{_vtt_text(_one_line(one.text))}\n"
        )
    return "\n".join(cues)


def in_order(utterances: Iterable[UtterancePayload]) -> list[UtterancePayload]:
    """As they were said, which need not be as they were heard of."""
    return sorted(utterances, key=lambda one: (one.said_at, one.seq))


def zero_of(call: CallPayload) -> float:
    """The moment that times are counted from: the answer, or the call's beginning when nobody answered."""
    return call.created_at if call.answered_at is None else call.answered_at


def _duration(one: UtterancePayload) -> float:
    if one.start is not None and one.end is not None:
        return max(_SHORTEST_CUE, one.end - one.start)
    return min(max(_SHORTEST_CUE, len(one.text) * _SECONDS_PER_CHARACTER), _LONGEST_GUESS)


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _clock(seconds: float) -> str:
    sign = "-" if seconds <= -1 else ""
    whole = int(abs(seconds))
    return f"{sign}{whole // 3600:02}:{whole % 3600 // 60:02}:{whole % 60:02}"


def _vtt_time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole % 3600 // 60:02}:{whole % 60:02}.{rest:03}"


def _vtt_text(text: str) -> str:
    # An arrow would be taken for a line of times; with > escaped there is none.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
