"""One call of an app, led by the same code as on a switch, by a caller who decides when time passes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

import msgspec

from daemon.callapps.contract import GivenUpError, Reached
from daemon.callapps.definition import Definition
from daemon.callapps.placements import Placement, Placements
from daemon.callapps.room import CallApps
from daemon.callapps.trial.clock import CallersClock
from daemon.callapps.trial.deed import ANYTHING, Deed, Kind, fits
from daemon.callapps.trial.text_switch import LEG, ORIGIN, SERVER, TextSwitch
from daemon.callapps.understanding import korean
from daemon.calls.call import Call
from daemon.calls.events import CallEvent
from daemon.calls.registry import Registry
from daemon.config import CallAppsConfig, RenderingConfig
from daemon.hub import Hub
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance

PATIENCE: Final = 10.0
_KEEP: Final = 300.0
_HALF: Final = 0.5
"""How much of what is left of a prompt is heard before the caller breaks in."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls, whom, with which code, and what whoever placed the call gave to the app."""

    number: str = "01000000000"
    did: str = "07000000000"
    code: str = ""
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)


class StuckError(Exception):
    """The app neither spoke, nor listened, nor ended, for longer than the trial waits."""


class NotNowError(Exception):
    """The caller cannot do that now. The text says why."""


class Trial:
    """``async with`` it: the call of ``definition``'s app. Its ``config`` is that of :class:`CallApps`, without apps.

    ``patience`` is how many real seconds the app may take until it speaks, listens or ends. Nothing else takes real
    time: prompts last, and silences are kept, by a clock of the trial's own. Raises
    :class:`~daemon.plugins.PluginError` where the app needs something that is not among ``supplies``.
    """

    def __init__(
        self,
        definition: Definition,
        caller: Caller,
        *,
        config: CallAppsConfig,
        supplies: Mapping[type, object],
        patience: float = PATIENCE,
    ) -> None:
        self.error: Exception | None = None
        """What the app raised."""
        self._caller = caller
        self._patience = patience
        self._deeds: deque[Deed] = deque()
        self._changed = asyncio.Event()
        self._clock = CallersClock(time.time(), self._changed.set)
        hub = Hub()
        self._registry = Registry(hub, clock=self._clock.time, keep_ended=_KEEP)
        self._transcripts = Transcripts(hub, self._registry, epoch="trial")
        self._switch = TextSwitch(self._clock, self._apply, self._tell)
        self._spoke = False
        """The caller did, and is silent until the app goes on."""
        name = definition.config.name
        placements = Placements()
        placements.expect(LEG, Placement(name, caller.variables))
        self._room = CallApps(
            _in_text(msgspec.structs.replace(config, app=[definition.config], default=name)),
            supplies,
            controls={(ORIGIN, SERVER): self._switch},
            hub=hub,
            registry=self._registry,
            transcripts=self._transcripts,
            instance=lambda: "trial",
            understand=korean,
            clock=self._clock,
            defined=lambda _: _watched(definition, self._failed),
            placements=placements,
        )

    async def __aenter__(self) -> Trial:
        self._room.begin()
        self._switch.ring(caller=self._caller.number, did=self._caller.did, code=self._caller.code)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._switch.is_over:
            self._switch.end()
        await self._room.close(0.0 if error is not None else self._patience)

    # What is to be seen of it

    @property
    def call(self) -> Call:
        """The call's record."""
        call = self._registry.call_of(ORIGIN, SERVER, LEG)
        assert call is not None, "it rings from the beginning"  # noqa: S101
        return call

    @property
    def transcript(self) -> list[Utterance]:
        """The dialogue so far."""
        return self._transcripts.finals(self.call.call_id)

    @property
    def is_over(self) -> bool:
        """Whether the caller hears nothing more of the app."""
        return self._switch.is_over and not self._deeds

    @property
    def is_sounding(self) -> bool:
        """Whether something is being said or played at this moment."""
        return self._switch.sounds_until is not None

    @property
    def rings(self) -> str | None:
        """Who is rung for the caller, as long as nothing has come of it."""
        return self._switch.rings

    async def next(self, *, goes_on: bool = False) -> Deed | None:
        """What the app does next, once what it says is heard to its end; ``None``: it waits for the caller, or the
        call is over.

        A caller who has said or pressed something is silent then, and the app's answer is awaited, unless they
        go on (``goes_on``) or a person is rung for them. Raises :class:`StuckError`.
        """
        while True:
            if self._deeds:
                self._spoke = False
                return self._deeds.popleft()
            if self._switch.is_over:
                return None
            if self._switch.sounds_until is not None:
                if not any(run.ear.is_breaking_off for run in self._room.live):
                    self._spoke = False
                    self._clock.pass_to(self._switch.sounds_until)
            elif (until := self._clock.next) is not None:
                if goes_on or not self._spoke or self.rings is not None:
                    return None
                self._spoke = False
                self._clock.pass_to(until)
            await self._change()

    async def outcome(self) -> str:
        """How it went, once the call is over and the app has ended."""
        await self._room.close(self._patience)
        return self.call.outcome

    # What the caller does. The app waits for it, or speaks and is interrupted.

    def say(self, text: str) -> None:
        """The caller says it; what sounds is heard to its half then."""
        self._begin_to_act()
        self._switch.hear(text)

    def press(self, digits: str) -> None:
        """The caller presses keys (``0-9*#A-D``)."""
        self._begin_to_act()
        for digit in digits:
            self._switch.press(digit)

    def keep_silent(self, seconds: float | None = None) -> None:
        """The caller says nothing for so long; ``None``: until the app waits no more for what it waits for.

        Raises :class:`NotNowError` where it does not wait.
        """
        until = self._clock.next
        if until is None or self.is_sounding:
            raise NotNowError("the app does not wait for the caller")
        over = self._clock.pass_to(until if seconds is None else self._clock.time() + seconds)
        self._spoke = self._spoke and not over

    def reach(self, reached: Reached, destination: str = ANYTHING) -> None:
        """That comes of ringing ``destination`` for the caller. Raises :class:`NotNowError` where it is not rung."""
        if self.rings is None:
            raise NotNowError("nobody is rung")
        if not fits(destination, self.rings):
            raise NotNowError(f"{destination} is not rung but {self.rings}")
        self._spoke = False  # nobody listened to it
        self._switch.reach(reached)

    def hang_up(self) -> None:
        """The caller hangs up."""
        if not self._switch.is_over:
            self._switch.end()

    def _begin_to_act(self) -> None:
        if self._switch.is_over:
            raise NotNowError("the call is over")
        now, until = self._clock.time(), self._switch.sounds_until
        if until is not None:
            self._clock.pass_to(now + (until - now) * _HALF)
        self._spoke = True

    # What happens

    def _apply(self, event: CallEvent) -> None:
        self._registry.apply(event)
        self._transcripts.apply(event)
        self._changed.set()

    def _tell(self, deed: Deed) -> None:
        self._deeds.append(deed)
        self._changed.set()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, GivenUpError):
            self._tell(Deed(Kind.GIVES_UP))
            return
        self.error = error
        self._tell(Deed(Kind.FAILS, type(error).__name__))

    async def _change(self) -> None:
        """Wait until anything changes that the caller could notice."""
        self._changed.clear()
        try:
            async with asyncio.timeout(self._patience):
                await self._changed.wait()
        except TimeoutError:
            problem = f"the app neither spoke, listened nor ended for {self._patience:g} seconds"
            raise StuckError(problem) from None


def _in_text(config: CallAppsConfig) -> CallAppsConfig:
    """Without what only sounds: rendered voices, and music for as long as a person is rung."""
    return msgspec.structs.replace(config, rendering=RenderingConfig(), hold_music="")


def _watched(definition: Definition, failed: Callable[[Exception], None]) -> Definition:
    """The same app, whose errors are told before anybody else sees them."""
    work = definition.plugin.function

    async def watched(*arguments: Any, **given: Any) -> None:
        try:
            await work(*arguments, **given)
        except Exception as error:
            failed(error)
            raise

    return msgspec.structs.replace(definition, plugin=msgspec.structs.replace(definition.plugin, function=watched))
