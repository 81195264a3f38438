"""The room as a whole: takes the calls that are ours as they are parked, and lets an app lead each of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import structlog

from daemon.callapps.activity import Activity
from daemon.callapps.asking import exactly
from daemon.callapps.clock import Clock, LoopClock
from daemon.callapps.contract import Understanding
from daemon.callapps.definition import App, Definition, define
from daemon.callapps.ear import Ear
from daemon.callapps.ending import Ending
from daemon.callapps.fallback import Fallback
from daemon.callapps.line import Line
from daemon.callapps.listening import Patience
from daemon.callapps.live_call import LiveCall
from daemon.callapps.marks import LeftMark, Marks, Stage
from daemon.callapps.person import Person
from daemon.callapps.placements import Placements
from daemon.callapps.record import Record
from daemon.callapps.rendering import Rendering
from daemon.callapps.routing import Routes
from daemon.callapps.run import Limits, Run
from daemon.callapps.voice import RecordedVoice, RenderedVoice, SwitchVoice, Voice
from daemon.calls.call import Call, CallChanged, CallForgotten, DigitHeard, Leg, LegState
from daemon.calls.control import CallControl
from daemon.calls.events import Direction
from daemon.calls.registry import LegKey, Registry
from daemon.config import CallAppConfig, CallAppsConfig
from daemon.hub import Hub
from daemon.plugins import place_of
from daemon.secrets import Secrets
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Speaker, SpeechNoticed, Utterance

log = structlog.get_logger(__name__)

_END_PATIENCE: Final = 1.0


class CallApps:
    """``controls`` act on the legs of each switch, by its origin and name; ``supplies`` are what apps may ask for.

    ``instance`` is asked at the beginning for what tells this Parley from others, over its restarts. ``understand``
    says what words mean among choices, ``clock`` how long callers are silent, ``defined`` what app a table of the
    configuration means; ``placements`` are the legs that are placed for apps. The ``secrets`` of apps are the process's
    where none are given. Raises :class:`~daemon.plugins.PluginError` where an app cannot be loaded, or needs something
    that is not there.
    """

    def __init__(
        self,
        config: CallAppsConfig,
        supplies: Mapping[type, object],
        *,
        controls: Mapping[tuple[str, str], CallControl],
        hub: Hub,
        registry: Registry,
        transcripts: Transcripts,
        instance: Callable[[], str],
        understand: Understanding = exactly,
        placements: Placements | None = None,
        secrets: Secrets | None = None,
        clock: Clock | None = None,
        defined: Callable[[CallAppConfig], Definition] = define,
    ) -> None:
        used = [app for app in config.app if app.use]
        self.definitions = {app.name: defined(app) for app in used}
        self._routes = Routes(used, config.default)
        self._config = config
        self._controls = controls
        self._hub = hub
        self._registry = registry
        self._transcripts = transcripts
        self._instance = instance
        self._understand = understand
        self._placements = Placements() if placements is None else placements
        self._clock = clock or LoopClock()
        self._rendering = Rendering(config.rendering) if config.rendering.command else None
        self._fallback = Fallback(config.fallback, config.recogniser)
        self._patience = Patience(config.no_input, config.end_silence, config.too_long, config.between_digits)
        self._supplies = supplies
        self._secrets = secrets
        self._apps: dict[str, App] = {name: one.bind(supplies, secrets) for name, one in self.definitions.items()}
        self._runs: dict[str, Run] = {}  # by leg id
        self._served: set[str] = set()
        """Legs that this process has led: their mark is its own."""
        self._tasks: dict[asyncio.Task[None], Run] = {}
        self._leading = 0
        self.endings: Counter[tuple[str, Ending]] = Counter()
        """How often calls of an app came to which end, by the app's name."""
        self._marks: Marks | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._refusing = False
        self._untap: list[Callable[[], None]] = []

    @property
    def live(self) -> Sequence[Run]:
        """The calls that have an app, or get the fall-back, at this moment."""
        return list(self._tasks.values())

    @property
    def is_full(self) -> bool:
        """Whether no further call can be led. Those that are placed have their place already."""
        return self._refusing or self._leading + len(self._placements) >= self._config.at_once

    @property
    def marks(self) -> Marks:
        """The marks of this Parley, once it has begun."""
        assert self._marks is not None, "the room has not begun"  # noqa: S101
        return self._marks

    def run_of(self, call: Call) -> Run | None:
        """The app of that call, or the fall-back that its caller gets; ``None`` where it has none."""
        return next((run for leg in call.legs if (run := self._runs.get(leg.leg_id)) is not None), None)

    def control_of(self, call: Call) -> CallControl | None:
        """What acts on its legs; ``None`` where nothing of ours can."""
        return self._controls.get((call.origin, call.server))

    def begin(self) -> None:
        """Take calls from now on; called before any is known."""
        if not self.definitions:
            return
        self._marks = Marks(self._instance())
        if self._rendering is not None:
            self._rendering.open()
        self._untap = [
            self._hub.tap((CallChanged,), self._changed),
            self._hub.tap((CallForgotten,), self._forgotten),
            self._hub.tap((Utterance,), self._heard),
            self._hub.tap((SpeechNoticed,), self._noticed),
            self._hub.tap((DigitHeard,), self._pressed),
        ]

    def renew(self, definition: Definition) -> None:
        """Let calls from the next one on be led by this app, in place of the one of its name; those under way go on.

        Raises :class:`~daemon.plugins.PluginError` where it needs something that is not there. Then nothing changes.
        """
        app = definition.bind(self._supplies, self._secrets)
        self.definitions[definition.config.name] = definition
        self._apps[definition.config.name] = app

    def refuse(self) -> None:
        """Take no more calls: those that are parked for us from now on get the fall-back."""
        self._refusing = True

    async def close(self, grace: float) -> None:
        """Let apps go on for ``grace`` seconds, then end them. Returns when their callers have got the fall-back."""
        self.refuse()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=grace)
        for run in self._tasks.values():
            run.stop()
        try:
            while self._tasks:
                await asyncio.wait(list(self._tasks))
        finally:
            for untap in self._untap:
                untap()
            left = [*self._tasks, *self._ending]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=_END_PATIENCE)
            if self._rendering is not None:
                await self._rendering.close()

    # What happens on calls

    def _changed(self, changed: CallChanged) -> None:
        call = changed.call
        for leg in call.legs:
            run = self._runs.get(leg.leg_id)
            if run is not None and run.see(leg):
                del self._runs[leg.leg_id]
            if leg.leg_id not in self._runs:
                self._look_at(call, leg)

    def _look_at(self, call: Call, leg: Leg) -> None:
        """A leg that no app leads: whether it is ours to take."""
        if leg.state is LegState.ENDED or leg.peer_id or self._placements.is_claimed(leg.leg_id):
            return
        left = self.marks.read(leg.mark) if leg.mark and leg.leg_id not in self._served else None
        if left is not None and left.stage is Stage.LED:
            # Something may be said to it, or have been said: then the switch does not call it parked.
            self._take(call, leg, left.app, Ending.LOST)
        elif leg.parked and (placed := self._placements.take(leg.leg_id)) is not None:
            self._take(call, leg, placed.app, Ending.REFUSED if self._refusing else None, placed.variables)
        elif left is not None:
            self._find_left(call, leg, left)
        elif leg.parked and not leg.code and (app := self._placements.led_before(leg.leg_id)):
            # The app was about to send it on, and had taken the mark away.
            self._take(call, leg, app, Ending.LOST)
        elif leg.parked and (name := self._name_of(call, leg)):
            self._take(call, leg, name, Ending.REFUSED if self.is_full else None)

    def _find_left(self, call: Call, leg: Leg, left: LeftMark) -> None:
        """An earlier process has placed a leg, and nobody waits for it now."""
        if leg.direction is not Direction.OUTBOUND:  # a loopback's other side carries the mark too
            return
        if left.stage is Stage.PLACED and leg.parked:
            self._take(call, leg, left.app, Ending.LOST)
        elif left.stage is Stage.JOINING:
            self._hang_up(call, leg)

    def _hang_up(self, call: Call, leg: Leg) -> None:
        """A person who was rung for a caller that is gone or gets the fall-back."""
        control = self._controls.get((call.origin, call.server))
        if control is not None:
            self._placements.claim(leg.leg_id)
            line = Line((call.origin, call.server, leg.leg_id), control, self._registry)
            task = asyncio.get_running_loop().create_task(self._fallback.hang_up(line))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _name_of(self, call: Call, leg: Leg) -> str:
        """The app that the parked leg is for, ``""`` where it is not ours."""
        # Only the leg that the call began with was dialled from outside; of others, a code says that they are ours.
        dialled = leg.direction is Direction.INBOUND and leg.leg_id == call.other_id
        return self._routes.app_of(leg.code, call.did) if dialled else self._routes.app_of_code(leg.code)

    def _take(
        self,
        call: Call,
        leg: Leg,
        name: str,
        instead: Ending | None,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        key: LegKey = (call.origin, call.server, leg.leg_id)
        control = self._controls.get(key[:2])
        if control is None:
            return
        self._served.add(leg.leg_id)
        self._placements.withdraw(leg.leg_id)
        line, ear = Line(key, control, self._registry), Ear(self._config.barge_in_after, self._clock)
        record = Record(self._registry, key, is_ours=lambda: self._runs.get(key[2], run) is run)
        voice, activity = self.voice(control), Activity(record.tell_state)
        live = LiveCall(
            call,
            leg,
            line,
            ear=ear,
            voice=voice,
            transcripts=self._transcripts,
            understand=self._understand,
            patience=self._patience,
            recogniser=self._config.recogniser,
            mark=self.marks.of(name),
            person=lambda destination, line: self._person(name, destination, line),
            hold_music=self._config.hold_music,
            variables=variables,
            activity=activity,
        )
        run = Run(
            name,
            line,
            ear,
            voice,
            self._fallback,
            lead=(self._apps[name], live) if instead is None else None,
            instead=instead or Ending.REFUSED,
            activity=activity,
            limits=self._limits(name),
            was_parked=leg.parked,
            record=record,
        )
        self._runs[leg.leg_id] = run
        self._leading += instead is None
        task = asyncio.get_running_loop().create_task(run.serve())
        self._tasks[task] = run
        task.add_done_callback(self._done)

    def _person(self, app: str, destination: str, line: Line) -> Person:
        return Person(
            destination,
            line,
            self.voice(line.control),
            registry=self._registry,
            placements=self._placements,
            mark=self.marks.of(app, Stage.JOINING),
        )

    def voice(self, control: CallControl) -> Voice:
        """What says texts to the legs that ``control`` acts on."""
        voice: Voice = SwitchVoice(control)
        if self._rendering is not None:
            speaks = self._config.rendering.otherwise == "speak"
            voice = RenderedVoice(control, self._rendering, voice if speaks else None)
        return RecordedVoice(control, self._config.recordings, voice) if self._config.recordings else voice

    def _limits(self, name: str) -> Limits:
        definition = self.definitions.get(name)
        deadline = definition.config.deadline if definition is not None else 0.0
        return Limits(deadline, self._config.cleanup, self._config.vanished_after)

    def _done(self, task: asyncio.Task[None]) -> None:
        run = self._tasks.pop(task)
        self._leading -= run.has_app
        if run.ending is not None and run.name in self.definitions:
            self.endings[run.name, run.ending] += 1
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callapp_not_served", app=run.name, error=type(error).__name__, at=place_of(error))

    def _forgotten(self, forgotten: CallForgotten) -> None:
        for leg in forgotten.call.legs:
            self._served.discard(leg.leg_id)
            self._placements.forget(leg.leg_id)

    # What is heard on them

    def _heard(self, utterance: Utterance) -> None:
        run = self._runs.get(utterance.leg_id)
        call = self._registry.get(utterance.call_id) if run is not None else None
        if run is not None and call is not None:
            person = Speaker.CALLER if utterance.leg_id == call.other_id else Speaker.CALLEE
            if utterance.speaker is person:
                run.ear.hear(utterance)

    def _noticed(self, noticed: SpeechNoticed) -> None:
        run = self._runs.get(noticed.leg_id)
        if run is not None:
            run.ear.notice()

    def _pressed(self, heard: DigitHeard) -> None:
        run = self._runs.get(heard.leg_id)
        if run is not None:
            run.ear.press(heard.digit)
