"""Whatever arrives: no crash, no unbounded memory, the same in every cutting, and nothing that was not there."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LimitError, RefusedError, RemoteError
from protocols.esl.connection import BrokenEvent, Closed, Connection, Phase
from protocols.esl.events import EslEvent, decode_channel, decode_channels, decode_event
from protocols.esl.parser import Frame, FrameParser
from tests.protocols.esl.reference import read_frames
from tests.wire import recordings

PROVE = os.environ.get("PARLEY_PROVE") == "1"
EXAMPLES = settings(max_examples=10_000 if PROVE else 500)

MAX_HEADERS = 512
MAX_BODY = 8_192

ACCEPTED = b"Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n"
PIECES = [
    *[b"\n", b"\n\n", b"\r\n", b":", b" ", b"\0", b"Content-Length: ", b"Content-Type: ", b"-1", b"12", b"99999999999"],
    *[b"text/event-json", b"text/event-plain", b"command/reply", b"api/response", b"auth/request", b"log/data"],
    *[b"text/disconnect-notice", b"text/rude-rejection", b"Reply-Text: +OK", b"Event-Name: CUSTOM\n", b"%0A", b"\xff"],
    *[b'{"Event-Name":"CUSTOM"}', b'{"Event-Name":["CUSTOM"],"_body":"x"}', b"[", b"{", b'"', b'"_body":'],
    b"Content-Length: 23\nContent-Type: text/event-json\n\n",
    b"Content-Length: 19\nContent-Type: text/event-plain\n\n",
]
SOUP = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=40).map(b"".join)


RECORDED = [
    b"\n".join(frame.lines) + b"\n\n" + frame.body
    for name in recordings.esl()
    if not name.startswith("06b")
    for frame in read_frames(recordings.read(name))
]


@st.composite
def mutated_recordings(draw: st.DrawFn) -> bytes:
    """A few recorded frames, with a few bytes changed, dropped or put in."""
    stream = bytearray().join(draw(st.lists(st.sampled_from(RECORDED), min_size=1, max_size=6)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(stream)))
        stream[place : place + draw(st.integers(0, 3))] = draw(st.sampled_from(PIECES) | st.binary(max_size=4))
    return bytes(stream)


STREAMS = st.binary(max_size=400) | SOUP | mutated_recordings()
CUTS = st.lists(st.integers(0, 30_000) | st.integers(0, 500), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(place for place in cuts if place < len(data)), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def parse(data: bytes, cuts: list[int]) -> tuple[list[Frame], str]:
    """The frames and the words of the fault, of which there is at most one."""
    parser = FrameParser(max_headers=MAX_HEADERS, max_body=MAX_BODY)
    frames: list[Frame] = []
    try:
        for piece in pieces(data, cuts):
            frames += parser.feed(piece)
            assert parser.held <= MAX_HEADERS + 1 + MAX_BODY
        parser.close()
    except RemoteError as error:
        if isinstance(error, LimitError):
            assert parser.held == 0
        return frames, str(error)
    return frames, ""


@EXAMPLES
@given(STREAMS, CUTS)
def test_frames_are_what_stood_there_in_every_cutting(data: bytes, cuts: list[int]) -> None:
    frames, fault = parse(data, [])
    assert parse(data, cuts) == (frames, fault)
    at = 0
    for frame in frames:
        at += len(data[at:]) - len(data[at:].lstrip(b"\r\n"))
        whole = frame.headers + b"\n\n" + frame.body
        assert data[at : at + len(whole)] == whole
        at += len(whole)
    rest = data[at:].lstrip(b"\r\n")
    assert bool(rest) == bool(fault)


@EXAMPLES
@given(STREAMS, CUTS, st.booleans())
def test_a_session_survives_anything_and_invents_no_event(data: bytes, cuts: list[int], accepted: bool) -> None:
    if accepted:
        data = ACCEPTED + data
    connection = Connection("ClueCon", max_headers=MAX_HEADERS, max_body=MAX_BODY)
    notices = [notice for piece in pieces(data, cuts) for notice in connection.receive(piece)]
    notices += connection.receive_eof()
    assert connection.phase is Phase.CLOSED
    assert [notice for notice in notices if isinstance(notice, Closed)] == notices[-1:]
    assert connection.receive(data) == connection.receive_eof() == []
    there = [frame for frame in parse(data, [])[0] if frame.content_type in (b"text/event-json", b"text/event-plain")]
    told = [notice for notice in notices if isinstance(notice, EslEvent | BrokenEvent)]
    assert len(told) == len(there[: len(told)])
    for notice, frame in zip(told, there, strict=False):
        if isinstance(notice, EslEvent):
            assert notice == decode_event(frame)


@EXAMPLES
@given(STREAMS | st.text(max_size=200), st.sampled_from([b"text/event-json", b"text/event-plain", b"", b"x"]))
def test_bodies_are_read_or_are_the_switchs_fault(data: bytes | str, content_type: bytes) -> None:
    for decode in (decode_channel, decode_channels):
        with suppress(RemoteError, RefusedError):
            decode(data)
    if isinstance(data, bytes):
        with suppress(RemoteError):
            assert decode_event(Frame(b"", data, content_type)).name
