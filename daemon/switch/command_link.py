"""Commands to a switch, and how far each of them got.

Replies come in the order of the commands, over the command link. What a command sets off is told by events, which
come over the *other* link: the end of a ``bgapi`` job by its Job-UUID, that of an application by its Event-UUID. Both
ids are ours, and registered before a byte is written.

Nothing is ever sent twice. When a link is lost, a command that was not written is ``NOT_SENT``, and one without its
reply ``UNKNOWN``.
"""

from __future__ import annotations

import asyncio
import math
from uuid import uuid4

from daemon.calls.control import Certainty, Outcome
from daemon.switch.link import Link
from protocols.errors import LocalError
from protocols.esl import commands
from protocols.esl.commands import Command
from protocols.esl.events import EslEvent
from protocols.esl.messages import ApiResponse, CommandReply
from protocols.pending import Pending

_FAILED_RESPONSES = ("FILE NOT FOUND", "PLAYBACK ERROR", "-ERR", "-USAGE")
"""How an application's own response begins when it could not do what it was asked to."""


_Waiter = asyncio.Future[Outcome]


class CommandLink:
    """Sends commands over whatever :class:`Link` is attached at the moment.

    ``reply_timeout`` is how many seconds a reply may take. ``up`` is set while a link is attached.
    """

    def __init__(self, *, reply_timeout: float) -> None:
        self.up = asyncio.Event()
        self._reply_timeout = reply_timeout
        self._link: Link | None = None
        self._has_events = False
        self._replies: Pending[int, _Waiter] = Pending()
        self._jobs: Pending[str, _Waiter] = Pending()
        self._executions: Pending[str, _Waiter] = Pending()
        self._executions_of: dict[str, set[str]] = {}  # leg id → keys of the above
        self._words: dict[str, str] = {}  # of those that say something, by the same keys
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    # The links come and go

    def attach(self, link: Link) -> None:
        """Commands go over ``link`` from now on."""
        self._link = link
        self._replies = Pending()  # every link counts its tokens anew
        self.up.set()

    def detach(self) -> None:
        """The link is gone. Its commands were told so by :meth:`lose`."""
        self._link = None
        self.up.clear()

    def events_up(self) -> None:
        """Events arrive from now on, so that what a command sets off can be seen."""
        self._has_events = True

    def events_lost(self) -> None:
        """Events no longer arrive: of jobs and applications that are under way, the end will not be seen."""
        self._has_events = False
        for table in (self._jobs, self._executions):
            for _, waiter in table.drain():
                _end(waiter, _unknown("the events of the switch were lost before the end was seen"))

    # What can be sent

    async def api(self, name: str, args: str = "") -> Outcome:
        """Run a short command of the switch. ``ok`` says that it did not answer an error; ``text`` is its output.

        :raises LocalError: when an argument cannot be sent. Nothing was written.
        """
        return await self._reply_to(commands.api(name, args))

    async def job(self, name: str, args: str, *, within: float) -> Outcome:
        """Run a command of the switch that may take as long as ``within`` seconds. ``text`` is its output.

        :raises LocalError: when an argument cannot be sent. Nothing was written.
        """
        job_uuid = str(uuid4())
        command = commands.bgapi(name, args, job_uuid=job_uuid)
        return await self._outcome_of(command, self._jobs, job_uuid, within)

    async def execute(self, leg_id: str, app: str, arg: str = "", *, words: str | None = None) -> Outcome:
        """Run an application on a leg and wait until it ends, or the leg does. ``text`` is the application's response.

        ``words`` are what it says, where that is known.

        :raises LocalError: when an argument cannot be sent. Nothing was written.
        """
        event_uuid = str(uuid4())
        command = commands.execute(leg_id, app, arg, event_uuid=event_uuid)
        of_leg = self._executions_of.setdefault(leg_id, set())
        of_leg.add(event_uuid)
        if words is not None:
            self._words[event_uuid] = words
        try:
            return await self._outcome_of(command, self._executions, event_uuid, math.inf)
        finally:
            self._words.pop(event_uuid, None)
            of_leg.discard(event_uuid)
            if not of_leg and self._executions_of.get(leg_id) is of_leg:
                del self._executions_of[leg_id]

    def words_of(self, event_uuid: str) -> str | None:
        """What was given as ``words`` to the execution of that id; ``None`` for everybody else's."""
        return self._words.get(event_uuid)

    async def _outcome_of(self, command: Command, table: Pending[str, _Waiter], key: str, within: float) -> Outcome:
        """Send ``command`` and wait for the event that ends it; its reply says no more than that it was queued."""
        if not self._has_events:
            return _not_sent("the events of the switch are away, so the end could not be seen")
        waiter = _future()
        table.add(key, waiter, asyncio.get_running_loop().time() + within)
        self._arm()
        try:
            reply = await self._reply_to(command)
            if not reply.ok and not waiter.done():
                return reply
            return await waiter
        finally:
            if key in table:
                table.resolve(key)

    async def _reply_to(self, command: Command) -> Outcome:
        link, replies = self._link, self._replies
        if link is None or not link.is_open:
            return _not_sent("there is no link to the switch")
        try:
            token = link.send(command)
        except LocalError as error:
            return _not_sent(str(error))
        waiter = _future()
        replies.add(token, waiter, asyncio.get_running_loop().time() + self._reply_timeout)
        self._arm()
        try:
            return await waiter
        finally:
            if token in replies:
                # Cancelled while waiting: the reply still has its place in the order.
                replies.resolve(token)
                link.forget(token)

    # What comes back

    def answered(self, token: int, reply: CommandReply | ApiResponse) -> None:
        """The command link has the reply to ``token``."""
        waiter = self._replies.resolve(token)
        if waiter is not None:
            text = reply.body if isinstance(reply, ApiResponse) else reply.text
            _end(waiter, Outcome(Certainty.ANSWERED, reply.ok, text.strip()))

    def lose(self, tokens: list[int], unsent: list[int]) -> None:
        """The command link is lost: ``tokens`` will have no reply, and ``unsent`` of them were never written."""
        for token in tokens:
            waiter = self._replies.resolve(token)
            if waiter is None:
                continue
            if token in unsent:
                _end(waiter, _not_sent("the link was lost before it was written"))
            else:
                _end(waiter, _unknown("the link was lost before the reply"))

    def job_done(self, event: EslEvent) -> None:
        """``BACKGROUND_JOB``: every subscriber sees everybody's, so most of them are nobody's here."""
        if event.job_uuid in self._jobs and (waiter := self._jobs.resolve(event.job_uuid)):
            reply = ApiResponse(event.body)
            _end(waiter, Outcome(Certainty.ANSWERED, reply.ok, reply.body.strip()))

    def application_done(self, event: EslEvent) -> None:
        """``CHANNEL_EXECUTE_COMPLETE``: of a dialplan's application, or of one of ours."""
        uuid = event.application_uuid
        if uuid in self._executions and (waiter := self._executions.resolve(uuid)):
            response = event.application_response
            _end(waiter, Outcome(Certainty.ANSWERED, not response.startswith(_FAILED_RESPONSES), response))

    def leg_ended(self, leg_id: str, cause: str = "") -> None:
        """The leg is gone: some applications never say that they are done."""
        for key in self._executions_of.get(leg_id, ()):
            if key in self._executions and (waiter := self._executions.resolve(key)):
                _end(waiter, Outcome(Certainty.ANSWERED, False, f"the leg ended ({cause or 'cause not known'})"))

    # Deadlines

    def _arm(self) -> None:
        """Look after the earliest deadline, at its time."""
        deadlines = (table.next_deadline() for table in (self._replies, self._jobs, self._executions))
        earliest = min((deadline for deadline in deadlines if deadline is not None), default=math.inf)
        if earliest >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = earliest
        self._timer = asyncio.get_running_loop().call_at(earliest, self._expire)

    def _expire(self) -> None:
        self._timer, self._timer_at = None, math.inf
        now = asyncio.get_running_loop().time()
        for token, waiter in self._replies.expire(now):
            if self._link is not None:
                self._link.forget(token)
            _end(waiter, _unknown(f"no reply within {self._reply_timeout:g} s"))
        for _, waiter in self._jobs.expire(now):
            _end(waiter, _unknown("the job did not end in time"))
        self._arm()


def _end(waiter: _Waiter, outcome: Outcome) -> None:
    if not waiter.done():  # whoever waited may have been cancelled
        waiter.set_result(outcome)


def _future() -> asyncio.Future[Outcome]:
    return asyncio.get_running_loop().create_future()


def _not_sent(why: str) -> Outcome:
    return Outcome(Certainty.NOT_SENT, False, why)


def _unknown(why: str) -> Outcome:
    return Outcome(Certainty.UNKNOWN, False, why)
