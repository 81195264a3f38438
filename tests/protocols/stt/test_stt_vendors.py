"""The table of vendors: what is subscribed is read, trouble is told, and no body breaks anything."""

import json
import os

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.stt.result import RecogniserError, RecognitionResult, UnreadableResultError
from protocols.stt.vendors import SUBCLASSES, parse, vendor_of

ROUNDS = 20_000 if os.environ.get("PARLEY_PROVE") == "1" else 300

TRANSCRIPTIONS = {
    "brain_stt::transcription": "mindslab",
    "google_transcribe::transcription": "google",
    "aws_transcribe::transcription": "aws",
    "azure_transcribe::transcription": "microsoft",
    "deepgram_transcribe::transcription": "deepgram",
    "nuance_transcribe::transcription": "nuance",
    "ibm_transcribe::transcription": "ibm",
}


def test_all_vendors_and_their_troubles_are_subscribed_once() -> None:
    assert len(set(SUBCLASSES)) == len(SUBCLASSES)
    assert set(SUBCLASSES) >= {*TRANSCRIPTIONS, "jambonz_transcribe::error", "google_transcribe::max_duration_exceeded"}
    assert all(" " not in subclass for subclass in SUBCLASSES)


@pytest.mark.parametrize(("subclass", "vendor"), TRANSCRIPTIONS.items())
def test_the_vendor_is_the_events_own_word_or_the_modules(subclass: str, vendor: str) -> None:
    assert vendor_of(subclass, "") == vendor
    assert vendor_of(subclass, "another-vendor") == "another-vendor"
    assert vendor_of(subclass, "not a name\n") == vendor
    assert vendor_of(subclass, "x" * 65) == vendor


def test_an_error_of_any_vendor_is_named_by_its_header() -> None:
    assert vendor_of("jambonz_transcribe::error", "microsoft") == "microsoft"
    assert vendor_of("jambonz_transcribe::error", "") == "unknown"
    assert vendor_of("never::heard_of", "") == "unknown"


def test_a_time_limit_asks_for_a_new_start() -> None:
    for vendor in ("google", "aws", "nuance"):
        [error] = parse(f"{vendor}_transcribe::max_duration_exceeded", "")
        assert error == RecogniserError("the recogniser ended the stream at its time limit", restart=True)


@pytest.mark.parametrize(
    ("subclass", "body", "message"),
    [
        ("jambonz_transcribe::error", '{"type":"error","error":"quota exceeded"}', "quota exceeded"),
        ("jambonz_transcribe::error", '{"type":"error","code":408,"error":"No Input","details":"x"}', "No Input"),
        ("jambonz_transcribe::error", '{"Message":"Your request timed out"}', "Your request timed out"),
        ("jambonz_transcribe::error", '{"type":"error"}', "the recogniser reported an error"),
        ("jambonz_transcribe::error", "not JSON", "the recogniser reported an error"),
        ("jambonz_transcribe::error", "", "the recogniser reported an error"),
        ("deepgram_transcribe::connect_failed", '{"reason":"HTTP 401"}', "HTTP 401"),
        ("ibm_transcribe::connect_failed", '{"reason":"said "no""}', 'said "no"'),
        ("aws::connect_failed", "", "the recogniser could not be reached"),
        ("ibm_transcribe::disconnect", "", "the recogniser closed the connection"),
        (
            "aws::buffer_overrun",
            "",
            "audio was thrown away because the recogniser did not take it in time",
        ),
    ],
)
def test_trouble_is_told_in_the_vendors_words(subclass: str, body: str, message: str) -> None:
    error = RecogniserError(message, goes_on=subclass.endswith("::buffer_overrun"))
    assert parse(subclass, body) == [error]
    assert parse(subclass, body.encode()) == [error]


def test_trouble_never_tells_what_was_said() -> None:
    result = json.dumps({"Id": "17", "RecognitionStatus": "Other", "DisplayText": "비밀번호는 삼칠구", "Offset": 1})

    [error] = parse("jambonz_transcribe::error", result)

    assert isinstance(error, RecogniserError)
    assert "비밀번호" not in error.message


def test_a_long_message_of_trouble_is_cut() -> None:
    [error] = parse("jambonz_transcribe::error", json.dumps({"error": "x" * 10_000}))

    assert error == RecogniserError("x" * 500)


def test_a_subclass_nobody_knows_is_unreadable() -> None:
    with pytest.raises(UnreadableResultError):
        parse("never::heard_of", "{}")


# Bodies near enough to real ones to get past the first check: the right keys with any values.
_KEYS = st.sampled_from(
    [
        *("text", "start", "end", "is_final", "alternatives", "transcript", "confidence", "words", "channel_tag"),
        *("result_end_time", "start_time", "seconds", "nanos", "RecognitionStatus", "DisplayText", "Text", "Offset"),
        *("Duration", "NBest", "Display", "Confidence", "Channel", "channel", "channel_index", "duration", "type"),
        *("description", "results", "final", "state", "error", "reason", "Message", "Transcript", "Results"),
        *("IsPartial", "Alternatives", "StartTime", "EndTime", "ChannelId"),
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Success", "Results", "1.2s", "ch_1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=25,
)
_JSON = st.dictionaries(_KEYS, _VALUES, max_size=8).map(lambda value: json.dumps(value, ensure_ascii=False))
_ANY_TEXT = st.text(alphabet=st.characters()) | st.text(alphabet='{}[]":,\\ tfrue0129\udcff')


@settings(max_examples=ROUNDS, deadline=None)
@given(st.sampled_from(SUBCLASSES), _ANY_TEXT | _JSON | st.binary() | _JSON.map(str.encode))
@example("brain_stt::transcription", '{"text":"a","start":1e999}')
@example("brain_stt::transcription", '{"text":"\\ud800"}')
@example("google_transcribe::transcription", '{"is_final":true,"alternatives":[],"result_end_time":"infs"}')
@example("google_transcribe::transcription", '{"is_final":true,"alternatives":[],"result_end_time":"nans"}')
def test_no_body_breaks_anything(subclass: str, body: str | bytes) -> None:
    try:
        heard = parse(subclass, body)
    except UnreadableResultError:
        return
    for said in heard:
        if isinstance(said, RecognitionResult):
            assert said.text == said.text.strip()
            assert said.channel in (0, 1)
            assert said.start is None or said.start >= 0
            assert said.end is None or said.end >= 0
            assert said.confidence is None or 0 <= said.confidence <= 1
        else:
            assert said.message
