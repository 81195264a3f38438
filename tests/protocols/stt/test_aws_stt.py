"""aws: bodies glued together without escapes and commas, and the other module's proper ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.stt.result import RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

SUBCLASS = "aws_transcribe::transcription"


def glued(*results: tuple[bool, list[str]]) -> str:
    """A body exactly as mod_aws_transcribe puts it together."""
    body = "["
    for final, transcripts in results:
        body += '{"is_final": ' + ("true" if final else "false") + ', "alternatives": ['
        body += ", ".join('{"transcript": "' + transcript + '"}' for transcript in transcripts)
        body += "]}"
    return body + "]"


def test_one_plain_result_is_json() -> None:
    assert parse(SUBCLASS, glued((True, ["예약을 바꾸고 싶은데요."]))) == [
        RecognitionResult("예약을 바꾸고 싶은데요.", True)
    ]
    assert parse(SUBCLASS, glued((False, ["예약을"]))) == [RecognitionResult("예약을", False)]


def test_results_without_a_comma_between_them_are_all_found() -> None:
    body = glued((True, ["예약을 바꾸고 싶은데요.", "예약을 바꾸고 싶은데."]), (False, ["언제로"]), (True, ["네"]))

    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert parse(SUBCLASS, body) == [
        RecognitionResult("예약을 바꾸고 싶은데요.", True),
        RecognitionResult("언제로", False),
        RecognitionResult("네", True),
    ]
    assert parse(SUBCLASS, body.encode()) == parse(SUBCLASS, body)


@pytest.mark.parametrize(
    "said",
    [
        '그는 "내일 세 시"라고 했어요',
        '"네"',
        '"',
        '""',
        "역슬래시 \\ 하나",
        "끝에 역슬래시\\",
        "두 줄\n이에요",
        '중괄호 "} 대괄호 ]} 그리고 {"',
        '쉼표 "}, {" 까지',
        "탭\t하나",
    ],
)
def test_what_was_said_is_found_whatever_it_holds(said: str) -> None:
    assert parse(SUBCLASS, glued((True, [said]))) == [RecognitionResult(said, True)]
    assert parse(SUBCLASS, glued((True, [said, "다른 말"]), (False, [said]), (True, ["네"]))) == [
        RecognitionResult(said, True),
        RecognitionResult(said, False),
        RecognitionResult("네", True),
    ]


# The module escapes nothing, so two transcripts could only be confused with its own punctuation, which nobody says.
SPOKEN = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\\")).filter(
    lambda text: "transcript" not in text and "is_final" not in text
)


@given(st.lists(st.tuples(st.booleans(), st.lists(SPOKEN, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_whatever_the_module_glues_is_taken_apart_again(results: list[tuple[bool, list[str]]]) -> None:
    assert parse(SUBCLASS, glued(*results)) == [
        RecognitionResult(transcripts[0].strip(), final) for final, transcripts in results
    ]


def test_a_module_that_escapes_is_read_as_json_even_without_commas() -> None:
    body = '[{"is_final":true,"alternatives":[{"transcript":"그는 \\"네\\""}]}{"is_final":true,"alternatives":[]}]'

    assert parse(SUBCLASS, body) == [RecognitionResult('그는 "네"', True), RecognitionResult("", True)]


def test_a_result_without_its_end_is_left_out_and_the_others_kept() -> None:
    body = glued((True, ['그는 "네"라고']), (True, ["했어요"]))

    assert parse(SUBCLASS, body[:-6]) == [RecognitionResult('그는 "네"라고', True)]


def test_the_other_module_passes_on_amazons_own_json() -> None:
    results = [
        {
            "Alternatives": [{"Items": [{"Content": "여보세요"}], "Transcript": "여보세요."}],
            "ChannelId": "ch_1",
            "EndTime": 2.745,
            "IsPartial": False,
            "LanguageCode": "ko-KR",
            "ResultId": "4f0a3d57-0000-4000-8000-0f3d5c7a9b11",
            "StartTime": 1.12,
        },
        {"Alternatives": [{"Transcript": "네"}], "IsPartial": True, "StartTime": 3, "EndTime": 3.2},
        {"Alternatives": [], "IsPartial": True},
    ]

    assert parse(SUBCLASS, json.dumps({"Transcript": {"Results": results}})) == [
        RecognitionResult("여보세요.", True, 1.12, 2.745, channel=1),
        RecognitionResult("네", False, 3.0, 3.2),
        RecognitionResult("", False),
    ]
    assert parse(SUBCLASS, '{"Transcript":{"Results":[]}}') == []


@pytest.mark.parametrize(
    "unreadable",
    ["", "vad_detected", "[5]", '{"Transcript":5}', '[{"is_final": true, "alternatives": [{"transcript": "네', "[{]"],
)
def test_unreadable(unreadable: str) -> None:
    with pytest.raises(UnreadableResultError, match=r"^aws: ") as caught:
        parse(SUBCLASS, unreadable)
    assert caught.value.__context__ is None


def test_a_hostile_body_is_read_in_linear_time() -> None:
    # Twice as long must not be four times as slow: at this length a quadratic reader would not come back.
    for piece in ('{"is_final": true, "alternatives": [', '{"transcript": "', '" }', "\\", '"}, ', "{ "):
        with pytest.raises(UnreadableResultError):
            parse(SUBCLASS, '[{"is_final": true, "alternatives": [{"transcript": "' + piece * 200_000)
