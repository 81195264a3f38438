"""nuance and ibm: the two vendors that give no times."""

import pytest

from protocols.stt.result import RecogniserError, RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

NUANCE = "nuance_transcribe::transcription"
IBM = "ibm_transcribe::transcription"


def test_nuance_final_and_interim() -> None:
    final = (
        '{"is_final":true,"alternatives":[{"confidence":0.41,"averageConfidence":0.86,"transcript":"환불 문의요",'
        '"rejected":false,"minimallyFormattedText":"환불 문의요"},{"confidence":0.2,"transcript":"환불 문의"}]}'
    )
    interim = '{"is_final":false,"alternatives":[{"confidence":0,"averageConfidence":0,"transcript":"환불"}]}'

    assert parse(NUANCE, final) == [RecognitionResult("환불 문의요", True, confidence=0.41)]
    assert parse(NUANCE, interim) == [RecognitionResult("환불", False)]
    assert parse(NUANCE, '{"is_final":true,"alternatives":[]}') == [RecognitionResult("", True)]


def test_ibm_results_in_their_order() -> None:
    body = (
        '{"result_index":3,"results":['
        '{"final":true,"alternatives":[{"transcript":"배송이 언제 와요 ","confidence":0.83}]},'
        '{"final":false,"alternatives":[{"transcript":"내일 "}]}]}'
    )

    assert parse(IBM, body) == [
        RecognitionResult("배송이 언제 와요", True, confidence=0.83),
        RecognitionResult("내일", False),
    ]


@pytest.mark.parametrize(
    "nothing", ['{"state":"listening"}', '{"result_index":0,"results":[]}', '{"speaker_labels":[{"speaker":0}]}']
)
def test_ibm_messages_that_say_nothing(nothing: str) -> None:
    assert parse(IBM, nothing) == []


def test_ibm_error_comes_as_a_transcription() -> None:
    assert parse(IBM, '{"error":"Session timed out due to inactivity after 30 seconds."}') == [
        RecogniserError("Session timed out due to inactivity after 30 seconds.")
    ]


@pytest.mark.parametrize("confidence", ["2", "-0.1", '"high"', "null", "true", "[]"])
def test_a_confidence_that_is_none_costs_only_the_confidence(confidence: str) -> None:
    body = f'{{"results":[{{"final":true,"alternatives":[{{"transcript":"네","confidence":{confidence}}}]}}]}}'

    assert parse(IBM, body) == [RecognitionResult("네", True)]


@pytest.mark.parametrize("subclass", [NUANCE, IBM])
@pytest.mark.parametrize("unreadable", ["", "{}", "[]", '{"results":5}', '{"results":[{"final":true}]}', "네"])
def test_unreadable(subclass: str, unreadable: str) -> None:
    with pytest.raises(UnreadableResultError):
        parse(subclass, unreadable)
