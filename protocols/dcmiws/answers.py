"""What the responses to our actions say."""

from __future__ import annotations

from typing import Union

import msgspec

from protocols.dcmiws.frames import Frame, FrameType


class Found(msgspec.Struct, frozen=True, gc=False):
    """The entry is there and holds ``value``."""

    value: str


class Missing(msgspec.Struct, frozen=True, gc=False):
    """There is no such entry."""


class Updated(msgspec.Struct, frozen=True, gc=False):
    """The entry was set."""


class Removed(msgspec.Struct, frozen=True, gc=False):
    """The entry was removed."""


class NotRemoved(msgspec.Struct, frozen=True, gc=False):
    """The entry could not be removed: mostly there was none."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The server did something else, or nothing: ``text`` is what it said."""

    text: str


DatabaseAnswer = Union[Found, Missing, Updated, Removed, NotRemoved, Refused]

_VALUE = "Value: "


def is_pong(frame: Frame) -> bool:
    """Whether the server answered a ping as one that is alive."""
    return frame.get("Response") == "Success" and frame.get("Ping") == "Pong"


def is_success(frame: Frame) -> bool:
    """Whether the server says it did, or will do, what was asked."""
    return frame.get("Response") in ("Success", "Follows")


def output_of(frame: Frame) -> list[str]:
    """The lines of a command's output, from new servers (one field each) and old ones (one text)."""
    output = frame.all("Output")
    if frame.type is FrameType.OUTPUT:
        output = [line for text in output for line in text.removesuffix("\n").split("\n")]
    return output


def database_answer(frame: Frame) -> DatabaseAnswer:
    """What a ``database`` command did, from its output."""
    lines = output_of(frame)
    said = "\n".join(lines).strip()
    bare = said.rstrip(".")
    if not is_success(frame) and bare != "Database entry not found":
        return Refused(said or frame.get("Message") or "no reason was given")
    if said.startswith(_VALUE):
        return Found(said.removeprefix(_VALUE))
    if said == _VALUE.strip():
        return Found("")
    answers: dict[str, DatabaseAnswer] = {
        "Database entry not found": Missing(),
        "Updated database successfully": Updated(),
        "Database entry removed": Removed(),
        "Database entry could not be removed": NotRemoved(),
    }
    return answers.get(bare) or Refused(said or "no output")
