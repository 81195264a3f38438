"""The watchers of the benchmarks count what a server sends, however it is cut."""

from tests.bench.websocket_reader import FrameCount
from web.live_frames import event_frame, text_frame

UTTERANCE = event_frame("utterance", b'{"text":"' + "금요일".encode() + b'"}')
LONG_UTTERANCE = event_frame("utterance", b'{"text":"' + b"x" * 70_000 + b'"}')
CALL = event_frame("call", b'{"call_id":"01998000-0000-7000-8000-000000000000"}')
PING = text_frame(b"2")
COMPRESSED = b"\xc1\x20" + b"z" * 32


def test_utterances_are_counted_and_nothing_else() -> None:
    frames = FrameCount()

    assert frames.feed(UTTERANCE + CALL + PING + LONG_UTTERANCE + COMPRESSED + PING) == 3
    assert frames.pings == 2
    assert frames.rest == b""


def test_however_the_stream_is_cut() -> None:
    stream = UTTERANCE + PING + CALL + UTTERANCE + COMPRESSED
    for cut in range(len(stream) + 1):
        frames = FrameCount()
        assert frames.feed(stream[:cut]) + frames.feed(stream[cut:]) == 3
        assert frames.pings == 1


def test_byte_by_byte() -> None:
    frames = FrameCount()
    stream = UTTERANCE + LONG_UTTERANCE + PING

    assert sum(frames.feed(stream[index : index + 1]) for index in range(len(UTTERANCE))) == 1
    assert sum(frames.feed(stream[start : start + 999]) for start in range(len(UTTERANCE), len(stream), 999)) == 1
    assert frames.pings == 1
