"""One relayed call: the app's WebSocket on one side, the telephone on the other, and the contract's session between."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from daemon.callapps.apps.relay.options import RelayOptions
from daemon.callapps.contract import AppCall, BargeIn, CommandFailedError, GivenUpError
from daemon.transcripts.utterance import Speaker
from protocols.relay.events import (
    Answered,
    AppLeft,
    AppSent,
    Began,
    CallerHungUp,
    Event,
    NoticeTransferred,
    Spoken,
    VoiceFailed,
)
from protocols.relay.messages import EndReason, Setup
from protocols.relay.orders import HandOver, HangUp, Listen, Order, Send, Speak
from protocols.relay.session import Phase, Session

log = structlog.get_logger(__name__)

_SEND_WITHIN: Final = 2.0
"""Seconds that the app's side may take to make room for a frame."""
_AS_MEANT: Final = frozenset({EndReason.COMPLETED, EndReason.TRANSFERRED, EndReason.CALLER_HANGUP})


class Dialogue:
    """Lets the app behind ``app`` lead ``call``. ``name`` is that of its ``[[callapps.app]]``, for the log."""

    def __init__(self, name: str, call: AppCall, app: ClientConnection, options: RelayOptions) -> None:
        self._name = name
        self._call = call
        self._app = app
        self._options = options
        self._session = Session(options.limits)
        self._clock = asyncio.get_running_loop().time
        self._acting: asyncio.Task[Event] | None = None
        """What goes on on the telephone."""
        self._receiving: asyncio.Task[Event] | None = None
        """The app's next frame; ``None`` once it has left."""
        self._answered = 0
        """How much of the transcript was there when the caller had last answered, or was not listened to."""

    async def lead(self, setup: Setup) -> None:
        """Answer the call, and do what the app says until it is over; ``setup`` opens the dialogue.

        Raises :class:`GivenUpError` with the contract's reason where the caller is to be sent to a person, and what
        the telephone raises. However it ends, the app is told.
        """
        self._receive()
        self._act(self._open(setup))
        try:
            while self._session.phase is not Phase.ENDED:
                event = await self._next()
                now = self._clock()
                for order in self._session.expire(now) if event is None else self._session.take(event, now):
                    await self._do(order)
        except asyncio.CancelledError:
            await self._say_why_it_is_over()
            raise
        finally:
            self._report()
            await self._close()

    async def _next(self) -> Event | None:
        """What happens next; ``None`` when the time for it is over."""
        waiting = {task for task in (self._acting, self._receiving) if task is not None}
        deadline = self._session.deadline
        timeout = None if deadline is None else max(0.0, deadline - self._clock())
        done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        # The telephone first: an app that is quick has not spoken out of turn.
        if self._acting is not None and self._acting in done:
            event = self._acting.result()
            self._acting = None
            return event
        if self._receiving is not None and self._receiving in done:
            event = self._receiving.result()
            self._receiving = None
            if not isinstance(event, AppLeft):
                self._receive()
            return event
        return None

    async def _do(self, order: Order) -> None:
        match order:
            case Send():
                await self._send(order.frame)
            case Speak():
                self._act(self._speak(order))
            case Listen():
                self._act(self._listen(order))
            case HangUp():
                self._call.outcome = EndReason.COMPLETED
                await self._call.hang_up()
            case HandOver():
                await self._be_quiet()
                await self._hand_over(order)

    # The telephone

    def _act(self, work: Coroutine[Any, Any, Event]) -> None:
        self._acting = asyncio.get_running_loop().create_task(self._unless_refused(work))

    async def _unless_refused(self, work: Coroutine[Any, Any, Event]) -> Event:
        try:
            return await work
        except CommandFailedError as error:
            return VoiceFailed(str(error))

    async def _open(self, setup: Setup) -> Event:
        await self._call.answer()
        if setup.notice_played:
            try:
                await self._call.say(self._options.notice, interruptible=False)
            except CommandFailedError:
                return NoticeTransferred()
        self._answered = len(self._call.transcript)
        return Began(setup)

    async def _speak(self, order: Speak) -> Event:
        await self._call.say(order.text, interruptible=order.interruptible)
        if not order.interruptible:
            self._answered = len(self._call.transcript)
        return Spoken()

    async def _listen(self, order: Listen) -> Event:
        heard = await self._call.listen(order.text)
        return Answered(
            text=heard.text,
            digits=heard.digits,
            low_confidence=self._is_doubtful(),
            spoke_during_playback=heard.prompt is not None and heard.prompt.by is BargeIn.SPEECH,
            heard_voice=heard.sound or bool(heard.text),
        )

    def _is_doubtful(self) -> bool:
        """Whether a recogniser was not sure of something that the caller, who has just answered, has said for it."""
        transcript, since = self._call.transcript, self._answered
        self._answered = len(transcript)
        said = [one for one in transcript[since:] if one.speaker is not Speaker.APP]
        sure = [one.confidence for one in said if one.confidence is not None]
        return bool(sure) and min(sure) < self._options.low_confidence

    async def _be_quiet(self) -> None:
        if self._acting is not None:
            self._acting.cancel()
            await asyncio.wait({self._acting})
            self._acting = None

    async def _hand_over(self, order: HandOver) -> None:
        if order.reason is EndReason.TRANSFERRED and self._options.transfer_to:
            self._call.outcome = order.reason
            await self._call.transfer(self._options.transfer_to)
        else:
            raise GivenUpError(order.reason)

    # The app

    def _receive(self) -> None:
        self._receiving = asyncio.get_running_loop().create_task(self._received())

    async def _received(self) -> Event:
        try:
            return AppSent(await self._app.recv(decode=False))
        except ConnectionClosed:
            return AppLeft()

    async def _send(self, frame: str) -> None:
        """Tell the app. One that does not read its socket has left; that it has left is seen where it is received."""
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                await self._app.send(frame)
        except TimeoutError:
            self._app.transport.abort()
        except ConnectionClosed:
            pass

    async def _say_why_it_is_over(self) -> None:
        """The leg is not ours any more: its caller has hung up, or somebody has taken it from the app."""
        taken = VoiceFailed("the call was taken from the app")
        event: Event = taken if self._call.is_there else CallerHungUp()
        for order in self._session.take(event, self._clock()):
            if isinstance(order, Send):
                await self._send(order.frame)

    def _report(self) -> None:
        session = self._session
        tell = log.info if session.reason in _AS_MEANT else log.warning
        tell("relay_ended", app=self._name, call_id=self._call.call_id, reason=session.reason, why=session.why)

    async def _close(self) -> None:
        """Let go of the app, also where the caller hangs up meanwhile."""
        closing = asyncio.get_running_loop().create_task(self._end())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _end(self) -> None:
        tasks = {task for task in (self._acting, self._receiving) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._app.close()
