"""Events and channel data: both formats, odd values, and what nobody may forge."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RefusedError, RemoteError
from protocols.esl.events import EslEvent, decode_channel, decode_channels, decode_event
from protocols.esl.parser import Frame, FrameParser
from tests.protocols.esl.reference import event_frame, json_frame, plain_event, plain_frame, read_frames
from tests.wire import recordings

# What cannot be the same in two calls that were made one after the other.
OF_ONE_CALL = {
    "timestamp",
    "sequence",
    "unique_id",
    "call_uuid",
    "created_time",
    "answered_time",
    "application_uuid",
    "job_uuid",
}
NAMES = {field.encode_name: field.name for field in msgspec.structs.fields(EslEvent)}


def only(data: bytes) -> EslEvent:
    (frame,) = FrameParser().feed(data)
    return decode_event(frame)


def events(name: str) -> list[EslEvent]:
    frames = FrameParser().feed(recordings.read(name))
    return [decode_event(frame) for frame in frames if frame.content_type.startswith(b"text/event-")]


def json_headers(name: str) -> list[tuple[list[tuple[str, str | list[str]]], str | None, bytes]]:
    """Of every json event of a recording: its headers, its body, and the frame's bytes."""
    found = []
    for frame in read_frames(recordings.read(name)):
        if b"Content-Type: text/event-json" in frame.lines:
            pairs = json.loads(frame.body.decode("utf-8", "replace"), object_pairs_hook=list)
            body = dict(pairs).get("_body")
            headers = [pair for pair in pairs if pair[0] != "_body"]
            if body is not None and headers[-1][0] == "Content-Length":
                headers.pop()
            found.append((headers, body, frame.body))
    return found


def test_a_speech_event_of_a_recording() -> None:
    event = next(event for event in events("02_json_full_call.esl") if event.subclass)
    assert event == EslEvent(
        subclass="brain_stt::transcription",
        name="CUSTOM",
        core_uuid="7211628e-b714-4e4a-b736-c82cf1d1bc5a",
        timestamp="1795199377589703",
        sequence="595",
        channel_state="CS_EXECUTE",
        call_state="ACTIVE",
        unique_id="0e3023b8-c64f-4fa2-b886-94bb52b6ab91",
        direction="inbound",
        call_uuid="0e3023b8-c64f-4fa2-b886-94bb52b6ab91",
        answer_state="answered",
        caller_username="01012341",
        caller_name="홍길동",
        caller_number="01012341",
        caller_ani="01012341",
        destination="07000001004",
        context="public",
        code="dev-app",
        created_time="1795199377049748",
        answered_time="1795199377569727",
        sip_to_user="07000001004",
        current_application="playback",
        body='{"text":"\\n금요일","start":41120,"end":52480}',
    )
    assert (event.at, event.created_at, event.answered_at) == (1795199377.589703, 1795199377.049748, 1795199377.569727)


def test_the_same_call_decodes_alike_from_json_and_plain() -> None:
    def by_kind(name: str) -> dict[tuple[str, str, str, int], EslEvent]:
        seen: Counter[tuple[str, str, str]] = Counter()
        found = {}
        for event in events(name):
            kind = (event.name, event.subclass, event.application)
            seen[kind] += 1
            found[(*kind, seen[kind])] = event
        return found

    plain, in_json = by_kind("01_plain_full_call.esl"), by_kind("02_json_full_call.esl")
    assert plain.keys() == in_json.keys()
    assert len(plain) == 74
    for kind, event in plain.items():
        for attribute in EslEvent.__struct_fields__:
            values = getattr(event, attribute), getattr(in_json[kind], attribute)
            if attribute in OF_ONE_CALL:
                assert bool(values[0]) == bool(values[1]), (kind, attribute)
            else:
                assert values[0] == values[1], (kind, attribute)


