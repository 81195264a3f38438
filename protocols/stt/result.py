"""What a speech-to-text vendor heard, in one shape for all of them."""

from __future__ import annotations

import msgspec


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
