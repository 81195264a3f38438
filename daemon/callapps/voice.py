"""Speech out: what makes a caller hear a text. The switch's own synthesis, a program's, and recordings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from daemon.callapps.rendering import Rendering, RenderingFailedError
from daemon.calls.control import CallControl, Certainty, Outcome

_LONGEST: Final = 300
"""Characters that are said in one go; a longer text is cut after a sentence, else between words."""
_SENTENCE: Final = re.compile(r".+?(?:[.?!。…]+(?=\s|$)|$)\s*", re.DOTALL)


class Voice(Protocol):
    """Says texts, each one line and not empty, to legs of one switch."""

    def prepare(self, text: str) -> asyncio.Task[None] | None:
        """Begin what must be done before ``text`` can be heard: a task to wait for, not to cancel; ``None``: nothing.

        It need not be called, and what goes wrong is told by :meth:`utter`.
        """

    async def utter(self, leg_id: str, text: str) -> Outcome:
        """Say ``text``; returns when it was said, was stopped, or the leg ended."""


class SwitchVoice(Voice):
    """The engine and voice that the switch is configured with."""

    def __init__(self, control: CallControl) -> None:
        self._control = control

    def prepare(self, text: str) -> asyncio.Task[None] | None:
        return None

    async def utter(self, leg_id: str, text: str) -> Outcome:
        return await self._control.speak(leg_id, text)


class RenderedVoice(Voice):
    """Plays the sound files of ``rendering``. ``other`` says what cannot be rendered or played; ``None``: nobody."""

    def __init__(self, control: CallControl, rendering: Rendering, other: Voice | None) -> None:
        self._control = control
        self._rendering = rendering
        self._other = other

    def prepare(self, text: str) -> asyncio.Task[None] | None:
        return self._rendering.prepare(text)

    async def utter(self, leg_id: str, text: str) -> Outcome:
        try:
            async with self._rendering.sound(text) as path:
                outcome = await self._control.play(leg_id, path, words=text)
        except RenderingFailedError as error:
            outcome = Outcome(Certainty.ANSWERED, False, str(error))
        refused = outcome.certainty is Certainty.ANSWERED and not outcome.ok
        return await self._other.utter(leg_id, text) if refused and self._other is not None else outcome


class RecordedVoice(Voice):
    """Plays the recording of a text where there is one: ``recordings`` are paths by text. ``other`` says the rest."""

    def __init__(self, control: CallControl, recordings: Mapping[str, str], other: Voice) -> None:
        self._control = control
        self._recordings = {one_line(text): path for text, path in recordings.items()}
        self._other = other

    def prepare(self, text: str) -> asyncio.Task[None] | None:
        return None if text in self._recordings else self._other.prepare(text)

    async def utter(self, leg_id: str, text: str) -> Outcome:
        path = self._recordings.get(text)
        if path is None:
            return await self._other.utter(leg_id, text)
        return await self._control.play(leg_id, path, words=text)


def one_line(text: str) -> str:
    """``text`` without line breaks, control characters and double blanks, as it can be said."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def pieces(text: str) -> Iterator[str]:
    """``text`` in the pieces in which it is said, each one line and not empty."""
    text = one_line(text)
    if len(text) <= _LONGEST:
        if text:
            yield text
        return
    piece = ""
    for sentence in _SENTENCE.findall(text):
        for part in _parts(sentence.strip()):
            if piece and len(piece) + 1 + len(part) > _LONGEST:
                yield piece
                piece = part
            else:
                piece = f"{piece} {part}".strip()
    if piece:
        yield piece


def _parts(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST:
        cut = sentence.rfind(" ", 1, _LONGEST + 1)
        cut = cut if cut > 0 else _LONGEST
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence
