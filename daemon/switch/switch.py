"""One FreeSWITCH: two links to it, its calls followed, its legs acted on.

On every connect: subscribe; hold what arrives; ask for a snapshot over the command link and tell it; tell what was
held; say that the link is ready and how long nothing was known; then end what is gone. The holding has a bound in time
and in number: when the command link is not up or the switch is slow, events go on without the snapshot, which is told
when it comes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from daemon.calls.control import CallControl
from daemon.calls.events import CallEvent
from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.registry import Registry
from daemon.config import SpeechConfig, SwitchConfig
from daemon.health import Condition, Part
from daemon.hub import Hub
from daemon.switch.clock import SwitchClock
from daemon.switch.command_link import CommandLink
from daemon.switch.control import SwitchControl
from daemon.switch.dialling import Dialling
from daemon.switch.event_link import EventLink
from daemon.switch.keeper import keep_up
from daemon.switch.link import Link
from daemon.switch.reconcile import Recall, Reconciler
from daemon.switch.snapshot import SnapshotFailedError
from daemon.switch.status import Status
from daemon.switch.translate import Translator
from protocols.esl.connection import Connection
from protocols.esl.events import EslEvent

log = structlog.get_logger(__name__)

_LONGEST_HOLD = 5.0
"""Seconds that events may wait for the snapshot, a slow database's share included."""

_SNAPSHOT_RETRY = 1.0


class Switch:
    """Follows the switch of ``config`` and tells ``apply`` what happens to its calls.

    ``registry`` is only asked. ``recall`` is awaited, for a bounded time, with the leg ids of a snapshot before it is
    applied. ``heard_before`` is when an earlier process last heard of the switch; since then nothing is known of it.
    ``clock`` gives Unix seconds.
    """

    def __init__(
        self,
        config: SwitchConfig,
        password: str,
        *,
        apply: Callable[[CallEvent], None],
        registry: Registry,
        hub: Hub,
        speech: SpeechConfig,
        recall: Recall,
        heard_before: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._password = password
        self._clock = clock
        self._event_link: Link | None = None
        self._heard_before = heard_before
        self._unreadable_before = 0
        self._status = Status(config.name, hub, clock, last_heard=lambda: self.last_heard)
        self._commands = CommandLink(reply_timeout=config.command_timeout)
        self._translator = Translator(
            config.name,
            apply,
            clock=SwitchClock(config.name, clock),
            brain_sample_rate=speech.brain_sample_rate,
            words_of=self._commands.words_of,
        )
        self._events = EventLink(config.name, self._translator, self._commands, on_heartbeat=self._status.refresh)
        self._reconciler = Reconciler(config.name, self._commands, self._translator.legs, registry, recall)
        self.control: CallControl = SwitchControl(
            self._commands,
            engine=config.speak_engine,
            voice=config.speak_voice,
            dialling=Dialling(config.dial),
            margin=config.command_timeout,
            recognisers={recogniser.vendor: recogniser for recogniser in speech.recogniser},
            on_denied=self._reconciler.doubt,
            on_stop=self._translator.broken_off,
        )

    @property
    def status(self) -> LinkStatus:
        """The state of the link ``switch:<name>`` as it is now."""
        return self._status.now

    def condition(self) -> Part:
        """For :class:`~daemon.health.Health`: a switch that is away leaves Parley degraded, never down."""
        status = self._status.now
        ready = status.state is LinkState.READY and not status.detail
        return Part(
            Condition.OK if ready else Condition.DEGRADED,
            status.detail or status.state.value,
            {
                "doubles": self._translator.doubles.dropped,
                "unreadable_results": self._translator.speech.unreadable,
                "legless_results": self._translator.speech.legless,
                "unreadable_events": self._unreadable_before
                + (link.broken_events if (link := self._event_link) else 0),
                "failed_events": self._events.failures,
            },
        )

    async def run(self) -> None:
        """Follow the switch until cancelled, through every outage."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_up(self._config, self._make_event_link, self._follow, self._events_away))
                group.create_task(keep_up(self._config, self._make_command_link, self._command, self._commands_away))
        finally:
            self._reconciler.close()
            self._status.become(LinkState.STOPPED)

    # The command link

    def _make_command_link(self) -> Link:
        return Link(
            self._session(),
            f"{self._status.now.link} commands",
            on_event=_ignore,
            on_answer=self._commands.answered,
            on_lost=self._commands.lose,
        )

    async def _command(self, link: Link) -> None:
        self._commands.attach(link)
        self._status.commands_are("")
        loop = asyncio.get_running_loop()
        rest = self._config.silence_timeout / 3
        try:
            while True:
                # It is silent while nobody asks, so somebody must, for silence to mean that the switch is gone.
                await asyncio.sleep(rest)
                if loop.time() - link.heard_at >= rest:
                    await self._commands.api("uptime")
        finally:
            self._commands.detach()

    def _commands_away(self, state: LinkState, why: str) -> None:
        self._status.commands_are(why)

    # The event link

    def _make_event_link(self) -> Link:
        return Link(
            self._session(),
            f"{self._status.now.link} events",
            on_event=self._events.take,
            on_answer=self._events.answered,
            on_lost=self._events.lose,
        )

    async def _follow(self, link: Link) -> None:
        learning: asyncio.Task[None] | None = None
        try:
            await self._events.subscribe(link, within=self._config.connect_timeout)
            self._event_link = link
            self._commands.events_up()
            gap = None if self._heard_before is None else max(0.0, self._clock() - self._heard_before)
            learning = asyncio.create_task(self._learn())
            await asyncio.wait({learning}, timeout=_LONGEST_HOLD)
            self._events.release()
            self._status.become(LinkState.READY, gap=gap)
            await learning
            await self._stay_true()
        finally:
            if learning is not None:
                learning.cancel()
                await asyncio.wait({learning})
            self._commands.events_lost()
            # What was held did happen.
            self._events.release()
            self._heard_before = self.last_heard
            self._unreadable_before += link.broken_events
            self._event_link = None

    async def _learn(self) -> None:
        """Take a snapshot, as soon as the command link allows it."""
        while True:
            await self._commands.up.wait()
            try:
                return await self._reconciler.snapshot()
            except SnapshotFailedError as error:
                log.warning("switch_snapshot_failed", switch=self._config.name, error=str(error))
            await asyncio.sleep(_SNAPSHOT_RETRY)

    async def _stay_true(self) -> None:
        """End what is gone, and compare again and again for as long as the link lives."""
        check = self._reconciler.settle
        while True:
            try:
                await check()
            except SnapshotFailedError as error:
                log.warning("switch_not_compared", switch=self._config.name, error=str(error))
            await asyncio.sleep(self._config.reconcile_interval)
            check = self._reconciler.compare

    def _events_away(self, state: LinkState, why: str) -> None:
        self._status.become(state, why)

    @property
    def last_heard(self) -> float | None:
        """When the switch was last heard of over the event link, in Unix seconds."""
        if self._event_link is None:
            return self._heard_before
        return self._clock() - (asyncio.get_running_loop().time() - self._event_link.heard_at)

    def _session(self) -> Connection:
        return Connection(self._password, max_body=self._config.max_frame)


def _ignore(event: EslEvent) -> None:
    """The command link asks for no events."""
