"""A :class:`Switch` at work, with everything it tells, and a way to wait for what it will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from daemon.calls.call import Call, CallChanged
from daemon.calls.events import CallEvent
from daemon.calls.links import LinkState, LinkStatus
from daemon.calls.registry import Registry
from daemon.config import SpeechConfig, SwitchConfig
from daemon.hub import Hub
from daemon.switch.legs import ORIGIN
from daemon.switch.switch import Switch
from daemon.transcripts.assembler import Transcripts
from daemon.transcripts.utterance import Utterance
from tests.daemon.switch.replay import LAST

E = TypeVar("E")

PASSWORD = "ClueCon"
_LONGEST = 30.0
"""Seconds after which what a test waits for is taken never to come."""


class Following:
    """Follows the switch on ``port``. ``options`` are keys of its configuration.

    ``events`` are the call events in the order they were applied, ``statuses`` what was published of the link.
    """

    def __init__(
        self,
        port: int,
        *,
        password: str = PASSWORD,
        recall: Callable[[str, str, Sequence[str]], Any] | None = None,
        clock: Callable[[], float] = time.time,
        speech: SpeechConfig | None = None,
        **options: Any,
    ) -> None:
        defaults: dict[str, Any] = {"reconnect_first": 0.01, "reconnect_cap": 0.05, "refused_retry": 0.05}
        self.config = SwitchConfig(port=port, **{**defaults, **options})
        self.events: list[CallEvent] = []
        self.statuses: list[LinkStatus] = []
        self.recalled: list[list[str]] = []
        self.hub = Hub()
        self.registry = Registry(self.hub, clock=clock, keep_ended=300.0)
        self.transcripts = Transcripts(self.hub, self.registry, epoch="test")
        self._changed = asyncio.Event()
        self._recall = recall
        self.hub.tap((LinkStatus,), self._publish)
        self.hub.tap((CallChanged, Utterance), lambda message: self._changed.set())
        self.switch = Switch(
            self.config,
            password,
            apply=self._apply,
            registry=self.registry,
            hub=self.hub,
            speech=speech or SpeechConfig(),
            recall=self._recalled,
            clock=clock,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self.switch.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()
            self._task = None

    def _apply(self, event: CallEvent) -> None:
        self.events.append(event)
        self.registry.apply(event)
        self.transcripts.apply(event)
        self._changed.set()

    def _publish(self, status: LinkStatus) -> None:
        self.statuses.append(status)
        self._changed.set()

    async def _recalled(self, origin: str, server: str, leg_ids: Sequence[str]) -> None:
        assert (origin, server) == (ORIGIN, "main")
        self.recalled.append(list(leg_ids))
        if self._recall is not None:
            await self._recall(origin, server, leg_ids)

    # What a test asks

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until ``condition`` holds; it is looked at after everything that is told."""
        async with asyncio.timeout(_LONGEST):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def ready(self, count: int = 1) -> LinkStatus:
        """Wait until the link has become ready for the ``count``-th time; that status."""
        await self.until(lambda: len(self.became(LinkState.READY)) >= count)
        return self.became(LinkState.READY)[count - 1]

    async def last_heard(self) -> None:
        """Wait until the last event of a replayed history was applied."""
        await self.until(lambda: self.registry.call_of(ORIGIN, "main", LAST))

    def became(self, state: LinkState) -> list[LinkStatus]:
        """The statuses with which the link came into ``state`` from another."""
        found, before = [], LinkState.CONNECTING
        for status in self.statuses:
            if status.state is state and before is not state:
                found.append(status)
            before = status.state
        return found

    def of(self, kind: type[E]) -> list[E]:
        """The call events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def call(self, leg_id: str) -> Call:
        call = self.registry.call_of(ORIGIN, "main", leg_id)
        assert call is not None, f"no call has the leg {leg_id}"
        return call

    def said(self, leg_id: str) -> list[str]:
        """The final texts of the call of a leg, in order of seq; none while the leg is not known."""
        call = self.registry.call_of(ORIGIN, "main", leg_id)
        return [utterance.text for utterance in self.transcripts.finals(call.call_id)] if call else []

    def state(self, leg_id: str) -> str:
        """The state of the call of a leg, ``""`` while the leg is not known."""
        call = self.registry.call_of(ORIGIN, "main", leg_id)
        return call.state if call else ""
