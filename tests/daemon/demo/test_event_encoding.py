"""What the simulator's encoder makes of a recorded event is the recorded bytes."""

from __future__ import annotations

import json

import pytest

from daemon.demo.event import Event, Headers
from tests.daemon.demo.plain_client import WireFrame, is_event, split
from tests.wire import recordings

WITH_EVENTS = [name for name in recordings.esl() if b"text/event-" in recordings.read(name)]

NOT_REVERSIBLE = {"X-Percent-Upper-Hex": "50%25 %41 %EA"}
"""What the JSON recording gives for it: the plain one no longer says that the percent signs were literal."""


def taken_apart(frame: WireFrame) -> Event:
    """The event of a recorded frame."""
    headers: Headers = [(name, NOT_REVERSIBLE.get(name, value)) for name, value in frame.pairs]
    if frame.kind == "text/event-json":
        headers = json.loads(frame.body.decode("utf-8", "surrogateescape"), object_pairs_hook=list)
    body = None
    if headers[-1][0] == "_body":
        body = str(headers.pop()[1])
        assert headers.pop() == ("Content-Length", str(len(body.encode("utf-8", "surrogateescape"))))
    return Event([(name, value) for name, value in headers], body)


@pytest.mark.parametrize("name", WITH_EVENTS)
def test_every_recorded_event_is_encoded_to_its_own_bytes(name: str) -> None:
    frames = [frame for frame in split(recordings.read(name)) if is_event(frame)]
    assert frames
    for frame in frames:
        encoded = taken_apart(frame).frame("json" if frame.kind == "text/event-json" else "plain")
        assert encoded == frame.head + b"\n\n" + frame.body


def test_json_and_plain_of_one_event_say_the_same() -> None:
    invalid = b"a\xff\xfeb".decode("utf-8", "surrogateescape")
    event = Event(
        [
            ("Event-Name", "CUSTOM"),
            ("code", "one"),
            ("code", "two"),
            ("Caller-Caller-ID-Name", '홍 "길동"\n100% + &'),
            ("variable_DP_MATCH", ["0700", "0700"]),
            ("X-Invalid", invalid),
            ("Empty", ""),
        ],
        '{"text":"\\n금요일"}\n\nContent-Length: 5\n',
    )
    plain, json_form = (split(event.frame(form))[0] for form in ("plain", "json"))
    assert plain.pairs == json_form.pairs
    assert ("Empty", "") not in plain.pairs
    assert dict(plain.pairs)["X-Invalid"] == invalid
    assert b"a\xff\xfeb" in json_form.body
    assert b"a%FF%FEb" in plain.body
