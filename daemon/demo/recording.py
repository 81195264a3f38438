"""Plays a recorded session of an event socket to whoever connects, in place of a switch.

Commands are answered here, as far as a recording can answer: it lists and dumps the legs that are up at the point to
which it has been played, and refuses what would change a call. Its replies are never sent, only its event frames.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from daemon.demo.channel_list import shown
from daemon.demo.client import Client
from daemon.demo.core import Core
from daemon.demo.core_api import core_api
from daemon.demo.event import Event, Format
from daemon.demo.faults import Faults
from daemon.demo.framing import SHUTTING_DOWN, ClientCommand
from daemon.demo.listener import Listener
from daemon.demo.recorded import RecordedEvent, RecordedLegs, load

BATCH = 100
"""So many frames are sent in one turn of the loop when they go as fast as they can."""


class RecordingPlayer:
    """One recording, played once to all clients together.

    It begins when the first client has subscribed, waits while nobody is, and goes on: a client that comes (again)
    later gets the rest. Every subscriber gets every event, in the recorded format. ``fast`` sends without pauses,
    else the pauses of ``Event-Date-Timestamp`` are kept, divided by ``speed``. After the end the connections stay,
    with a HEARTBEAT of its own every ``heartbeat`` seconds, or are closed with a notice (``stay`` false).

    Events of its own carry the recording's Core-UUID, sequences past the recorded ones, and the recorded time.
    Raises ``OSError`` or ``ValueError`` for a file that is no recording.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str = "ClueCon",  # noqa: S107 - the documented default of the thing it plays
        fast: bool = False,
        speed: float = 1.0,
        heartbeat: float = 20.0,
        stay: bool = True,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.events: list[RecordedEvent] = load(Path(path))
        self.host = host
        self.password = password
        self.finished = asyncio.Event()
        """The last frame was sent to whoever listened then."""
        self.legs = RecordedLegs()
        self._fast, self._speed, self._heartbeat, self._stay, self._clock = fast, speed, heartbeat, stay, clock
        self._sleep = sleep
        self._last = (self.events[0].at, clock())
        self._audience = asyncio.Event()
        self.core = Core(
            clock=self._recorded_now,
            core_uuid=self.events[0].text("Core-UUID"),
            first_sequence=max(event.sequence for event in self.events) + 1,
        )
        self._listener = Listener(host, port, password, faults=Faults(), auth_timeout=25.0)
        self._listener.attach(self)

    @property
    def port(self) -> int:
        """Where it listens; 0 before :meth:`start` when it may choose."""
        return self._listener.port

    @property
    def core_uuid(self) -> str:
        """The recorded switch's ``Core-UUID``."""
        return self.core.core_uuid

    @property
    def clients(self) -> list[Client]:
        """The connections that stand, oldest first."""
        return list(self._listener.clients)

    async def start(self) -> None:
        """Listen; the recording begins with the first subscriber."""
        await self._listener.open()
        self.core.spawn(self._play())
        self.core.spawn(self._beat())

    async def stop(self) -> None:
        """End at once."""
        await self.core.close()
        await self._listener.close(abruptly=True)

    # --- playing ---

    async def _play(self) -> None:
        for number, event in enumerate(self.events):
            await self._somebody_listens()
            if not self._fast:
                await self._sleep(max(0.0, event.at - self._last[0]) / self._speed)
                await self._somebody_listens()
            elif number % BATCH == 0:
                await asyncio.sleep(0)
            await self._listener.thawed.wait()
            self.legs.take(event)
            self._last = (max(event.at, self._last[0]), self._clock())
            self.core.send(event)
        self.finished.set()
        if not self._stay:
            for client in self.clients:
                client.say_goodbye(SHUTTING_DOWN)
            self.core.spawn(self._listener.close())

    async def _somebody_listens(self) -> None:
        while not any(client.subscription.listening for client in self._listener.clients):
            self._audience.clear()
            await self._audience.wait()

    async def _beat(self) -> None:
        await self.finished.wait()
        while True:
            await asyncio.sleep(self._heartbeat)
            self.core.heartbeat(self._heartbeat)

    def _recorded_now(self) -> float:
        """The recorded switch's clock: that of the last event sent, and what has passed since."""
        at, sent = self._last
        return at + (self._clock() - sent)

    # --- answering ---

    def subscribed(self) -> None:
        """A client has subscribed."""
        self._audience.set()

    def message(self, leg_id: str, command: ClientCommand) -> bool:
        """Nothing can be done to a recorded leg."""
        return False

    async def api(self, name: str, args: str) -> str:
        """List, dump, or say no."""
        words = args.split()
        if name == "show":
            return shown(self.legs.rows() if words[:1] in (["channels"], ["calls"]) else [], words[1:])
        if not name.startswith("uuid_"):
            return await core_api(self.core, name, args)
        leg_id = words[0] if words else ""
        if name == "uuid_exists":
            return "true" if leg_id in self.legs else "false"
        if leg_id not in self.legs:
            return "-ERR No such channel!\n"
        if name == "uuid_dump":
            form: Format = "json" if words[1:] == ["json"] else "plain"
            dump = Event([*self.core.headers("CHANNEL_DATA"), *self.legs.data(leg_id)])
            return dump.encoded(form).decode("utf-8", "surrogateescape")
        if name == "uuid_getvar":
            return self.legs.variable(leg_id, " ".join(words[1:]))
        return "-ERR a recording is being played\n"
