"""Transcripts as files."""

from __future__ import annotations

import csv
import io

import pytest

from daemon.calls.call import CallState
from daemon.transcripts.utterance import Speaker
from web.payloads import CallPayload, UtterancePayload
from web.transcript_formats import in_order, to_csv, to_text, to_vtt

ANSWERED_AT = 1_700_000_000.0


def call(answered_at: float | None = ANSWERED_AT) -> CallPayload:
    return CallPayload(
        call_id="c",
        origin="freeswitch",
        server="main",
        state=CallState.ENDED,
        caller="01012345678",
        caller_name="",
        callee="",
        did="",
        code="",
        app="",
        created_at=ANSWERED_AT - 5,
        answered_at=answered_at,
        ended_at=None,
        hangup_cause="",
        disposition=None,
        merged_into=None,
        sensitive=False,
        legs=[],
    )


def said(text: str, after: float = 1.0, seq: int = 1, **changes: float | None) -> UtterancePayload:
    return UtterancePayload(
        call_id="c",
        utterance_id="u",
        seq=seq,
        leg_id="l",
        speaker=Speaker.CALLER,
        text=text,
        start=changes.get("start"),
        end=changes.get("end"),
        said_at=ANSWERED_AT + after,
        final=True,
        confidence=changes.get("confidence"),
        vendor="brain_stt",
    )


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_dialogue_stands_in_order_of_speech() -> None:
    later, earlier, tied = said("later", 9.0, 1), said("earlier", 2.0, 2), said("tied", 2.0, 3)
    assert [one.text for one in in_order([later, tied, earlier])] == ["earlier", "tied", "later"]


def test_csv_has_times_since_the_answer_and_all_fields() -> None:
    (row,) = cells(to_csv(call(), [said("네, 맞아요", 61.5, start=1.0, end=2.25, confidence=0.5)]))
    assert row == {
        "seq": "1",
        "time": "2023-11-14T22:14:21.500+00:00",
        "seconds": "61.500",
        "speaker": "caller",
        "text": "네, 맞아요",
        "start": "1.000",
        "end": "2.250",
        "confidence": "0.500",
        "vendor": "brain_stt",
        "leg_id": "l",
        "utterance_id": "u",
    }


def test_csv_marks_its_encoding_and_ends_lines_as_the_standard_says() -> None:
    text = to_csv(call(), [said("하나")])
    assert text.startswith("\ufeffseq,")
    assert text.count("\r\n") == 2


@pytest.mark.parametrize("text", ["=1+1", "+82", "-5", "@SUM(A1)", "\t=1", "\r=1", '=cmd|" /C calc"!A0'])
def test_csv_gives_a_spreadsheet_no_formula(text: str) -> None:
    (row,) = cells(to_csv(call(), [said(text)]))
    assert row["text"] == "'" + text


@pytest.mark.parametrize("text", ["a,b", 'say "so"', "two\nlines", "five = 5", ""])
def test_csv_keeps_any_other_text(text: str) -> None:
    (row,) = cells(to_csv(call(), [said(text)]))
    assert row["text"] == text


def test_plain_text_is_a_line_for_each_utterance() -> None:
    text = to_text(call(), [said("둘\n줄", 3_661.9, 2), said("먼저", -3.5, 1)])
    assert text == "[-00:00:03] caller: 먼저\n[01:01:01] caller: 둘 줄\n"


def test_times_count_from_the_beginning_where_nobody_answered() -> None:
    assert to_text(call(None), [said("여보세요", 1.0)]) == "[00:00:06] caller: 여보세요\n"


def test_vtt_has_a_cue_for_each_utterance_with_its_speaker() -> None:
    text = to_vtt(call(), [said("네", 3_600.25, 7, start=10.0, end=12.5)])
    assert text == "WEBVTT\n\n7\n01:00:00.250 --> 01:00:02.750\n<v caller>네\n"


def test_vtt_takes_nothing_that_is_said_for_markup_or_a_line_of_times() -> None:
    text = to_vtt(call(), [said("<b>&amp;\n\n00:00:00.000 --> 00:00:01.000\r\n\u2028NOTE")])
    cue = text.split("\n\n", 1)[1]
    assert cue.count("\n") == 3
    assert cue.count("-->") == 1
    assert "&lt;b&gt;&amp;amp; 00:00:00.000 --&gt; 00:00:01.000 NOTE" in cue


def test_vtt_gives_a_cue_without_times_long_enough_to_read() -> None:
    short, long = to_vtt(call(), [said("네")]), to_vtt(call(), [said("가" * 500)])
    assert "00:00:01.000 --> 00:00:02.000" in short
    assert "00:00:01.000 --> 00:00:11.000" in long


def test_vtt_has_no_cue_before_the_answer() -> None:
    assert "\n00:00:00.000 --> 00:00:01.000\n" in to_vtt(call(), [said("네", -4.0)])
