"""The events of recognisers as call events.

A result that comes after its leg hung up still belongs to the call. A body that cannot be read costs that result and
nothing else: it is counted, and neither it nor any part of it is logged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog

from daemon.calls.events import (
    CallEvent,
    RecogniserFailed,
    RecogniserStarted,
    RecogniserStopped,
    SpeechBegan,
    SpeechRecognised,
)
from daemon.switch.legs import ORIGIN, Legs
from protocols.esl.events import EslEvent
from protocols.stt import detected_speech, vendors
from protocols.stt.result import RecogniserError, UnreadableResultError

log = structlog.get_logger(__name__)

_SUBCLASSES = frozenset(vendors.SUBCLASSES)
_LOG_EVERY = 100

_RECOGNISER = re.compile("transcri|stt|asr|speech|recog", re.IGNORECASE)
"""Names of media bugs that surely feed a recogniser. Most others record, eavesdrop, wait for tones."""


class Speech:
    """Tells ``emit`` what the recognisers of ``legs`` hear.

    ``brain_sample_rate`` is what ``brain_stt`` counts as a second. ``unreadable`` counts the results that could not be
    read, ``legless`` those that name no leg.
    """

    def __init__(self, legs: Legs, emit: Callable[[CallEvent], None], *, brain_sample_rate: int) -> None:
        self.unreadable = 0
        self.legless = 0
        self._legs = legs
        self._emit = emit
        self._brain_sample_rate = brain_sample_rate

    def recognised(self, event: EslEvent) -> None:
        """``CUSTOM``: a vendor's result or trouble, or a subclass that is not ours."""
        if event.subclass not in _SUBCLASSES:
            return
        try:
            heard = vendors.parse(event.subclass, event.body, brain_sample_rate=self._brain_sample_rate)
        except UnreadableResultError as error:
            self._count_unreadable(error)
            return
        if not self._names_leg(event):
            return
        legs, stream = self._legs, event.bug_name
        at = legs.at(event)
        vendor = vendors.vendor_of(event.subclass, event.vendor)
        for result in heard:
            if isinstance(result, RecogniserError):
                self._emit(RecogniserFailed(**legs.of(event), error=result, vendor=vendor, stream=stream))
                continue
            # Written out, not by of(): this line is run for everything that anybody says.
            self._emit(
                SpeechRecognised(
                    origin=ORIGIN,
                    server=legs.server,
                    leg_id=event.unique_id,
                    at=at,
                    result=result,
                    vendor=vendor,
                    stream=stream,
                )
            )

    def detected(self, event: EslEvent) -> None:
        """``DETECTED_SPEECH``: the switch's own recogniser interface."""
        kind = event.speech_type
        result = detected_speech.read(kind, event.body)
        if result is None and kind not in (detected_speech.BEGIN_SPEAKING, detected_speech.CLOSED):
            return
        if not self._names_leg(event):
            return
        of, stream, vendor = self._legs.of(event), event.bug_name, detected_speech.VENDOR
        if result is not None:
            self._emit(SpeechRecognised(**of, result=result, vendor=vendor, stream=stream))
        elif kind == detected_speech.BEGIN_SPEAKING:
            self._emit(SpeechBegan(**of, stream=stream))
        else:
            self._emit(RecogniserStopped(**of, vendor=vendor, stream=stream))

    def media_bug_started(self, event: EslEvent) -> None:
        """``MEDIA_BUG_START``: of a recogniser's bug, the zero of the times in its results.

        Whoever starts a recogniser may give its bug any name, so every bug's start is told. Some modules do not name
        the bug in their results: for those it is told without a name too, where the name is a recogniser's.
        """
        name = event.bug_name or event.bug_function
        if not name or not self._legs.is_live(event):
            return
        of = self._legs.of(event)
        self._emit(RecogniserStarted(**of, stream=name))
        if _RECOGNISER.search(event.bug_function):
            self._emit(RecogniserStarted(**of))

    def _names_leg(self, event: EslEvent) -> bool:
        # Asking whether it is live tells of a leg whose beginning was missed.
        if self._legs.is_live(event) or event.unique_id:
            return True
        self.legless += 1
        return False

    def _count_unreadable(self, error: UnreadableResultError) -> None:
        self.unreadable += 1
        if self.unreadable % _LOG_EVERY == 1:
            log.warning(
                "recognition_unreadable",
                switch=self._legs.server,
                vendor=error.vendor,
                mistake=error.mistake,
                count=self.unreadable,
            )
