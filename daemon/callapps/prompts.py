"""What an app says: spoken or played, broken off when the caller breaks in, made while it is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from daemon.callapps.activity import Activity
from daemon.callapps.contract import BargeIn, Prompt
from daemon.callapps.ear import Ear
from daemon.callapps.line import Line
from daemon.callapps.voice import Voice, pieces
from daemon.calls.call import AppState
from daemon.calls.control import Certainty, Outcome
from daemon.calls.pace import longest_speaking_time, speaking_time, split_at

_STOP_PATIENCE: Final = 2.0
"""Seconds in which what was stopped should be over. Some ends are never told."""
_CLOSE_PATIENCE: Final = 2.0
"""Seconds that an iterator of texts may take to close."""
_AHEAD: Final = 2
"""Texts that are made ahead of the one that is spoken."""


class Prompts:
    """Says texts and plays files on ``line``, one after another; ``activity`` is told while it does."""

    def __init__(self, line: Line, ear: Ear, voice: Voice, activity: Activity) -> None:
        self._line = line
        self._ear = ear
        self._voice = voice
        self._activity = activity
        self._turn = asyncio.Lock()
        self._wanted = 0
        """How many wait for their turn."""
        self._music: asyncio.Future[None] | None = None
        """Done when what is played now has to make room."""

    async def say(self, text: str | AsyncIterable[str], *, interruptible: bool) -> Prompt:
        """Say a text, or texts as they come; see :meth:`daemon.callapps.contract.AppCall.say`."""
        async with self._next_turn():
            armed = self._begin(interruptible)
            with self._speaking(interruptible):
                if isinstance(text, str):
                    return await self._say_pieces(list(pieces(text)), armed)
                return await self._say_stream(text, armed)

    async def play(self, path: str, *, words: str, interruptible: bool) -> Prompt:
        """Play a file; see :meth:`daemon.callapps.contract.AppCall.play`."""
        async with self._next_turn():
            armed = self._begin(interruptible)
            with self._speaking(interruptible):
                if self._ear.broken_by is not None:
                    return Prompt("", words, self._ear.broken_by)
                return await self._run(
                    "play", words, lambda: self._line.control.play(self._line.leg_id, path, words=words), armed
                )

    async def accompany(self, path: str) -> Outcome:
        """Play a file that is no prompt, until it is over or a prompt wants its turn. ``ok``: it may be played again.

        Whoever cancels this stops it.
        """
        async with self._turn:
            if self._wanted:
                return Outcome(Certainty.ANSWERED, True)
            loop, line = asyncio.get_running_loop(), self._line
            self._music = loop.create_future()
            play = line.attempt(lambda: line.control.play(line.leg_id, path))
            playing: asyncio.Future[Outcome] = loop.create_task(play)
            waiting: set[asyncio.Future[Any]] = {playing, self._music}
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if not self._music.done() and playing.result().certainty is not Certainty.UNKNOWN:
                    return playing.result()
                # The link may have been lost meanwhile: then it sounds still.
                stopped = await line.attempt(lambda: line.control.stop(line.leg_id))
                await asyncio.wait({playing}, timeout=_STOP_PATIENCE)
                return stopped
            finally:
                self._music = None
                playing.cancel()

    async def interject(self, text: str) -> None:
        """Say what a person wants said, after what is said now.

        The caller cannot break it off. What they say into it is heard as if nothing had been said, and an app that
        waits for them to begin waits that much longer.

        :raises CommandFailedError: where it could not be said.
        """
        clock = self._ear.clock.time
        async with self._next_turn():
            self._ear.excuse(clock() + speaking_time(text))
            try:
                with self._activity.of(AppState.SPEAKING):
                    await self._say_pieces(list(pieces(text)), None)
            finally:
                self._ear.excuse(clock())

    @asynccontextmanager
    async def _next_turn(self) -> AsyncIterator[None]:
        self._wanted += 1
        if self._music is not None and not self._music.done():
            self._music.set_result(None)
        try:
            await self._turn.acquire()
        finally:
            self._wanted -= 1
        try:
            yield
        finally:
            self._turn.release()

    def _begin(self, interruptible: bool) -> asyncio.Future[BargeIn] | None:
        if not interruptible:
            return None
        self._ear.attend()
        return self._ear.arm()

    @contextmanager
    def _speaking(self, interruptible: bool) -> Iterator[None]:
        try:
            with self._activity.of(AppState.SPEAKING):
                yield
        finally:
            if interruptible:
                self._ear.disarm()
            else:
                self._ear.neglect()

    async def _say_pieces(self, texts: list[str], armed: asyncio.Future[BargeIn] | None) -> Prompt:
        heard: list[str] = []
        for number, text in enumerate(texts):
            if number + 1 < len(texts):
                self._voice.prepare(texts[number + 1])
            said = await self._utter(text, armed)
            heard += [said.heard] if said.heard else []
            if said.by is not None:
                rest = [said.cut, *texts[number + 1 :]]
                return Prompt(" ".join(heard), " ".join(part for part in rest if part), said.by)
        return Prompt(" ".join(heard))

    async def _say_stream(self, texts: AsyncIterable[str], armed: asyncio.Future[BargeIn] | None) -> Prompt:
        heard: list[str] = []
        ahead = _Ahead(texts, self._voice)
        try:
            while (text := await self._next(ahead, armed)) is not None:
                said = await self._say_pieces(list(pieces(text)), armed)
                heard += [said.heard] if said.heard else []
                if said.by is not None:
                    return Prompt(" ".join(heard), said.cut, said.by)
            return Prompt(" ".join(heard), "", self._ear.broken_by if armed is not None else None)
        finally:
            await ahead.close()

    async def _next(self, ahead: _Ahead, armed: asyncio.Future[BargeIn] | None) -> str | None:
        """The next text; ``None`` after the last one, and when the caller breaks in while it is made."""
        making = asyncio.ensure_future(ahead.next())
        try:
            waiting: set[asyncio.Future[Any]] = {making} if armed is None else {making, armed}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if armed is not None and armed.done():
                return None
            return making.result()
        finally:
            if not making.done():
                making.cancel()

    async def _utter(self, text: str, armed: asyncio.Future[BargeIn] | None) -> Prompt:
        if armed is not None and self._ear.broken_by is not None:
            return Prompt("", text, self._ear.broken_by)
        if not await self._is_prepared(text, armed):
            return Prompt("", text, self._ear.broken_by)
        utter = lambda: self._voice.utter(self._line.leg_id, text)  # noqa: E731 - a command to be tried
        return await self._run("say", text, utter, armed, within=longest_speaking_time(text))

    async def _is_prepared(self, text: str, armed: asyncio.Future[BargeIn] | None) -> bool:
        """Wait until ``text`` can be heard; false where the caller breaks in meanwhile, and it never will be."""
        preparing = self._voice.prepare(text)
        if preparing is not None:
            waiting: set[asyncio.Future[Any]] = {preparing} if armed is None else {preparing, armed}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return armed is None or not armed.done()

    async def _run(
        self,
        name: str,
        text: str,
        command: Callable[[], Awaitable[Outcome]],
        armed: asyncio.Future[BargeIn] | None,
        *,
        within: float | None = None,
    ) -> Prompt:
        """Let a command sound until it is over, the caller breaks in, or its end must have been missed."""
        await self._line.stay()
        clock = self._ear.clock
        began = clock.time()
        sounding = asyncio.get_running_loop().create_task(self._sound(name, text, command))
        try:
            waiting: set[asyncio.Future[Any]] = {sounding} if armed is None else {sounding, armed}
            await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if sounding.done():
                sounding.result()
                return Prompt(text)
            lasted = clock.time() - began
            await self._line.control.stop(self._line.leg_id)
            await asyncio.wait({sounding}, timeout=_STOP_PATIENCE)
            by = self._ear.broken_by if armed is not None else None
            heard, cut = split_at(text, lasted) if by is not None else (text, "")
            return Prompt(heard, cut, by)
        finally:
            if not sounding.done():
                sounding.cancel()
                if self._line.is_ours:
                    self._line.later(self._line.control.stop(self._line.leg_id))

    async def _sound(self, name: str, text: str, command: Callable[[], Awaitable[Outcome]]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def attempt() -> Outcome:
            nonlocal began
            began = loop.time()
            outcome = await command()
            if outcome.certainty is Certainty.UNKNOWN:
                # The link was lost meanwhile. It sounds all the same, most likely.
                await asyncio.sleep(max(0.0, speaking_time(text) - (loop.time() - began)))
                return Outcome(Certainty.ANSWERED, True)
            return outcome

        await self._line.send(name, attempt)


class _Ahead:
    """Texts that are made by a task of their own, a few ahead of those that are taken."""

    def __init__(self, texts: AsyncIterable[str], voice: Voice) -> None:
        self._voice = voice
        self._texts = aiter(texts)
        self._made: asyncio.Queue[str] = asyncio.Queue(_AHEAD)
        self._making = asyncio.get_running_loop().create_task(self._make())

    async def next(self) -> str | None:
        """The next text, ``None`` after the last; raises what the iterator raised, once all it made was taken."""
        taking = asyncio.ensure_future(self._made.get())
        try:
            await asyncio.wait({taking, self._making}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                return taking.result()
        finally:
            taking.cancel()
        self._making.result()
        return None

    async def close(self) -> None:
        """Cancel what is being made, and close the iterator, for as long as that may take."""
        self._making.cancel()
        await asyncio.wait({self._making}, timeout=_CLOSE_PATIENCE)
        if self._making.done() and not self._making.cancelled():
            self._making.exception()  # of a text that nobody waits for any more

    async def _make(self) -> None:
        try:
            async for text in self._texts:
                for piece in pieces(text):
                    self._voice.prepare(piece)
                await self._made.put(text)
        finally:
            await _close(self._texts)


async def _close(texts: AsyncIterator[str]) -> None:
    close = getattr(texts, "aclose", None)
    if close is not None:
        await close()
