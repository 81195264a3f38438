"""Every recogniser's event that a real switch sent: what is read, and what is rightly not."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from protocols.stt.result import RecognitionResult, UnreadableResultError
from protocols.stt.vendors import SUBCLASSES, parse
from tests.wire import recordings


def recognised(name: str) -> Iterator[dict[str, Any]]:
    """The json events of a recording that come from a recogniser."""
    for line in recordings.read(name).split(b"\n"):
        start = line.find(b'{"Event-Subclass":"brain_stt::transcription"')
        if start >= 0:
            yield json.JSONDecoder().raw_decode(line[start:].decode("utf-8", "replace"))[0]


def test_a_burst_of_twenty_calls_is_read_to_the_last_word() -> None:
    heard: Counter[str] = Counter()
    for event in recognised("06b_burst20_json.esl"):
        assert event["Event-Subclass"] in SUBCLASSES
        [result] = parse(event["Event-Subclass"], event["_body"])
        assert isinstance(result, RecognitionResult)
        assert result.final
        assert result.text == result.text.strip() != ""
        assert result.start is not None
        assert result.end is not None
        assert result.start < result.end
        heard[event["Unique-ID"]] += 1

    # Identical bodies are utterances of their own: none is dropped here.
    assert len(heard) == 20
    assert set(heard.values()) == {3}


def test_odd_bodies_are_unreadable_and_break_nothing() -> None:
    read = unreadable = 0
    for event in recognised("02_json_full_call.esl"):
        try:
            parse(event["Event-Subclass"], event.get("_body", ""))
            read += 1
        except UnreadableResultError:
            unreadable += 1

    assert read > 0
    assert unreadable > 0
