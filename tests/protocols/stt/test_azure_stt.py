"""azure: what the Speech SDK's JSON says, in units of 100 ns."""

import json

import pytest

from protocols.stt.result import RecogniserError, RecognitionResult, UnreadableResultError
from protocols.stt.vendors import parse

SUBCLASS = "azure_transcribe::transcription"


def test_success_is_final() -> None:
    body = {
        "Id": "1708f0bf000000000000000000000000",
        "RecognitionStatus": "Success",
        "DisplayText": "상담원과 연결해 주세요.",
        "Offset": 14_400_000,
        "Duration": 12_200_000,
        "Channel": 0,
    }

    [result] = parse(SUBCLASS, json.dumps(body))

    assert isinstance(result, RecognitionResult)
    assert (result.text, result.final, result.start, result.channel) == ("상담원과 연결해 주세요.", True, 1.44, 0)
    assert result.end == pytest.approx(2.66)


def test_an_interim_has_text_and_no_status() -> None:
    body = '{"Id":"17","Text":"상담원과","Offset":14400000,"Duration":5000000,"Channel":1}'

    assert parse(SUBCLASS, body) == [RecognitionResult("상담원과", False, 1.44, 1.94, channel=1)]


def test_the_detailed_format_gives_confidence_and_maybe_the_only_text() -> None:
    best = '"NBest":[{"Confidence":0.87,"Lexical":"두 시","ITN":"2시","MaskedITN":"2시","Display":"2시."}]'

    assert parse(SUBCLASS, f'{{"RecognitionStatus":"Success","Offset":0,"Duration":0,{best}}}') == [
        RecognitionResult("2시.", True, 0.0, 0.0, confidence=0.87)
    ]
    assert parse(SUBCLASS, f'{{"RecognitionStatus":"Success","DisplayText":"두 시.",{best}}}') == [
        RecognitionResult("두 시.", True, confidence=0.87)
    ]


@pytest.mark.parametrize("status", ["NoMatch", "InitialSilenceTimeout", "BabbleTimeout", "EndOfDictation", "Whatever"])
def test_a_status_that_is_no_speech_gives_nothing(status: str) -> None:
    assert parse(SUBCLASS, f'{{"RecognitionStatus":"{status}","Offset":0,"Duration":0,"DisplayText":""}}') == []


def test_the_services_own_failure_is_an_error() -> None:
    assert parse(SUBCLASS, '{"RecognitionStatus":"Error","Offset":0,"Duration":0}') == [
        RecogniserError("the recognition service had an internal error")
    ]


@pytest.mark.parametrize("unreadable", ["", "[]", '{"RecognitionStatus":"Success"}', '{"Offset":1}', '{"Text":7}'])
def test_unreadable(unreadable: str) -> None:
    with pytest.raises(UnreadableResultError, match=r"^microsoft: "):
        parse(SUBCLASS, unreadable)
