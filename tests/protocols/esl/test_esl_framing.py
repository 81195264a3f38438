"""Frames: every recording in every cutting, and what is refused."""

from __future__ import annotations

import os
import random
import re
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest

from protocols.errors import LimitError, RemoteError
from protocols.esl.parser import Frame, FrameParser
from tests.protocols.esl.reference import read_frames
from tests.wire import recordings

PROVE = os.environ.get("PARLEY_PROVE") == "1"
RANDOM_CUTS = 1_000 if PROVE else 100
SHORT = [name for name in recordings.esl() if len(recordings.read(name)) < 20_000]
LONG = [name for name in recordings.esl() if name not in SHORT]

# Frames and events of each recording, counted with a program that shares nothing with the parser.
COUNTS = {
    "01_plain_full_call.esl": (96, 74),
    "02_json_full_call.esl": (96, 74),
    "04a_auth_fail.esl": (3, 0),
    "04b_no_auth_commands.esl": (8, 0),
    "04d_commands.esl": (80, 0),
    "04e_framing.esl": (33, 19),
    "04e_other.esl": (14, 0),
    "04g_filters.esl": (35, 14),
    "04g_other.esl": (41, 0),
    "04h_log.esl": (27, 6),
    "04i_auth_timeout.esl": (2, 0),
    "04j_json_bgapi.esl": (50, 34),
    "04k_bridge_code.esl": (91, 83),
    "04l_caller_hangs_up.esl": (32, 28),
    "04n_myevents_inbound.esl": (22, 12),
    "05a_outbound_async_full.esl": (34, 17),
    "05c_outbound_sync.esl": (16, 6),
    "06b_burst20_json.esl": (983, 860),
    "07a_shutdown_sigterm.esl": (129, 124),
    "07c_killed_SIGKILL.esl": (32, 28),
    "07d_acl_rude_rejection.esl": (2, 0),
}


def parse(pieces: Iterable[bytes]) -> list[Frame]:
    parser = FrameParser()
    frames = [frame for piece in pieces for frame in parser.feed(piece)]
    parser.close()
    return frames


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(places):
        yield data[start:place]
        start = place
    yield data[start:]


def test_every_recording_is_counted() -> None:
    assert list(COUNTS) == recordings.esl()


@pytest.mark.parametrize("name", recordings.esl())
def test_a_recording_in_one_piece_is_what_a_naive_reader_reads(name: str) -> None:
    data = recordings.read(name)
    frames = parse([data])
    naive = read_frames(data)
    assert [(frame.headers.split(b"\n"), frame.body) for frame in frames] == naive
    events = [frame for frame in frames if frame.content_type.startswith(b"text/event-")]
    assert (len(frames), len(events)) == COUNTS[name]
    assert len(events) == sum(frame.is_event for frame in naive)
    assert all(frame.content_type for frame in frames)


@pytest.mark.parametrize("name", recordings.esl())
def test_a_recording_byte_by_byte(name: str) -> None:
    data = recordings.read(name)
    assert parse(data[at : at + 1] for at in range(len(data))) == parse([data])


@pytest.mark.parametrize("name", SHORT)
def test_a_short_recording_cut_at_every_boundary(name: str) -> None:
    data = recordings.read(name)
    whole = parse([data])
    assert [place for place in range(len(data) + 1) if parse([data[:place], data[place:]]) != whole] == []


@pytest.mark.parametrize("name", LONG)
def test_a_long_recording_cut_at_random_places(name: str) -> None:
    data = recordings.read(name)
    whole = parse([data])
    places = random.Random(name).sample(range(len(data) + 1), RANDOM_CUTS)  # the same places in every run
    assert [place for place in places if parse([data[:place], data[place:]]) != whole] == []
    assert parse(cut(data, places)) == whole


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_buffer_can_be_fed_and_used_again(kind: type) -> None:
    data = bytearray(recordings.read("04e_framing.esl"))
    parser = FrameParser()
    frames = parser.feed(kind(data))
    before = [(frame.headers, frame.body) for frame in frames]
    data[:] = b"\0" * len(data)
    assert [(frame.headers, frame.body) for frame in frames] == before
    assert all(type(part) is bytes for frame in frames for part in (frame.headers, frame.body))


def test_header_order_is_free_and_names_are_matched_in_any_case() -> None:
    assert parse(
        [
            b"Content-Type: api/response\nContent-Length: 3\n\n+OK"
            b"content-length:2\nX-Other: y\nCONTENT-TYPE:text/event-json\n\n{}"
        ]
    ) == [
        Frame(b"Content-Type: api/response\nContent-Length: 3", b"+OK", b"api/response"),
        Frame(b"content-length:2\nX-Other: y\nCONTENT-TYPE:text/event-json", b"{}", b"text/event-json"),
    ]


def test_blank_lines_between_frames_are_tolerated() -> None:
    frame = b"Content-Type: api/response\nContent-Length: 1\n\nx"
    data = b"\n\r\n\n" + frame + b"\n\n\n" + frame + b"\r\n"
    assert parse([data]) == parse(bytes([byte]) for byte in data) == parse([frame, frame])


