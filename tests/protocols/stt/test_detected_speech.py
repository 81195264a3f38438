"""DETECTED_SPEECH: the engine's plain text."""

from protocols.stt.detected_speech import BEGIN_SPEAKING, read
from protocols.stt.result import RecognitionResult


def test_the_two_detected_types_carry_words() -> None:
    assert read("detected-partial-speech", " 안녕하") == RecognitionResult("안녕하", False)
    assert read("detected-speech", "안녕하세요\n".encode()) == RecognitionResult("안녕하세요", True)


def test_the_other_types_carry_none() -> None:
    for speech_type in (BEGIN_SPEAKING, "closed", "", "something-new"):
        assert read(speech_type, "ignored") is None


def test_bytes_that_are_no_text_are_shown_as_far_as_they_are() -> None:
    assert read("detected-speech", b"\xff \xeb\x84\xa4") == RecognitionResult("\ufffd 네", True)
    assert read("detected-speech", "") == RecognitionResult("", True)
