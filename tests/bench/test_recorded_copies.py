"""The benchmarks' copies of the recorded event are what the switch would have sent."""

import json
from collections import Counter
from urllib.parse import quote, unquote_to_bytes

import msgspec

from protocols.esl.events import decode_event
from protocols.esl.parser import FrameParser
from protocols.stt.result import RecognitionResult
from protocols.stt.vendors import parse
from tests.bench.recorded import SAFE, RecordedEvent
from tests.wire import recordings


def test_copies_differ_where_they_should_and_nowhere_else() -> None:
    recorded = RecordedEvent(calls=7)
    [original] = FrameParser().feed(
        b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(recorded.json) + recorded.json
    )
    first = decode_event(original)
    sequences = set()
    calls: Counter[str] = Counter()
    for number, frame in enumerate(FrameParser().feed(b"".join(recorded.frames(50)))):
        event = decode_event(frame)
        [result] = parse(event.subclass, event.body)
        assert isinstance(result, RecognitionResult)
        assert (result.text, result.final) == ("금요일", True)
        assert result.start == (number // 7) * 2.0
        assert len(event.body.encode()) == int(json.loads(frame.body)["Content-Length"])
        sequences.add(event.sequence)
        calls[event.unique_id] += 1
        assert event.call_uuid == event.unique_id
        assert (
            msgspec.structs.replace(
                event, unique_id=first.unique_id, call_uuid=first.call_uuid, sequence=first.sequence, body=first.body
            )
            == first
        )

    assert len(sequences) == 50
    assert set(calls) == set(recorded.call_ids)
    assert max(calls.values()) - min(calls.values()) <= 1


def test_the_plain_form_says_the_same() -> None:
    recorded = RecordedEvent(calls=3)
    as_json = FrameParser().feed(b"".join(recorded.frames(9)))
    as_plain = FrameParser().feed(b"".join(recorded.frames(9, "plain")))

    assert [decode_event(frame) for frame in as_plain] == [decode_event(frame) for frame in as_json]


def test_values_are_encoded_as_the_switch_encodes_them() -> None:
    """Each value of the recorded plain events, decoded and encoded again, is what was recorded."""
    checked = 0
    for frame in FrameParser().feed(recordings.read("01_plain_full_call.esl")):
        if frame.content_type != b"text/event-plain":
            continue
        for line in frame.body.partition(b"\n\n")[0].split(b"\n"):
            value = line.partition(b": ")[2]
            if b"%25" in value:
                continue  # a value with a percent sign of its own cannot be told from an encoded one
            assert quote(unquote_to_bytes(value), safe=SAFE).encode() == value
            checked += 1
    assert checked > 1000


def test_channel_data_is_that_of_the_call() -> None:
    recorded = RecordedEvent(calls=2)
    data = json.loads(recorded.channel_data(recorded.call_ids[1]))

    assert data["Unique-ID"] == data["Channel-Call-UUID"] == recorded.call_ids[1]
    assert "_body" not in data
