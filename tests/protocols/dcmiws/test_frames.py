"""Frames of the gateway: every recorded one whole, any bytes at all, and nothing sent that changes on the way."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.dcmiws.frames import LINE_BYTES, MOST_FIELDS, FrameType, decode_frame, encode_request
from protocols.dcmiws.glance import GlanceData, glance
from protocols.errors import LocalError, RemoteError
from tests.wire import recordings

EXAMPLES = settings(max_examples=5_000 if os.environ.get("PARLEY_PROVE") == "1" else 400, deadline=None)

RECORDINGS = recordings.names("dipcast", ".jsonl")


def received(name: str) -> list[bytes]:
    """The frames that the recording client was sent, as bytes."""
    lines = [line for line in recordings.frames(name) if line["dir"] == "in"]
    return [bytes.fromhex(line["raw_hex"]) if "raw_hex" in line else line["raw"].encode() for line in lines]


def all_received() -> list[bytes]:
    return [raw for name in RECORDINGS for raw in received(name)]


WHOLE = sorted(set(all_received()))


def independently(raw: bytes) -> dict[str, Any]:
    """The same by the library's reader, with the data as pairs."""
    pairs = json.loads(raw.decode(errors="replace"), object_pairs_hook=lambda found: found, strict=False)
    return dict(pairs)


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_frame_is_read_with_nothing_lost(name: str) -> None:
    frames = received(name)
    for raw in frames:
        frame, expected = decode_frame(raw), independently(raw)
        assert (int(frame.type), frame.server_id, frame.server_name) == (
            expected["type"],
            expected["server_id"],
            expected["server_name"],
        )
        assert list(frame.fields) == [
            (name, value if isinstance(value, str) else str(value)) for name, value in expected["data"]
        ]
        assert frame.damaged == ("�" in raw.decode(errors="replace"))
    assert frames or name == "s6_restart_b.jsonl"


def test_the_recordings_hold_what_the_tests_are_about() -> None:
    frames = [decode_frame(raw) for raw in all_received()]
    assert len(frames) > 1500
    assert {frame.type for frame in frames} == {FrameType.EVENT, FrameType.RESPONSE, FrameType.OUTPUT, FrameType.QUEUES}
    assert max(len(frame.all("Output")) for frame in frames) > 3
    assert max(len(frame.all("ChanVariable")) for frame in frames) > 1
    assert sum(frame.damaged for frame in frames) == 1


def test_a_glance_agrees_with_the_whole_frame() -> None:
    names = dict(zip(GlanceData.__struct_fields__, GlanceData.__struct_encode_fields__, strict=True))
    for raw in all_received():
        seen, damaged = glance(raw)
        frame = decode_frame(raw)
        assert (seen.type, seen.server_id, damaged) == (frame.type, frame.server_id, frame.damaged)
        for attribute, name in names.items():
            assert getattr(seen.data, attribute) == (frame.all(name) or [""])[-1]


def test_invalid_utf8_is_replaced_and_told() -> None:
    [raw] = received("s12_utf8_euckr_dbget.jsonl")
    frame = decode_frame(raw)
    assert frame.damaged
    assert frame.get("ActionID") == "eu1"
    assert frame.get("Output").startswith("Value: �")
    seen, damaged = glance(raw)
    assert (seen.data.action_id, damaged) == ("eu1", True)


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b'{"type":4,"server_id":1,"data":{"A":"b"}}', [("A", "b")]),
        (b' {"data": {"A": 1, "B": true, "C": null, "D": [1], "E": {"x": 1}}, "type": "4"} ', None),
        (b'{"type":99,"data":{}}', []),
        (b"{}", []),
        (b'{"data":{"A":"tab\there"}}', [("A", "tab\there")]),
    ],
)
def test_what_differs_in_detail_is_read_all_the_same(raw: bytes, fields: list[tuple[str, str]] | None) -> None:
    frame = decode_frame(raw)
    if fields is None:
        assert list(frame.fields) == [("A", "1"), ("B", "true"), ("C", ""), ("D", "[1]"), ("E", '{"x": 1}')]
    else:
        assert list(frame.fields) == fields
    assert frame.type in FrameType
    seen, _ = glance(raw)
    assert seen.data.action_id == ""


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b"{", b'{"a":1}x', b'{"data":3}', b'{"data":"x"}', b"[" * 100_000])
def test_what_is_no_frame_is_said_to_be(raw: bytes) -> None:
    for read in (decode_frame, glance):
        with pytest.raises(RemoteError):
            read(raw)


