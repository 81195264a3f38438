"""google: bodies as mod_google_transcribe builds them."""

import json
from typing import Any

import pytest

from protocols.stt.result import RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

SUBCLASS = "google_transcribe::transcription"


def body(**changes: Any) -> str:
    result: dict[str, Any] = {
        "stability": 0.9,
        "is_final": True,
        "alternatives": [{"confidence": 0.9646, "transcript": "다음 주 금요일로 바꿔 주세요"}],
        "language_code": "ko-kr",
        "channel_tag": 0,
        "result_end_time": 4680,
    }
    return json.dumps(result | changes, ensure_ascii=False)


def test_a_final_ends_where_google_says_in_milliseconds() -> None:
    assert parse(SUBCLASS, body()) == [
        RecognitionResult("다음 주 금요일로 바꿔 주세요", True, None, 4.68, confidence=0.9646)
    ]


def test_an_interim_has_no_confidence() -> None:
    interim = body(is_final=False, stability=0.1, alternatives=[{"confidence": 0, "transcript": " 다음 주"}])

    assert parse(SUBCLASS, interim) == [RecognitionResult("다음 주", False, None, 4.68)]


@pytest.mark.parametrize(("tag", "channel"), [(0, 0), (1, 0), (2, 1), (3, 0), (None, 0)])
def test_channel_tags_count_from_one(tag: int | None, channel: int) -> None:
    assert parse(SUBCLASS, body(channel_tag=tag))[0] == RecognitionResult(
        "다음 주 금요일로 바꿔 주세요", True, None, 4.68, confidence=0.9646, channel=channel
    )


@pytest.mark.parametrize(
    "end", [4680, "4.680s", {"seconds": 4, "nanos": 680_000_000}, {"seconds": "4", "nanos": 680_000_000}]
)
def test_every_way_to_write_a_duration(end: object) -> None:
    [result] = parse(SUBCLASS, body(result_end_time=end))

    assert isinstance(result, RecognitionResult)
    assert result.end == pytest.approx(4.68)


@pytest.mark.parametrize("end", [None, "soon", "xs", {"seconds": "x"}, {"nanos": []}, -5, [1]])
def test_a_duration_that_is_none_costs_only_the_time(end: object) -> None:
    assert parse(SUBCLASS, body(result_end_time=end)) == [
        RecognitionResult("다음 주 금요일로 바꿔 주세요", True, confidence=0.9646)
    ]


def test_word_times_cut_to_whole_seconds_do_not_move_a_sentence() -> None:
    words = [{"word": "다음", "start_time": 2, "end_time": 3}, {"word": "주", "start_time": 3, "end_time": 3}]

    [result] = parse(SUBCLASS, body(alternatives=[{"transcript": "다음 주", "words": words}]))

    assert result == RecognitionResult("다음 주", True, None, 4.68)


@pytest.mark.parametrize("name", ["start_time", "start_offset"])
@pytest.mark.parametrize("start", [2.4, "2.400s", {"seconds": 2, "nanos": 400_000_000}])
def test_fine_word_times_give_the_start(name: str, start: object) -> None:
    words = [{"word": "다음", name: start}, {"word": "주", name: 3}]

    [result] = parse(SUBCLASS, body(alternatives=[{"transcript": "다음 주", "words": words}]))

    assert isinstance(result, RecognitionResult)
    assert result.start == pytest.approx(2.4)


def test_the_best_alternative_is_the_first_and_none_is_silence() -> None:
    two = [{"confidence": 0.8, "transcript": "네"}, {"confidence": 0.5, "transcript": "내"}]

    assert parse(SUBCLASS, body(alternatives=two)) == [RecognitionResult("네", True, None, 4.68, confidence=0.8)]
    assert parse(SUBCLASS, body(alternatives=[])) == [RecognitionResult("", True, None, 4.68)]


@pytest.mark.parametrize("unreadable", ["", "[]", '{"is_final":true}', '{"alternatives":[]}', "vad_detected"])
def test_unreadable(unreadable: str) -> None:
    with pytest.raises(UnreadableResultError, match=r"^google: "):
        parse(SUBCLASS, unreadable)
