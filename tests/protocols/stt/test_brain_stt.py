"""brain_stt: samples to seconds, and what becomes of a body that is not as it should be."""

import json

import pytest

from protocols.stt.result import RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

SUBCLASS = "brain_stt::transcription"


def test_the_recorded_body_is_a_final_in_seconds() -> None:
    body = '{"text":"\\n금요일","start":41120,"end":52480}'

    assert parse(SUBCLASS, body) == [RecognitionResult("금요일", True, 5.14, 6.56)]
    assert parse(SUBCLASS, body.encode()) == [RecognitionResult("금요일", True, 5.14, 6.56)]


def test_the_sample_rate_is_a_setting() -> None:
    body = '{"text": "네", "start": 16000, "end": 24000}'

    assert parse(SUBCLASS, body, brain_sample_rate=16_000) == [RecognitionResult("네", True, 1.0, 1.5)]


def test_text_may_hold_anything_that_json_carries() -> None:
    said = '그는 "내일 세 시"라고 했어요 \\ 😀\n정말로'

    [result] = parse(SUBCLASS, json.dumps({"text": f"\n{said}\n", "start": 0, "end": 8000}, ensure_ascii=True))

    assert result == RecognitionResult(said, True, 0.0, 1.0)


def test_silence_is_an_empty_final() -> None:
    assert parse(SUBCLASS, '{"text":"\\n","start":0,"end":0}') == [RecognitionResult("", True, 0.0, 0.0)]


@pytest.mark.parametrize("bad", ["null", '"41120"', "-1", "true", "[41120]", "1" * 30])
def test_a_time_that_is_none_costs_only_the_time(bad: str) -> None:
    assert parse(SUBCLASS, f'{{"text":"여보세요","start":{bad},"end":8000}}') == [
        RecognitionResult("여보세요", True, None, 1.0)
    ]


def test_times_may_be_missing() -> None:
    assert parse(SUBCLASS, '{"text":"여보세요"}') == [RecognitionResult("여보세요", True)]


def test_invalid_utf8_costs_the_letters_it_hits() -> None:
    body = b'{"text":"\xff \xea\xb8\x88\xec\x9a\x94\xec\x9d\xbc","start":8000,"end":16000}'

    assert parse(SUBCLASS, body) == [RecognitionResult("\ufffd 금요일", True, 1.0, 2.0)]


def test_a_lone_surrogate_costs_the_letters_it_hits() -> None:
    assert parse(SUBCLASS, '{"text":"\udcff 금요일"}') == [RecognitionResult("? 금요일", True)]


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("", "no body"),
        (b"", "no body"),
        ("금요일", "not JSON"),
        ('{"text":"금요일"', "not JSON"),
        ('{"text":"그는 "네"라고"}', "not JSON"),
        ('{"text":5}', "a value is missing or of another type"),
        ('{"text":null}', "a value is missing or of another type"),
        ('{"start":1,"end":2}', "a value is missing or of another type"),
        ('["금요일"]', "a value is missing or of another type"),
        ('{"start":' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_an_unreadable_body_says_whose_and_why_but_not_what(body: str | bytes, mistake: str) -> None:
    with pytest.raises(UnreadableResultError) as caught:
        parse(SUBCLASS, body)

    assert str(caught.value) == f"mindslab: {mistake}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