@EXAMPLES
@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_refused(raw: bytes) -> None:
    for read in (decode_frame, glance):
        with contextlib.suppress(RemoteError):
            read(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@EXAMPLES
@given(st.dictionaries(st.sampled_from(["type", "server_id", "server_name", "ssl", "data", "x"]), json_values))
def test_any_json_is_a_frame_or_refused_by_both_ways_of_reading(document: dict[str, Any]) -> None:
    raw = json.dumps(document).encode()
    try:
        frame = decode_frame(raw)
    except RemoteError:
        with pytest.raises(RemoteError):
            glance(raw)
        return
    seen, _ = glance(raw)
    assert seen.server_id == frame.server_id or not isinstance(document.get("server_id"), int)
    assert seen.data.action_id == (frame.all("ActionID") or [""])[-1]


# Out

names = st.from_regex(re.compile(r"\A[B-Zb-z][A-Za-z0-9_-]{0,20}\Z"))
values = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters='"\\'), max_size=60)


@EXAMPLES
@given(st.integers(1, 99), st.lists(st.tuples(names, values.map(lambda text: text.lstrip(" "))), max_size=20))
def test_what_is_sent_is_read_as_it_was_meant(server_id: int, fields: list[tuple[str, str]]) -> None:
    raw = encode_request(server_id, fields)
    assert b"\\" not in raw
    assert raw.endswith(b"}}")
    document = dict(json.loads(raw, object_pairs_hook=lambda found: found))
    assert document == {"AMIServerID": server_id, "data": fields}


def test_the_frame_is_the_vendors() -> None:
    fields = [("Action", "ping"), ("ActionID", "DIPCAST-CoreServiceCheck-1-Custom")]
    sent = b'{"AMIServerID":1,"data":{"Action":"ping","ActionID":"DIPCAST-CoreServiceCheck-1-Custom"}}'
    assert encode_request(1, fields) == sent
    assert "한빛상담실".encode() in encode_request(1, [("Callerid", "한빛상담실 <16000001>")])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Command", 'a "b"', "Command has a quotation mark"),
        ("Command", "a\\b", "Command has a backslash"),
        ("Command", "a\r\nAction: Logoff", "Command has a line break"),
        ("Command", "a\nb", "Command has a line break"),
        ("Command", "a\tb", "Command has a tab"),
        ("Command", "a\0b", "U+0000"),
        ("Command", "a\ud800b", "U+D800"),
        ("Command", " a", "begins with a space"),
        ("Command", "x" * (LINE_BYTES - len("Command: ") + 1), "Command is too long"),
        ("Command", "가" * 340, "Command is too long"),
        ("a", "b", "take a for AMIServerID"),
        ("ami", "b", "take ami for AMIServerID"),
        ("AMIServerID", "2", "take AMIServerID for AMIServerID"),
        ("x" * 60, "b", "longer than 59"),
        ("한글", "b", "no name of a field"),
        ("", "b", "no name of a field"),
        ("B b", "b", "no name of a field"),
        ("Action", "Events", "session of every client"),
        ("action", " filter".strip(), "session of every client"),
        ("Action", "LogOff", "session of every client"),
    ],
)
def test_what_would_not_arrive_is_refused_by_name(name: str, value: str, said: str) -> None:
    with pytest.raises(LocalError, match=re.escape(said)):
        encode_request(1, [("Action", "ping"), (name, value)])


def test_a_line_of_the_longest_is_sent() -> None:
    encode_request(1, [("Command", "x" * (LINE_BYTES - len("Command: ")))])


@pytest.mark.parametrize("server_id", [0, -1])
def test_no_action_goes_to_every_server(server_id: int) -> None:
    with pytest.raises(LocalError, match="every server"):
        encode_request(server_id, [("Action", "ping")])


def test_no_more_fields_than_asterisk_takes() -> None:
    with pytest.raises(LocalError, match="128 fields"):
        encode_request(1, [("Variable", "x=y")] * (MOST_FIELDS + 1))
    encode_request(1, [("Variable", "x=y")] * MOST_FIELDS)


@EXAMPLES
@given(st.data())
def test_a_recorded_frame_that_was_damaged_is_read_alike_by_both_ways_or_refused(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            del raw[at : at + data.draw(st.integers(1, 30))]
        if not raw:
            return
    try:
        frame = decode_frame(bytes(raw))
    except RemoteError:
        frame = None
    try:
        seen, damaged = glance(bytes(raw))
    except RemoteError:
        return
    if frame is not None:
        known = FrameType(seen.type) if seen.type in list(FrameType) else FrameType.UNKNOWN
        assert (frame.type, frame.server_id, frame.damaged) == (known, seen.server_id, damaged)
        assert seen.data.event in ("", *frame.all("Event"))