@pytest.mark.parametrize("name", ["02_json_full_call.esl", "04j_json_bgapi.esl", "06b_burst20_json.esl"])
def test_every_recorded_json_event_decodes_as_a_naive_reader_and_its_plain_twin_do(name: str) -> None:
    checked = 0
    for headers, body, raw in json_headers(name):
        event = only(event_frame(b"json", raw))
        last = dict(headers)
        for header, attribute in NAMES.items():
            value = body if attribute == "body" else last.get(header)
            assert getattr(event, attribute) == (value or ""), header
        assert only(plain_frame(headers, body)) == event
        checked += 1
    assert checked == len(events(name))


def test_an_event_is_known_by_its_core_and_sequence() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for name in recordings.esl():
        each = {(event.core_uuid, event.sequence) for event in events(name)}
        assert len(each) == len(events(name))
        seen.update(each)
    assert all(core and sequence for core, sequence in seen)


# -- odd values ------------------------------------------------------------------------------------------------------

NAME = "Caller-Caller-ID-Name"
ODD = {
    "X-Spaces": "  lead and trail  ",
    "X-Newline": "line1\nline2\r\nline3",
    "X-Utf8": "금요일",
    "X-BadUtf8": "a\ufffd\ufffdb",
    "X-Ctl": "a\x01\tb\x7f",
    "X-Percent-Literal": "100%",
    "X-Plus": "a+b c&d=e;f/g~h'(i)*!$,j._-",
    "X-Json": '{"text":"\\n금"}',
    "X-Xml": '<a href="x">&amp;</a>',
    "X-Array": "one",
    "X-Undef-Literal": "_undef_",
}


@pytest.mark.parametrize(("header", "value"), ODD.items())
@pytest.mark.parametrize("name", ["01_plain_full_call.esl", "02_json_full_call.esl"])
def test_a_recorded_odd_value_is_read_as_it_was_set(name: str, header: str, value: str) -> None:
    frames = [frame for frame in FrameParser().feed(recordings.read(name)) if b"X-BadUtf8" in frame.body]
    assert len(frames) == 2
    for frame in frames:
        # The name of the odd header is not one of ours, so let it pass for one that is.
        renamed = (
            frame.body.replace(b"\n%s: " % header.encode(), b"\n%s: " % NAME.encode())
            if name.startswith("01")
            else frame.body.replace(b'"%s":' % header.encode(), b'"%s":' % NAME.encode())
        )
        assert renamed != frame.body
        event = decode_event(Frame(frame.headers, renamed, frame.content_type))
        assert event.caller_name == value
        assert event.subclass == "brain_stt::odd"
        assert event.body in ("", "body text")


BASE = [("Event-Name", "CHANNEL_PARK"), ("Unique-ID", "u-1")]


@pytest.mark.parametrize("frame", [json_frame, plain_frame])
def test_a_value_cannot_forge_a_header(frame) -> None:  # type: ignore[no-untyped-def]
    value = 'x\nUnique-ID: FORGED\n\nUnique-ID: FORGED","Unique-ID":"FORGED'
    event = only(frame([*BASE, (NAME, value), ("Hangup-Cause", "OK")]))
    assert (event.unique_id, event.caller_name, event.hangup_cause) == ("u-1", value, "OK")


def test_a_percent_encoded_forgery_stays_a_value() -> None:
    raw = b"Event-Name: CHANNEL_PARK\nUnique-ID: u-1\nCaller-Caller-ID-Name: x%0AUnique-ID%3A%20FORGED\n\n"
    event = only(event_frame(b"plain", raw))
    assert (event.unique_id, event.caller_name) == ("u-1", "x\nUnique-ID: FORGED")


def test_a_body_forges_nothing_and_is_raw() -> None:
    body = "\n\nUnique-ID: FORGED\n\nContent-Length: 0\n\n%41+금요일"
    for frame in (json_frame, plain_frame):
        event = only(frame(BASE, body))
        assert (event.unique_id, event.body) == ("u-1", body)


def test_names_are_matched_exactly() -> None:
    headers = [*BASE, ("unique-id", "x"), ("Unique-Id", "y"), ("_body", "z"), ("body", "z"), ("unique_id", "z")]
    assert only(plain_frame(headers)) == only(plain_frame(BASE))
    assert only(json_frame([header for header in headers if header[0] != "_body"])) == only(json_frame(BASE))