def test_a_length_counts_bytes() -> None:
    body = "금요일\n\n".encode()
    data = b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body)
    assert [frame.body for frame in parse([data + data])] == [body, body]


def test_a_line_in_a_body_or_a_value_is_no_header() -> None:
    body = b"\n\nContent-Length: 99\nContent-Type: text/event-json\n\n"
    data = b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body)
    assert [frame.body for frame in parse([data + data])] == [body, body]
    reply = b"Content-Type: command/reply\nReply-Text: +OK Content-Length: 5\n\n"
    assert [frame.body for frame in parse([reply])] == [b""]


def test_a_reply_that_ends_like_an_event_is_none() -> None:
    # A variable of several lines, asked for with `getvar`, can put any line into the header block.
    reply = b"Content-Type: command/reply\nReply-Text: x\r\nContent-Type: text/event-json\n\n"
    assert [frame.content_type for frame in parse([reply])] == [b"command/reply"]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (b"Content-Length: -1\nContent-Type: text/event-json", "b'-1'"),
        (b"Content-Length: +1\nContent-Type: text/event-json", "b'+1'"),
        (b"Content-Length: 1_0\nContent-Type: text/event-json", "b'1_0'"),
        (b"Content-Length: \nContent-Type: text/event-json", "b''"),
        (b"Content-Type: api/response\nContent-Length: 12 34", "b'12 34'"),
        (b"Content-Type: api/response\nContent-Length: 0x10", "b'0x10'"),
        (b"Content-Length: 1\nContent-Type: api/response\nContent-Length: 1", "twice"),
        (b"Content-Length: 1\ncontent-length: 2\nContent-Type: text/event-json", "twice"),
        (b"Content-Length: " + b"9" * 100_000 + b"\nContent-Type: text/event-json", "max_headers"),
        (b"Content-Length: " + b"9" * 5_000 + b"\nContent-Type: text/event-json", "b'99999"),
    ],
)
def test_a_length_that_cannot_be_believed_ends_the_stream(headers: bytes, says: str) -> None:
    parser = FrameParser()
    with pytest.raises(RemoteError, match=re.escape(says)) as first:
        parser.feed(headers + b"\n\nbody")
    with pytest.raises(RemoteError) as again:
        parser.feed(b"Content-Type: auth/request\n\n")
    assert again.value is first.value
    with pytest.raises(RemoteError):
        parser.close()


def test_frames_before_a_fault_are_not_lost_with_it() -> None:
    good, bad = b"Content-Type: auth/request\n\n", b"Content-Length: x\n\n"
    parser = FrameParser()
    assert len(parser.feed(good + good + bad + good)) == 2
    assert parser.broken
    with pytest.raises(RemoteError, match="b'x'"):
        parser.feed(b"")


def test_an_end_within_a_frame_is_told() -> None:
    data = b"Content-Type: api/response\nContent-Length: 3\n\n+OK"
    for place in range(1, len(data)):
        parser = FrameParser()
        assert parser.feed(data[:place]) == []
        with pytest.raises(RemoteError, match="within a frame"):
            parser.close()
    parser = FrameParser()
    assert len(parser.feed(data + b"\n\n")) == 1
    parser.close()


@pytest.mark.parametrize("piece", [1, 7, 1_000_000])
def test_limits_hold_at_the_byte_and_are_the_same_in_every_cutting(piece: int) -> None:
    def outcome(data: bytes) -> str:
        parser = FrameParser(max_headers=40, max_body=100)
        try:
            frames = [frame for at in range(0, len(data), piece) for frame in parser.feed(data[at : at + piece])]
            parser.close()
        except LimitError as error:
            return error.limit
        return str(len(frames))

    headers = b"Content-Type: api/response\nX: 2345678901"
    assert len(headers) == 40
    assert outcome(headers + b"\n\n") == "1"
    assert outcome(headers + b"2\n\n") == "max_headers"
    assert outcome(b"Content-Length: 100\n\n" + b"x" * 100) == "1"
    assert outcome(b"Content-Length: 101\n\n" + b"x" * 101) == "max_body"


@pytest.mark.parametrize(
    "endless",
    [b"x" * 65_536, b"x: y\n" * 13_000, b"\n" * 65_536, b"Content-Length: 16777217\n\n" + b"x" * 65_536],
    ids=["a line", "lines", "blank lines", "a body past the limit"],
)
def test_memory_stays_within_the_limits(endless: bytes) -> None:
    parser = FrameParser()
    tracemalloc.start()
    try:
        for _ in range(40):
            try:
                parser.feed(endless)
            except LimitError:
                continue
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 200_000


def test_an_announced_body_takes_memory_only_as_it_comes() -> None:
    parser = FrameParser()
    tracemalloc.start()
    try:
        parser.feed(b"Content-Length: 16777216\n\n")
        parser.feed(b"x" * 1_000)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 100_000
