"""What a speech-to-text vendor heard, in one shape for all of them."""

from __future__ import annotations

from typing import Union

import msgspec

from protocols.errors import ProtocolError


class RecognitionResult(msgspec.Struct, frozen=True, gc=False):
    """One hypothesis of a recogniser for one stretch of speech.

    ``start`` and ``end`` are seconds of the audio this recogniser was fed, from its own zero; ``None`` where the
    vendor gives none. ``channel`` is 0 for the leg the recogniser listens on and 1 for the leg's other side (stereo
    bugs only). ``confidence`` is 0.0 to 1.0. ``text`` has no leading or trailing white space and may be empty: a
    vendor may say that it heard nothing.
    """

    text: str
    final: bool
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    channel: int = 0


class RecogniserError(msgspec.Struct, frozen=True, gc=False):
    """The recogniser said it is in trouble. ``message`` is the vendor's own text, without any of the speech."""

    message: str
    restart: bool = False
    """True where the vendor ended the stream at its own time limit and a new start continues it."""
    goes_on: bool = False
    """True where the recogniser still listens: some of the audio was lost and nothing else."""


Recognised = Union[RecognitionResult, RecogniserError]
"""What one event of a recogniser can say. One event may say several things, or nothing that concerns us."""


class UnreadableResultError(ProtocolError):
    """A recogniser's event cannot be read. The link is fine: count it and go on.

    The message names the vendor and the kind of mistake. It never holds the body or any part of it, since the body is
    what somebody said; nor does the exception carry another one that does.
    """

    def __init__(self, vendor: str, mistake: str) -> None:
        super().__init__(f"{vendor}: {mistake}")
        self.vendor = vendor
        self.mistake = mistake
