"""What runs on a channel: its dialplan's application and those that commands queue behind it, one at a time.

FreeSWITCH gives each channel a thread; here it is a task that lives only while an application takes time. The
dialplan's own application (``park``, ``bridge``) stands meanwhile and is completed when the channel leaves it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from daemon.demo.channel import Channel
from daemon.demo.event import Event, Headers

NO_RESPONSE = "_none_"
NO_SUCH_APPLICATION = "DESTINATION_OUT_OF_ORDER"
SPEAKING = frozenset({"speak", "playback", "play_and_get_digits"})


@dataclass(frozen=True)
class Execution:
    """One application to run. ``uuid`` comes back as ``Application-UUID`` in both its events."""

    app: str
    data: str
    uuid: str
    loops: int = 0
    """How often, where the command asked for it: it shows as ``variable_total_loops``."""
    seconds: float | None = None
    """How long it takes, where that is decided by whoever runs it."""
    done: asyncio.Event | None = None
    command: Headers | None = None
    """The command that queued it, where the switch tells of it afterwards: the headers before the channel's."""


Application = Callable[["Thread", str], Awaitable[str]]
"""Runs on a thread with its argument and returns the ``Application-Response``."""


class Thread:
    """Runs applications on one channel. ``applications`` is looked up by name; an unknown one ends the call."""

    def __init__(self, channel: Channel, applications: dict[str, Application]) -> None:
        self.channel = channel
        channel.thread = self
        self.standing: Execution | None = None
        self.current: Execution | None = None
        self._applications = applications
        self._queue: deque[Execution] = deque()
        self._task: asyncio.Task[None] | None = None
        self._interrupt = asyncio.Event()
        self._leave: Callable[[], None] | None = None

    # --- applications that take their turn ---

    def queue(self, execution: Execution) -> None:
        """Run an application after those that are queued already. It starts in a later turn of the loop."""
        self._queue.append(execution)
        if self._task is None:
            self._task = self.channel.core.spawn(self._run())

    async def run(self, app: str, data: str = "", *, seconds: float | None = None, loops: int = 0) -> None:
        """Run an application and wait for its end; the channel's end is one too."""
        if self.channel.alive:
            done = asyncio.Event()
            self.queue(Execution(app, data, self.channel.core.new_id(), loops, seconds, done))
            await done.wait()

    def lasting(self, seconds: float) -> float:
        """How long the application that is running takes: ``seconds``, unless whoever runs it decided otherwise."""
        decided = self.current.seconds if self.current is not None else None
        return seconds if decided is None else decided

    async def pause(self, seconds: float) -> bool:
        """Let the time of an application pass; true when it was cut short."""
        if self._interrupt.is_set():
            return True
        try:
            async with asyncio.timeout(seconds / self.channel.core.speed):
                await self._interrupt.wait()
        except TimeoutError:
            return False
        return True

    def stop_current(self) -> None:
        """Cut short the application that is running or is about to (``uuid_break``)."""
        if self._task is not None:
            self._interrupt.set()

    def clear(self) -> None:
        """Forget what is queued and cut short what is running (``uuid_break UUID all``)."""
        self._forget_queue()
        self.stop_current()

    async def _run(self) -> None:
        try:
            while self._queue and self.channel.alive:
                self.current = self._queue.popleft()
                await self._execute(self.current)
                if self.channel.alive:
                    self._interrupt.clear()
                if self.current.done is not None:
                    self.current.done.set()
        finally:
            self._task = self.current = None
            self._forget_queue()
        if not self.channel.alive:
            self._wind_up()

    async def _execute(self, execution: Execution) -> None:
        application = self._applications.get(execution.app)
        if application is None:
            self.hang_up(NO_SUCH_APPLICATION)
            return
        self.started(execution)
        response = await application(self, execution.data)
        if execution.app in SPEAKING:
            self.channel.prompts += 1
            self.channel.prompted.set()
        self.completed(execution, response)
        if execution.command is not None:
            self._tell_of(execution.command)

    def _tell_of(self, command: Headers) -> None:
        """Fire the command itself: its own headers, then all that every event has, once more or for the first time."""
        data = [*self.channel.core.headers("PRIVATE_COMMAND"), *self.channel.headers(full=False)]
        self.channel.core.send(Event([*command, *data]))

    def _forget_queue(self) -> None:
        for execution in self._queue:
            if execution.done is not None:
                execution.done.set()
        self._queue.clear()

    # --- the two events around every application ---

    def started(self, execution: Execution) -> None:
        """Fire CHANNEL_EXECUTE."""
        variables = self.channel.variables
        variables.drop("current_application_data", "current_application_response")
        if execution.loops:
            variables.put({"current_loop": "1", "total_loops": str(execution.loops)})
        variables["current_application"] = execution.app
        if execution.data:
            variables["current_application_data"] = execution.data
        self.channel.last_app = (execution.app, execution.data)
        self.channel.fire("CHANNEL_EXECUTE", _application(execution))
        # the switch sets the name once more as the application begins, which moves it behind its data
        variables["current_application"] = execution.app

    def completed(self, execution: Execution, response: str = NO_RESPONSE) -> None:
        """Fire CHANNEL_EXECUTE_COMPLETE."""
        if response != NO_RESPONSE:
            self.channel.variables["current_application_response"] = response
        if self.channel.core.silent_ends:
            self.channel.core.silent_ends -= 1
            return
        self._complete(execution, response)

    def _complete(self, execution: Execution, response: str) -> None:
        self.channel.fire("CHANNEL_EXECUTE_COMPLETE", _application(execution, response))

    def at_once(self, app: str, data: str = "") -> Execution:
        """Fire CHANNEL_EXECUTE for a dialplan's application that takes no time, or that will stand."""
        execution = Execution(app, data, self.channel.core.new_id())
        self.started(execution)
        return execution

    # --- the application that stands, and the end ---

    def stand(self, execution: Execution | None, leave: Callable[[], None]) -> None:
        """Let a dialplan's application stand; ``leave`` fires what it fires on its way out.

        An outbound leg in a bridge has no application of its own (``None``) and still something to leave.
        """
        self.standing, self._leave = execution, leave

    def leave(self) -> None:
        """Complete the standing application; the channel goes on elsewhere or ends."""
        standing, leave = self.standing, self._leave
        self.standing = self._leave = None
        if leave is not None:
            leave()
        if standing is not None:
            # the response of whatever ran meanwhile is still there, and is given as this one's
            self._complete(standing, str(self.channel.variables.get("current_application_response", NO_RESPONSE)))

    def hang_up(self, cause: str, *, by_far_end: bool = False) -> bool:
        """End the call; false when it has ended already. A running application is cut short and completes first."""
        if not self.channel.begin_hangup(cause, by_far_end=by_far_end):
            return False
        self._forget_queue()
        self._interrupt.set()
        if self._task is None:
            self._wind_up()
        return True

    def _wind_up(self) -> None:
        self.leave()
        self.channel.finish_hangup()


def _application(execution: Execution, response: str | None = None) -> Headers:
    headers: Headers = [("Application", execution.app), ("Application-Data", execution.data)]
    if response is not None:
        headers.append(("Application-Response", response))
    headers.append(("Application-UUID", execution.uuid))
    return headers
