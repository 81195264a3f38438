"""A recorded session of an event socket, read from its file, and the legs that were up at each point of it."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from urllib.parse import unquote

from daemon.demo.channel_list import COLUMNS, Row
from daemon.demo.core import local_stamp
from daemon.demo.event import Event, Format, Headers
from protocols.esl.parser import Frame, FrameParser

OPENERS = {".gz": gzip.decompress, ".xz": lzma.decompress}
CHANNEL_DATA = (
    *("Channel-", "Unique-ID", "Call-Direction", "Presence-", "Answer-State", "Hangup-Cause"),
    *("Caller-", "Other-", "code", "variable_"),
)
"""How the names of a channel's own data begin, among all headers of an event."""
CODEC = (("codec", "Name"), ("rate", "Rate"), ("bit_rate", "Bit-Rate"))


class RecordedEvent(Event):
    """An event frame of a recording. It leaves as it came, in the recorded format, whatever the client asked for."""

    __slots__ = ("_recorded",)

    def __init__(self, frame: Frame) -> None:
        headers, body = _json(frame.body) if frame.content_type == b"text/event-json" else _plain(frame.body)
        super().__init__(headers, body)
        self._recorded = frame.headers + b"\n\n" + frame.body

    @property
    def for_everybody(self) -> bool:
        """Every subscriber gets it: the recording holds what its client had asked for, and no more."""
        return True

    @property
    def at(self) -> float:
        """When it happened, Unix seconds of the recorded switch, 0 where it does not say."""
        return int(self.text("Event-Date-Timestamp") or 0) / 1_000_000

    @property
    def sequence(self) -> int:
        """Its ``Event-Sequence``."""
        return int(self.text("Event-Sequence") or 0)

    def frame(self, form: Format) -> bytes:
        """The recorded bytes."""
        return self._recorded


def load(path: Path) -> list[RecordedEvent]:
    """The event frames of a recording, in order; ``.gz`` and ``.xz`` are unpacked.

    Raises ``OSError`` when it cannot be read and ``ValueError`` when it holds no event.
    """
    packed = path.read_bytes()
    try:
        data = OPENERS.get(path.suffix, bytes)(packed)
    except (EOFError, lzma.LZMAError) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from error
    frames = FrameParser(max_headers=len(data) + 1, max_body=len(data) + 1).feed(data)
    events = [RecordedEvent(frame) for frame in frames if frame.content_type.startswith(b"text/event-")]
    if not events:
        raise ValueError(f"{path} holds no event of an event socket")
    return events


def _json(text: bytes) -> tuple[Headers, str | None]:
    pairs: Headers = json.loads(text.decode("utf-8", "surrogateescape"), object_pairs_hook=list)
    if pairs and pairs[-1][0] == "_body":
        return pairs[:-1], str(pairs[-1][1])
    return pairs, None


def _plain(text: bytes) -> tuple[Headers, str | None]:
    head, _, body = text.partition(b"\n\n")
    headers: Headers = []
    for line in head.decode("utf-8", "surrogateescape").split("\n"):
        name, _, value = line.partition(": ")
        plain = unquote(value, errors="surrogateescape")
        array = plain.removeprefix("ARRAY::").split("|:") if plain.startswith("ARRAY::") else None
        headers.append((name, array or plain))
    return headers, body.decode("utf-8", "surrogateescape") if body else None


class RecordedLegs:
    """The legs that are up, as far as a recording has been played.

    A switch knows of a leg from its CHANNEL_CREATE on, which is the first event that has its variables.
    """

    def __init__(self) -> None:
        self._data: dict[str, Headers] = {}
        self._variables: dict[str, Headers] = {}
        self._ended: set[str] = set()

    def __contains__(self, leg_id: object) -> bool:
        return leg_id in self._variables

    def __len__(self) -> int:
        return len(self._variables)

    def take(self, event: Event) -> None:
        """The next event of the recording was sent. Nothing brings a leg back that was hung up."""
        leg_id = event.text("Unique-ID")
        if not leg_id or leg_id in self._ended:
            return
        if event.name in ("CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"):
            self._ended.add(leg_id)
            self._data.pop(leg_id, None)
            self._variables.pop(leg_id, None)
            return
        own = [(name, value) for name, value in event.headers if name.startswith(CHANNEL_DATA)]
        self._data[leg_id] = [(name, value) for name, value in own if not name.startswith("variable_")]
        variables = [(name, value) for name, value in own if name.startswith("variable_")]
        if variables:
            self._variables[leg_id] = variables

    def data(self, leg_id: str) -> Headers:
        """What ``uuid_dump`` prints of a leg, after what every event begins with."""
        return [*self._data[leg_id], *self._variables.get(leg_id, [])]

    def variable(self, leg_id: str, name: str) -> str:
        """What ``uuid_getvar`` prints."""
        return Event(self._variables.get(leg_id, [])).text(f"variable_{name}") or "_undef_"

    def rows(self) -> list[Row]:
        """The rows of ``show channels``."""
        return [self._row(leg_id) for leg_id in self._variables]

    def _row(self, leg_id: str) -> Row:
        event = Event(self.data(leg_id))
        text = event.text
        created = int(text("Caller-Channel-Created-Time") or 0) / 1_000_000
        first = text("variable_sip_to_user") or text("Caller-RDNIS") or text("Caller-Destination-Number")
        codec = {
            f"{way}_{what}": text(f"Channel-{way}-Codec-{name}") for way in ("read", "write") for what, name in CODEC
        }
        known = {
            "uuid": leg_id,
            "direction": text("Call-Direction"),
            "created": local_stamp(created),
            "created_epoch": str(int(created)),
            "name": text("Channel-Name"),
            "state": text("Channel-State"),
            "cid_name": text("Caller-Caller-ID-Name"),
            "cid_num": text("Caller-Caller-ID-Number"),
            "ip_addr": text("Caller-Network-Addr"),
            "dest": text("Caller-Destination-Number"),
            "application": text("variable_current_application"),
            "application_data": text("variable_current_application_data"),
            "dialplan": text("Caller-Dialplan"),
            "context": text("Caller-Context"),
            **codec,
            "callstate": text("Channel-Call-State"),
            "callee_name": text("Caller-Callee-ID-Name"),
            "callee_num": text("Caller-Callee-ID-Number"),
            "call_uuid": text("Channel-Call-UUID"),
            "sent_callee_name": text("variable_last_sent_callee_id_name"),
            "sent_callee_num": text("variable_last_sent_callee_id_number"),
            "initial_cid_name": text("Caller-Orig-Caller-ID-Name"),
            "initial_cid_num": text("Caller-Orig-Caller-ID-Number"),
            "initial_ip_addr": text("Caller-Network-Addr"),
            "initial_dest": first,
            "initial_dialplan": text("Caller-Dialplan"),
            "initial_context": text("Caller-Context"),
        }
        return {column: known.get(column, "") for column in COLUMNS}
