"""What is heard on one leg: kept while somebody wants it, and what of it breaks a prompt off.

Barge-in is decided as recognisers allow: a key breaks a prompt off at once, and so does a recogniser that notices
speech; an interim does when its stretch has lasted ``barge_in_after``; and a final does where nothing announced it,
since that is all there is of vendors that send finals only. A short sound that was announced is no barge-in, but it is
kept.
"""

from __future__ import annotations

import asyncio

from daemon.callapps.clock import Clock
from daemon.callapps.contract import BargeIn
from daemon.transcripts.utterance import Utterance


class _Stretch:
    """Speech whose final has not come: when its first interim came, and which second of the recogniser's that ended."""

    def __init__(self, began: float, first_end: float | None) -> None:
        self.began = began
        self.text = ""
        self._first_end = first_end

    def lasted(self, utterance: Utterance, now: float) -> float:
        """Seconds of it until ``utterance``, by the recogniser as far as it tells."""
        if utterance.end is not None and utterance.start is not None:
            return utterance.end - utterance.start
        if utterance.end is not None and self._first_end is not None:
            return max(utterance.end - self._first_end, now - self.began)
        return now - self.began


class Ear:
    """What is heard is timed by ``clock``; ``barge_in_after`` is in seconds of speech.

    ``texts`` are the finals, ``digits`` what was pressed, both since it began to attend. ``spoke_at`` is when the
    caller began to speak, ``heard_at`` when the last final or digit came; ``None`` where there is none.
    """

    def __init__(self, barge_in_after: float, clock: Clock) -> None:
        self.clock = clock
        self.texts: list[str] = []
        self.digits = ""
        self.spoke_at: float | None = None
        self.heard_at: float | None = None
        self.broken_by: BargeIn | None = None
        """What broke a prompt off since it began to attend."""
        self.excused_until = 0.0
        """The caller need not begin to answer before: somebody talks to them."""
        self._barge_in_after = barge_in_after
        self._attending = False
        self._open: dict[str, _Stretch] = {}  # by utterance id
        self._noticed = False
        self._changed = asyncio.Event()
        self._armed: asyncio.Future[BargeIn] | None = None

    # What the caller does

    def hear(self, utterance: Utterance) -> None:
        """An interim or a final of the caller's, or one whose text is empty: it came to nothing."""
        now = self.clock.time()
        opened = self._open.pop(utterance.utterance_id, None)
        stretch = opened or _Stretch(now, utterance.end)
        self._noticed = False
        if utterance.final or not utterance.text:
            if utterance.final and self._attending:
                self.texts.append(utterance.text)
                self.heard_at = now
        else:
            stretch.text = utterance.text
            self._open[utterance.utterance_id] = stretch
        if utterance.text:
            self.spoke_at = stretch.began if self.spoke_at is None else self.spoke_at
            unannounced = utterance.final and opened is None
            if unannounced or stretch.lasted(utterance, now) >= self._barge_in_after:
                self._break_off(BargeIn.SPEECH)
        self._changed.set()

    def notice(self) -> None:
        """The caller began to speak, and there are no words yet."""
        self._noticed = True
        if self.spoke_at is None:
            self.spoke_at = self.clock.time()
        self._break_off(BargeIn.SPEECH)
        self._changed.set()

    def press(self, digit: str) -> None:
        """The caller pressed a key."""
        if self._attending:
            self.digits += digit
            self.heard_at = self.clock.time()
        self._break_off(BargeIn.DIGITS)
        self._changed.set()

    @property
    def is_speaking(self) -> bool:
        """Whether the caller is in the middle of something."""
        return bool(self._open) or self._noticed

    @property
    def is_breaking_off(self) -> bool:
        """Whether the prompt that is said now is about to stop, since the caller broke in."""
        return self._armed is not None and self._armed.done()

    @property
    def hypotheses(self) -> list[str]:
        """What is being said, as far as it is understood."""
        return [stretch.text for stretch in self._open.values()]

    # What the app wants of it

    def attend(self) -> None:
        """Keep what is heard from now on, unless it does so already."""
        if not self._attending:
            self._clear()
            self._attending = True

    def neglect(self) -> None:
        """Forget what was heard: it was taken, or nobody wants it."""
        self._attending = False
        self._clear()

    def excuse(self, until: float) -> None:
        """Whoever waits for the caller counts their silence from ``until`` on, by the clock."""
        self.excused_until = until
        self._changed.set()

    def arm(self) -> asyncio.Future[BargeIn]:
        """What breaks the prompt off that is said now; :meth:`disarm` when it is over."""
        self._armed = asyncio.get_running_loop().create_future()
        return self._armed

    def disarm(self) -> None:
        """No prompt is said."""
        if self._armed is not None:
            self._armed.cancel()
        self._armed = None

    async def change(self, until: float) -> None:
        """Wait until something is heard, or until that time by the clock."""
        self._changed.clear()
        await self.clock.wait(self._changed, until)

    def _clear(self) -> None:
        self.texts.clear()
        self.digits = ""
        self.heard_at = self.broken_by = None
        self.spoke_at = None
        self._noticed = False

    def _break_off(self, by: BargeIn) -> None:
        if self._armed is not None and not self._armed.done():
            self.broken_by = by
            self._armed.set_result(by)
