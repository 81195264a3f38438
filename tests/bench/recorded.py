"""The recorded ``brain_stt`` event, copied as often as a measurement needs it, in both forms of the event socket.

It is the first such event of the recording ``06b_burst20_json``, with the whole channel data that a switch sends along.
A copy differs from it in the ids of its call (the recorded ``Unique-ID`` wherever it stands), in ``Event-Sequence`` and
in the body's ``start`` and ``end``. The recording has it as JSON; the plain form is that of the same headers, encoded
as the switch encodes them, for clients that read nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from tests.wire import recordings

RECORDING = "06b_burst20_json.esl"
FIRST_SEQUENCE = 1_000_000
SAMPLES_PER_UTTERANCE = 16_000

Form = Literal["json", "plain"]

_EVENT = re.compile(rb'Content-Length: (\d+)\nContent-Type: text/event-json\n\n\{"Event-Subclass":"brain_stt::')
# What switch_url_encode leaves as it is: the printable ASCII characters that are not in SWITCH_URL_UNSAFE.
SAFE = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"#%&+:;<=>?@[\\]^`{|}')
_CALL, _SEQUENCE, _LENGTH, _START, _END = (
    b"\x00call\x00",
    b"\x00sequence\x00",
    b"\x00length\x00",
    b"\x00s\x00",
    b"\x00e\x00",
)


class RecordedEvent:
    """The event, and its copies. ``call_ids`` are the ids that :meth:`frames` gives its calls, in order."""

    def __init__(self, calls: int = 100) -> None:
        stream = recordings.read(RECORDING)
        found = _EVENT.search(stream)
        if found is None:
            raise LookupError(f"no brain_stt event in {RECORDING}")
        begin = stream.index(b"{", found.start())
        self.json = stream[begin : begin + int(found[1])]
        self.headers: list[tuple[str, str | list[str]]] = json.loads(self.json, object_pairs_hook=list)
        self._body = dict(self.headers)["_body"]
        self._unique_id = str(dict(self.headers)["Unique-ID"])
        self.call_ids = [str(UUID(int=0xCA11_0000_4000_8000_0000_0000_0000 + number)) for number in range(calls)]

    @cached_property
    def plain(self) -> bytes:
        """The same event as a plain one: percent-encoded headers, a blank line, the raw body."""
        lines = [f"{name}: {quote(_one(value), safe=SAFE)}\n" for name, value in self.headers if name != "_body"]
        return "".join(lines).encode() + b"\n" + str(self._body).encode()

    def channel_data(self, call_id: str) -> bytes:
        """What ``uuid_dump … json`` prints of the event's channel, as the call ``call_id``."""
        headers = dict(self.headers)
        for name in ("Event-Subclass", "_body", "Content-Length"):
            del headers[name]
        headers["Event-Name"] = "CHANNEL_DATA"
        return json.dumps(headers, ensure_ascii=False).encode().replace(self._unique_id.encode(), call_id.encode())

    def frames(self, count: int, form: Form = "json", *, first: int = 0) -> Iterator[bytes]:
        """``count`` frames, the calls taking turns, counted from copy number ``first``."""
        pieces = self._pieces(form)
        head = b"Content-Length: %d\nContent-Type: text/event-" + form.encode() + b"\n\n"
        same = self._body_pieces()
        for number in range(first, first + count):
            turn, call = divmod(number, len(self.call_ids))
            start, end = str(turn * SAMPLES_PER_UTTERANCE), str((turn + 1) * SAMPLES_PER_UTTERANCE - 1)
            values = {
                _CALL: self.call_ids[call].encode(),
                _SEQUENCE: str(FIRST_SEQUENCE + number).encode(),
                _START: start.encode(),
                _END: end.encode(),
                _LENGTH: str(same + len(start) + len(end)).encode(),
            }
            body = b"".join([values.get(piece, piece) for piece in pieces])
            yield head % len(body) + body

    def _pieces(self, form: Form) -> list[bytes]:
        """The event cut where a copy differs."""
        raw = (self.json if form == "json" else self.plain).replace(self._unique_id.encode(), _CALL)
        sequence, length = (
            (rb'("Event-Sequence":")\d+', rb'("Content-Length":")\d+')
            if form == "json"
            else (rb"(\nEvent-Sequence: )\d+", rb"(\nContent-Length: )\d+")
        )
        raw = _replace_once(sequence, _SEQUENCE, raw)
        raw = _replace_once(length, _LENGTH, raw)
        raw = _replace_once(rb'(start\\?":)\d+', _START, raw)
        raw = _replace_once(rb'(end\\?":)\d+', _END, raw)
        return re.split(rb"(\x00\w+\x00)", raw)

    def _body_pieces(self) -> int:
        """How many bytes of the body are not the numbers of ``start`` and ``end``."""
        return len(re.sub(rb'(start|end)(":)\d+', rb"\1\2", str(self._body).encode()))


def _replace_once(pattern: bytes, by: bytes, raw: bytes) -> bytes:
    replaced, times = re.subn(pattern, lambda found: found[1] + by, raw)
    if times != 1:
        raise LookupError(f"{pattern!r} stands {times} times in the recorded event")
    return replaced


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "ARRAY::" + "|:".join(value)