def test_the_last_of_a_repeated_header_counts_but_the_first_code() -> None:
    headers = [
        *[("Event-Name", "COMMAND"), ("Event-Sequence", "1"), ("Event-Name", "PRIVATE_COMMAND")],
        *[("Event-Sequence", "2"), ("code", "ours"), ("Other-Leg-Unique-ID", "u-2"), ("code", "theirs")],
    ]
    plain, in_json = only(plain_frame(headers)), only(json_frame(headers))
    assert (plain.name, plain.sequence) == (in_json.name, in_json.sequence) == ("PRIVATE_COMMAND", "2")
    assert (plain.code, in_json.code) == ("ours", "theirs")
    assert plain.own_code == in_json.own_code == ""
    assert only(json_frame([*BASE, ("code", "ours")])).own_code == "ours"


def test_a_recorded_private_command_is_not_the_command_within() -> None:
    for name in ("01_plain_full_call.esl", "02_json_full_call.esl"):
        kinds = Counter(event.name for event in events(name))
        assert kinds["COMMAND"] == 0
        assert kinds["PRIVATE_COMMAND"] > 0


def test_a_content_length_that_sendevent_repeats_is_taken_once() -> None:
    for name in ("01_plain_full_call.esl", "02_json_full_call.esl"):
        assert [
            event.body for event in events(name) if event.subclass == "brain_stt::transcription" and not event.unique_id
        ] == ['{"text":"\\n금요일","start":41120,"end":52480}']


@pytest.mark.parametrize(
    ("length", "body"),
    [("3", "bod"), ("4", "body"), ("99", "body"), ("0", ""), ("x", "body"), ("-1", "body"), ("9" * 40, "body")],
)
def test_a_plain_body_is_as_long_as_its_inner_length_says(length: str, body: str) -> None:
    raw = f"Event-Name: CUSTOM\nContent-Length: {length}\n\nbody".encode()
    assert only(event_frame(b"plain", raw)).body == body


def test_a_plain_event_without_inner_length_has_no_body() -> None:
    assert only(event_frame(b"plain", b"Event-Name: CUSTOM\n\nstray")).body == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(["a", "b"], "a"), ([], ""), (None, ""), (7, "7"), (True, "true"), ({"a": 1}, '{"a":1}'), ([["x"]], '["x"]')],
)
def test_a_json_value_that_is_no_text_costs_no_event(value: object, text: str) -> None:
    raw = json.dumps({"Event-Name": "CUSTOM", NAME: value, "Unique-ID": "u-1", "X": value}).encode()
    event = only(event_frame(b"json", raw))
    assert (event.name, event.caller_name, event.unique_id) == ("CUSTOM", text, "u-1")


def test_invalid_utf8_costs_no_event() -> None:
    raw = b'{"Event-Name":"CUSTOM","Caller-Caller-ID-Name":"a\xff\xfeb","_body":"\xea\xb8"}'
    event = only(event_frame(b"json", raw))
    assert (event.caller_name, event.body) == ("a\ufffd\ufffdb", "\ufffd")
    event = only(event_frame(b"plain", b"Event-Name: CUSTOM\nContent-Length: 2\n\n\xea\xb8"))
    assert event.body == "\ufffd"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b'{"Event-Name":""}',
        b'{"Event-Name":"CUSTOM"',
        b'{"Event-Name":"CUSTOM"} x',
        b'{"Event-Name":"CUSTOM","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"Event-Name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_event_is_the_switchs_fault(raw: bytes) -> None:
    with pytest.raises(RemoteError):
        only(event_frame(b"json", raw))


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"no colon", b"Event-Name: \n\n", b"Event-Name:CUSTOM\n\n"])
def test_what_is_no_plain_event_is_the_switchs_fault(raw: bytes) -> None:
    with pytest.raises(RemoteError, match="Event-Name"):
        only(event_frame(b"plain", raw))


