"""The telephone of an app on a real call."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from daemon.callapps import asking, listening
from daemon.callapps.activity import Activity
from daemon.callapps.contract import (
    Answer,
    AppCall,
    Collected,
    Collecting,
    CommandFailedError,
    Heard,
    Listening,
    Prompt,
    Reached,
    Understanding,
)
from daemon.callapps.ear import Ear
from daemon.callapps.line import Line
from daemon.callapps.listening import Patience
from daemon.callapps.person import Person
from daemon.callapps.prompts import Prompts
from daemon.callapps.voice import Voice
from daemon.callapps.waiting import Waiting
from daemon.calls.call import AppState, Call, Leg
from daemon.calls.control import Certainty, Outcome
from daemon.calls.events import Direction
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance

log = structlog.get_logger(__name__)


class LiveCall(AppCall):
    """``leg`` and ``call`` are as they stood when the app began. ``mark`` is left on the leg while Parley leads it.

    ``recogniser`` is the vendor of the speech-to-text that it begins, ``""`` where something else does. ``person`` is
    whoever is at a destination, to be rung from a line. ``variables`` are of whoever placed the call. ``activity`` is
    told what the app does with it.
    """

    def __init__(
        self,
        call: Call,
        leg: Leg,
        line: Line,
        *,
        ear: Ear,
        voice: Voice,
        transcripts: Transcripts,
        understand: Understanding,
        patience: Patience,
        recogniser: str,
        mark: str,
        person: Callable[[str, Line], Person],
        hold_music: str,
        variables: Mapping[str, str],
        activity: Activity,
    ) -> None:
        self.outcome = ""
        self.scratch: dict[str, Any] = {}
        self._call_id = call.call_id
        self._caller, self._did, self._code = leg.caller, call.did, leg.code
        self._line = line
        self._ear = ear
        self._activity = activity
        self._prompts = Prompts(line, ear, voice, activity)
        self._transcripts = transcripts
        self._understand = understand
        self._patience = patience
        self._recogniser = recogniser
        self._recognising = False
        self._mark = mark
        self._person = person
        self._hold_music = hold_music
        self._variables = variables
        self._other_number = leg.callee if leg.direction is Direction.OUTBOUND else leg.caller

    # What it is told

    @property
    def call_id(self) -> str:
        call = self._line.call
        return call.call_id if call is not None else self._call_id

    @property
    def caller(self) -> str:
        return self._caller

    @property
    def callee(self) -> str:
        leg = self._line.leg
        return leg.callee if leg is not None else self._did

    @property
    def did(self) -> str:
        return self._did

    @property
    def code(self) -> str:
        return self._code

    @property
    def variables(self) -> Mapping[str, str]:
        return self._variables

    @property
    def machine(self) -> bool:
        leg = self._line.leg
        return leg is not None and leg.machine

    @property
    def is_there(self) -> bool:
        return self._line.is_alive

    @property
    def transcript(self) -> Sequence[Utterance]:
        return self._transcripts.finals(self.call_id)

    # Speaking and listening

    async def answer(self) -> None:
        leg = self._line.leg
        if leg is None or leg.answered_at is None:
            await self._line.send("answer", lambda: self._line.control.answer(self._line.leg_id))
        self._activity.begin()
        await self._recognise()

    async def say(self, text: str | AsyncIterable[str], *, interruptible: bool = True) -> Prompt:
        return await self._prompts.say(text, interruptible=interruptible)

    async def play(self, path: str, *, words: str = "", interruptible: bool = True) -> Prompt:
        return await self._prompts.play(path, words=words, interruptible=interruptible)

    async def listen(
        self,
        prompt: str = "",
        *,
        interruptible: bool = True,
        no_input: float | None = None,
        end_silence: float | None = None,
        too_long: float | None = None,
    ) -> Heard:
        said = await self.say(prompt, interruptible=interruptible) if prompt else None
        usual = self._patience
        patience = Patience(
            no_input=usual.no_input if no_input is None else no_input,
            end_silence=usual.end_silence if end_silence is None else end_silence,
            too_long=usual.too_long if too_long is None else too_long,
            between_digits=usual.between_digits,
        )
        with self._activity.of(AppState.LISTENING):
            heard = await listening.listen(self._ear, patience)
        await self._still_there(nothing=heard.ended is Listening.NO_INPUT)
        return msgspec.structs.replace(heard, prompt=said)

    async def collect(
        self,
        prompt: str = "",
        *,
        count: int | None = None,
        terminator: str = "#",
        interruptible: bool = True,
        no_input: float | None = None,
        between: float | None = None,
    ) -> Collected:
        said = await self.say(prompt, interruptible=interruptible) if prompt else None
        with self._activity.of(AppState.LISTENING):
            collected = await listening.collect(
                self._ear,
                count=count,
                terminator=terminator,
                no_input=self._patience.no_input if no_input is None else no_input,
                between=self._patience.between_digits if between is None else between,
            )
        await self._still_there(nothing=collected.ended is Collecting.NO_INPUT)
        return Collected(collected.ended, collected.digits, said)

    async def ask(
        self,
        prompt: str,
        choices: Sequence[str],
        *,
        again: Sequence[str] = (),
        confirm: str = "{choice}, 맞으신가요?",
        tries: int = 3,
        interruptible: bool = True,
    ) -> Answer:
        return await asking.ask(
            lambda words: self.listen(words, interruptible=interruptible),
            self._understand,
            (prompt, *again),
            choices,
            confirm=confirm,
            tries=tries,
        )

    # The rest of the telephone

    async def send_dtmf(self, digits: str) -> None:
        await self._line.send("send_dtmf", lambda: self._line.control.send_dtmf(self._line.leg_id, digits))

    async def record(self, path: str) -> None:
        await self._line.record(path)

    async def hold(self, on: bool = True) -> None:
        await self._line.hold(on)
        self._activity.hold(on)

    async def bridge(self, leg_id: str) -> None:
        await self._hand_on("bridge", lambda line: line.control.bridge(line.leg_id, leg_id))

    async def transfer(self, destination: str) -> None:
        await self._hand_on("transfer", lambda line: line.control.transfer(line.leg_id, destination))

    async def put_through(
        self, destination: str, *, words: str = "", announcement: str = "", ring_time: float = 30.0
    ) -> Reached:
        await self._line.stay()
        with self._activity.of(AppState.HOLDING):
            return await self._put_through(destination, words, announcement, ring_time)

    async def hang_up(self, text: str = "") -> None:
        line = self._line
        if not line.is_ours:
            return
        if text:
            await self.say(text, interruptible=False)
        await self.stop_recognising()
        await line.end_recording()
        with line.handing_on():
            await line.send("hang_up", lambda: line.control.hang_up(line.leg_id))

    # For whoever leads the app

    async def take(self) -> None:
        """Leave the mark by which a later process knows that the call was led by an app that is lost."""
        await self._line.send("mark", lambda: self._line.control.mark(self._line.leg_id, self._mark))

    async def interject(self, text: str) -> None:
        """Say what a person wants said; see :meth:`daemon.callapps.prompts.Prompts.interject`."""
        await self._prompts.interject(text)

    async def stop_recognising(self) -> None:
        """Take the recogniser off the leg, before it hangs up or goes elsewhere."""
        if not self._recognising:
            return
        self._recognising = False
        line = self._line
        outcome = await line.attempt(lambda: line.control.stop_recogniser(line.leg_id, self._recogniser))
        if not outcome.ok:
            log.warning("recogniser_not_stopped", leg_id=line.leg_id, vendor=self._recogniser)

    async def _recognise(self) -> None:
        if not self._recogniser or self._recognising:
            return
        line = self._line
        self._recognising = True
        try:
            await line.send("start_recogniser", lambda: line.control.start_recogniser(line.leg_id, self._recogniser))
        except CommandFailedError as error:
            self._recognising = error.certainty is Certainty.UNKNOWN
            raise

    async def _put_through(self, destination: str, words: str, announcement: str, ring_time: float) -> Reached:
        person = self._person(destination, self._line)
        waiting = Waiting(self._line, self._prompts, words=words, music=self._hold_music)
        try:
            reached = await person.ring(caller=self._other_number, ring_time=ring_time)
            if reached is Reached.JOINED:
                await person.tell(announcement)
            await waiting.end()
            if reached is not Reached.JOINED:
                return reached
            return await self._join(person)
        except CommandFailedError:
            await waiting.end()
            raise
        finally:
            person.close()
            self._ear.neglect()
            await waiting.drop()

    async def _join(self, person: Person) -> Reached:
        """Let the caller and a person who answered hear each other, unless the person is gone."""
        if not person.is_there:
            return Reached.REFUSED
        try:
            await self._hand_on("transfer", lambda line: line.control.bridge(line.leg_id, person.leg_id))
        except CommandFailedError:
            there = await self._line.control.exists(person.leg_id)
            if there.ok or there.certainty is not Certainty.ANSWERED:
                raise
            return Reached.REFUSED
        person.joined()
        return Reached.JOINED

    async def _hand_on(self, name: str, command: Callable[[Line], Awaitable[Outcome]]) -> None:
        line, was_recognising = self._line, self._recognising
        await self.stop_recognising()
        await line.send("mark", lambda: line.control.mark(line.leg_id, ""))
        await line.unhold()
        try:
            with line.handing_on():
                await line.send(name, lambda: command(line))
        except CommandFailedError:
            await self.take()
            if was_recognising:
                await self._recognise()
            raise

    async def _still_there(self, *, nothing: bool) -> None:
        """A caller of whom nothing is heard may have vanished without a word: ask the switch, which tells if so."""
        if nothing and self._line.is_alive:
            self._line.later(self._line.control.exists(self._line.leg_id))
