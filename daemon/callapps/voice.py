"""Speech out: what makes a caller hear a text. The switch's own synthesis, and recordings of texts that are known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from daemon.calls.control import CallControl, Outcome

_LONGEST: Final = 300
"""Characters that are said in one go; a longer text is cut after a sentence, else between words."""
_SENTENCE: Final = re.compile(r".+?(?:[.?!。…]+(?=\s|$)|$)\s*", re.DOTALL)


class Voice(Protocol):
    """Says texts to legs of one switch."""

    async def utter(self, leg_id: str, text: str) -> Outcome:
        """Say ``text``, which is one line and not empty; returns when it was said, was stopped, or the leg ended."""


class SwitchVoice(Voice):
    """The engine and voice that the switch is configured with."""

    def __init__(self, control: CallControl) -> None:
        self._control = control

    async def utter(self, leg_id: str, text: str) -> Outcome:
        return await self._control.speak(leg_id, text)


class RecordedVoice(Voice):
    """Plays the recording of a text where there is one: ``recordings`` are paths by text. ``other`` says the rest."""

    def __init__(self, control: CallControl, recordings: Mapping[str, str], other: Voice) -> None:
        self._control = control
        self._recordings = {one_line(text): path for text, path in recordings.items()}
        self._other = other

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