def test_events_in_xml_were_not_asked_for() -> None:
    with pytest.raises(RemoteError, match="xml"):
        only(event_frame(b"xml", b"<event/>"))


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [("", None), ("0", None), ("1795199377589703", 1795199377.589703), ("x", None), ("-5", None), ("9" * 5000, None)],
)
def test_times_are_seconds_or_none(microseconds: str, seconds: float | None) -> None:
    event = EslEvent(timestamp=microseconds, created_time=microseconds, answered_time=microseconds)
    assert (event.at, event.created_at, event.answered_at) == (seconds or 0.0, seconds, seconds)


# -- channel data ----------------------------------------------------------------------------------------------------


def api_bodies(name: str) -> list[bytes]:
    return [frame.body for frame in read_frames(recordings.read(name)) if b"Content-Type: api/response" in frame.lines]


def test_a_recorded_uuid_dump() -> None:
    (dump,) = [body for body in api_bodies("02_json_full_call.esl") if b"CHANNEL_DATA" in body]
    channel = decode_channel(dump)
    assert decode_channel(dump.decode()) == channel
    assert (channel.name, channel.unique_id) == ("CHANNEL_DATA", "0e3023b8-c64f-4fa2-b886-94bb52b6ab91")
    assert (channel.destination, channel.rdnis, channel.sip_to_user) == ("9664", "07000001004", "07000001004")
    assert (channel.caller_name, channel.code, channel.call_state) == ("홍길동", "dev-app", "ACTIVE")
    assert channel.answered_at == 1795199377.569727


def test_a_uuid_dump_in_json_is_the_same_channel() -> None:
    headers = [("Event-Name", "CHANNEL_DATA"), ("Unique-ID", "u-1"), (NAME, "김 철수\n"), ("code", "dev-app")]
    as_json = json.dumps(dict(headers), ensure_ascii=False)
    assert decode_channel(as_json) == decode_channel(as_json.encode()) == decode_channel(plain_event(headers))
    assert decode_channel(as_json).caller_name == "김 철수\n"


def test_recorded_channels() -> None:
    listed = [decode_channels(body) for body in api_bodies("04j_json_bgapi.esl") if body.startswith(b'{"row_count"')]
    assert [len(rows) for rows in listed] == [6]
    row = listed[0][1]
    assert row.unique_id == "a6cef38f-7735-4be6-bc84-a05d29ace465"
    assert (row.direction, row.created_epoch, row.name) == ("inbound", "1795199541", "loopback/07000001003-b")
    assert (row.state, row.call_state, row.call_uuid) == ("CS_EXECUTE", "RINGING", "")
    assert (row.caller_name, row.caller_number) == ("김 철수", "01098765483")
    assert (row.destination, row.application, row.context) == ("07000001003", "park", "public")


def test_no_channels_is_no_rows() -> None:
    assert decode_channels('{"row_count": 0}\n') == []
    assert decode_channels(b'{"row_count":1,"rows":[{"uuid":"u-1","cid_name":"\xff"}]}')[0].caller_name == "\ufffd"


@pytest.mark.parametrize("decode", [decode_channel, decode_channels])
def test_a_refusal_is_told_from_garbage(decode) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RefusedError, match=r"^-ERR No such channel!$"):
        decode("-ERR No such channel!\n")
    for garbage in ("", "false", "{", b"\xff", "[1]", '{"rows":7}', "\udc80"):
        with pytest.raises(RemoteError):
            decode(garbage)


# -- round trip ------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = TEXT.filter(lambda value: not value.startswith("ARRAY::"))
ELEMENTS = st.lists(VALUES.filter(lambda value: "|:" not in value and "|" not in value), min_size=1)
HEADERS = st.dictionaries(
    st.sampled_from([name for name in NAMES if name not in ("_body", "Event-Name")]), VALUES | ELEMENTS
)


@given(HEADERS, st.none() | TEXT, TEXT.filter(bool))
def test_generated_events_come_back_from_both_formats(
    headers: dict[str, str | list[str]], body: str | None, name: str
) -> None:
    wanted = {NAMES[header]: value if isinstance(value, str) else value[0] for header, value in headers.items()}
    if name.startswith("ARRAY::"):
        return
    event = EslEvent(**wanted, name=name, body=body or "")
    items = [*headers.items(), ("Event-Name", name)]
    assert only(json_frame(items, body)) == event
    assert only(plain_frame(items, body)) == event
