"""What arrives from a switch: subscribed to in one command, told on in order, held back while a snapshot is taken.

The subscription is narrow: of what a switch can send, most says nothing of calls. ``CHANNEL_STATE`` above all: one of
them comes before ``CHANNEL_CREATE`` and one after ``CHANNEL_DESTROY``.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Mapping

import structlog

from daemon.switch.command_link import CommandLink
from daemon.switch.link import Link, LinkLostError
from daemon.switch.translate import Translator
from protocols.esl import commands
from protocols.esl.commands import Subscription
from protocols.esl.events import EslEvent
from protocols.esl.messages import ApiResponse, CommandReply
from protocols.stt import vendors

log = structlog.get_logger(__name__)

SUBSCRIPTION = Subscription(
    events=(
        "CHANNEL_CREATE",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_ANSWER",
        "CHANNEL_PARK",
        "CHANNEL_UNPARK",
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_HOLD",
        "CHANNEL_UNHOLD",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
        "MEDIA_BUG_START",
        "DTMF",
        "DETECTED_SPEECH",
        "BACKGROUND_JOB",
        "HEARTBEAT",
        "SHUTDOWN",
    ),
    subclasses=vendors.SUBCLASSES,
)

_MOST_HELD = 20_000


class EventLink:
    """Hands events to ``translator``, and to ``commands`` those that end what a command set off.

    ``on_heartbeat`` is called for every HEARTBEAT. ``failures`` counts the events that we failed on.
    """

    def __init__(
        self,
        server: str,
        translator: Translator,
        commands: CommandLink,
        *,
        on_heartbeat: Callable[[], None],
        most_held: int = _MOST_HELD,
    ) -> None:
        self.failures = 0
        self._server = server
        self._translate = translator.take
        self._note_arrival = translator.legs.clock.note_arrival
        self._held: deque[EslEvent] | None = None
        self._most_held = most_held
        self._subscribed: asyncio.Future[CommandReply | ApiResponse] | None = None
        # What is not of calls, or not only, is told at once: nobody who waits for a command waits for a snapshot.
        self._told_at_once: Mapping[str, Callable[[EslEvent], None]] = {
            "BACKGROUND_JOB": commands.job_done,
            "CHANNEL_EXECUTE_COMPLETE": commands.application_done,
            "CHANNEL_HANGUP": lambda event: commands.leg_ended(event.unique_id, event.hangup_cause),
            "CHANNEL_HANGUP_COMPLETE": lambda event: commands.leg_ended(event.unique_id, event.hangup_cause),
            "CHANNEL_DESTROY": lambda event: commands.leg_ended(event.unique_id, event.hangup_cause),
            "HEARTBEAT": lambda event: on_heartbeat(),
        }

    async def subscribe(self, link: Link, *, within: float) -> None:
        """Ask for our events; from then on every event is held back until :meth:`release`.

        :raises LinkLostError: when the switch does not agree within so many seconds.
        """
        self._held = deque() if self._held is None else self._held
        self._subscribed = asyncio.get_running_loop().create_future()
        link.send(commands.subscribe(SUBSCRIPTION))
        try:
            async with asyncio.timeout(within):
                reply = await self._subscribed
        except TimeoutError:
            raise LinkLostError(f"the switch did not answer our subscription within {within:g} s") from None
        if not reply.ok:
            raise LinkLostError("the switch refuses our subscription")

    def answered(self, token: int, reply: CommandReply | ApiResponse) -> None:
        """The only command of this link is the subscription."""
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_result(reply)

    def lose(self, tokens: list[int], unsent: list[int]) -> None:
        """The link is lost."""
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_exception(LinkLostError("the link was lost while it subscribed"))

    def take(self, event: EslEvent) -> None:
        """An event arrived. Never raises."""
        told = self._told_at_once.get(event.name)
        if told is not None:
            told(event)
        if self._held is None:
            try:
                self._translate(event)
            except Exception as error:
                self._survive(event, error)
            return
        self._note_arrival(event.core_uuid, event.at)
        self._held.append(event)
        if len(self._held) >= self._most_held:
            log.warning("switch_events_held_too_long", switch=self._server, events=len(self._held))
            self.release()

    def release(self) -> None:
        """Tell what was held back, in order, and hold nothing any more."""
        held, self._held = self._held, None
        for event in held or ():
            try:
                self._translate(event)
            except Exception as error:
                self._survive(event, error)

    def _survive(self, event: EslEvent, error: Exception) -> None:
        """One event that we fail on must cost neither the others nor the link. Its content is not for the log."""
        self.failures += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "switch_event_failed",
            switch=self._server,
            event_name=event.name,
            error=type(error).__name__,
            where=f"{where.filename}:{where.lineno}",
            count=self.failures,
        )
