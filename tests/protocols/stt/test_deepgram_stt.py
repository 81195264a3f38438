"""deepgram: every kind of message its streaming service sends."""

import json
from typing import Any

import pytest

from protocols.stt.result import RecogniserError, RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

SUBCLASS = "deepgram_transcribe::transcription"


def body(**changes: Any) -> str:
    message: dict[str, Any] = {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": 1.5,
        "start": 3.0,
        "is_final": True,
        "speech_final": True,
        "channel": {
            "alternatives": [
                {
                    "transcript": "카드를 잃어버렸어요",
                    "confidence": 0.98583984,
                    "words": [{"word": "카드를", "start": 3.08, "end": 3.2, "confidence": 0.99}],
                }
            ]
        },
        "metadata": {"request_id": "00000000-0000-4000-8000-000000000000"},
        "from_finalize": False,
    }
    return json.dumps(message | changes)


def test_a_final_has_times_and_confidence() -> None:
    assert parse(SUBCLASS, body()) == [RecognitionResult("카드를 잃어버렸어요", True, 3.0, 4.5, 0.98583984)]


def test_final_is_what_will_not_change_and_not_where_the_speaker_pauses() -> None:
    for is_final in (True, False):
        for speech_final in (True, False):
            [result] = parse(SUBCLASS, body(is_final=is_final, speech_final=speech_final))
            assert isinstance(result, RecognitionResult)
            assert result.final is is_final


@pytest.mark.parametrize(
    ("index", "channel"), [([0, 2], 0), ([1, 2], 1), ([0], 0), ([], 0), (None, 0), ("1", 0), ([2, 3], 0)]
)
def test_the_first_of_channel_index_is_the_channel(index: object, channel: int) -> None:
    [result] = parse(SUBCLASS, body(channel_index=index))

    assert isinstance(result, RecognitionResult)
    assert result.channel == channel


def test_an_older_service_names_no_type() -> None:
    old = json.loads(body())
    del old["type"]

    assert parse(SUBCLASS, json.dumps(old)) == parse(SUBCLASS, body())


def test_nothing_heard_is_an_empty_result() -> None:
    silence = {"alternatives": [{"transcript": "", "confidence": 0.0, "words": []}]}

    assert parse(SUBCLASS, body(channel=silence)) == [RecognitionResult("", True, 3.0, 4.5, 0.0)]
    assert parse(SUBCLASS, body(channel={"alternatives": []})) == [RecognitionResult("", True, 3.0, 4.5)]


@pytest.mark.parametrize(
    "other",
    [
        '{"type":"SpeechStarted","channel":[0],"timestamp":9.54}',
        '{"type":"UtteranceEnd","channel":[0,2],"last_word_end":2.395}',
        '{"type":"Metadata","transaction_key":"deprecated","duration":0.0,"channels":1}',
    ],
)
def test_other_messages_give_nothing(other: str) -> None:
    assert parse(SUBCLASS, other) == []


def test_an_error_message_is_an_error() -> None:
    assert parse(SUBCLASS, '{"type":"Error","description":"Rate limit exceeded","message":"x"}') == [
        RecogniserError("Rate limit exceeded")
    ]
    assert parse(SUBCLASS, '{"type":"Error"}') == [RecogniserError("the recognition service reported an error")]


@pytest.mark.parametrize("unreadable", ["", "[]", "{}", '{"channel":[0]}', '{"channel":{}}', '{"type":5}'])
def test_unreadable(unreadable: str) -> None:
    with pytest.raises(UnreadableResultError, match=r"^deepgram: "):
        parse(SUBCLASS, unreadable)
