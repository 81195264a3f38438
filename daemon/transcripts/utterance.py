"""One speaker's stretch of speech, from its first interim hypothesis to its final text."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Speaker(StrEnum):
    """Who speaks: the person who called, the person who was called, or a program through the switch."""

    CALLER = "caller"
    CALLEE = "callee"
    APP = "app"


class Utterance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An utterance as it stands now. Interims of one stretch share the ``utterance_id`` of the final that ends it.

    ``seq`` counts the finals of a call from 1 and is 0 for an interim. A final never changes. ``start`` and ``end``
    are seconds of the leg's recogniser audio, ``None`` where the vendor gives none. ``said_at`` is Unix time in
    seconds when the stretch began: a dialogue stands in order of (``said_at``, ``seq``). ``confidence`` is 0.0 to
    1.0. ``vendor`` names the recogniser, or ``speak`` and ``playback`` for what a program said.
    """

    call_id: str
    utterance_id: str
    seq: int
    leg_id: str
    speaker: Speaker
    text: str
    start: float | None
    end: float | None
    said_at: float
    final: bool
    confidence: float | None
    vendor: str


class SpeechNoticed(msgspec.Struct, frozen=True, gc=False):
    """Published when a recogniser noticed that somebody began to speak on a leg, before it has any words."""

    call_id: str
    leg_id: str


class TranscriptsRekeyed(msgspec.Struct, frozen=True, gc=False):
    """Published when a call turned out to be stored under another id: every watcher must start afresh.

    ``epoch`` is the new one; ``old_call_id`` no longer exists and its utterances live on under ``call_id``.
    """

    epoch: str
    old_call_id: str
    call_id: str


class TranscriptRecalled(msgspec.Struct, frozen=True, gc=False):
    """Published when a call that an earlier process followed is followed again: its stored finals are in memory now.

    Whoever watches it may have been told less, or nothing, and must be told the whole.
    """

    call_id: str
