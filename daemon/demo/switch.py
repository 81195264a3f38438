"""A FreeSWITCH that is not there: real sockets on loopback, calls that only exist as events, faults on demand.

It serves ``parley demo`` and is the switch of the tests. Where it differs from a real one: there is no media, no SIP
and no log; ``event xml`` is answered and sends plain events; ``myevents`` never lingers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from daemon.demo.api import Apis
from daemon.demo.applications import APPLICATIONS
from daemon.demo.call import SimulatedCall
from daemon.demo.channel_list import COLUMNS, row_of
from daemon.demo.client import Client
from daemon.demo.core import Core, local_stamp, new_uuid
from daemon.demo.event import Event, Value
from daemon.demo.exchange import Exchange
from daemon.demo.faults import Faults
from daemon.demo.framing import SHUTTING_DOWN
from daemon.demo.listener import QUEUE_LIMIT, Listener

Refusal = Literal["connect", "password", "acl"]
End = Literal["term", "kill"]


class SimulatedSwitch:
    """One switch, across its restarts. ``port`` is known after :meth:`start` and stays the same from then on.

    ``clock`` gives Unix seconds and ``new_id`` the ids; ``heartbeat`` is the seconds between two HEARTBEATs; ``speed``
    divides every duration of prompts, ringing and speech. A subscriber with ``queue_limit`` events waiting freezes the
    whole event socket until it reads or goes, as the real one does; what is fired meanwhile waits in memory.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str = "ClueCon",  # noqa: S107 - the documented default of the thing it simulates
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = new_uuid,
        heartbeat: float = 20.0,
        speed: float = 1.0,
        auth_timeout: float = 25.0,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.host = host
        self.password = password
        self.faults = Faults()
        self.running = asyncio.Event()
        """Set from :meth:`start` to the end of that run."""
        self._clock, self._new_id, self._speed, self._heartbeat = clock, new_id, speed, heartbeat
        self._listener = Listener(
            host, port, password, faults=self.faults, auth_timeout=auth_timeout, queue_limit=queue_limit
        )
        self._begin()

    def _begin(self) -> None:
        self.core = Core(clock=self._clock, new_id=self._new_id, speed=self._speed)
        self.exchange = Exchange(self.core, dict(APPLICATIONS))
        self._apis = Apis(self.exchange)
        self._subscribed = asyncio.Event()
        self._apis.on_subscribed = self._subscribed.set
        self._listener.attach(self._apis)

    # --- its life ---

    @property
    def port(self) -> int:
        """Where it listens; 0 before the first :meth:`start` when it may choose."""
        return self._listener.port

    @property
    def core_uuid(self) -> str:
        """The id of this run of the switch; a restart makes a new one."""
        return self.core.core_uuid

    @property
    def clients(self) -> list[Client]:
        """The connections that stand, oldest first."""
        return list(self._listener.clients)

    @property
    def thawed(self) -> bool:
        """False while a subscriber that does not read freezes the event socket."""
        return self._listener.thawed.is_set()

    async def start(self) -> None:
        """Listen, and let the heart beat."""
        await self._listener.open()
        self.core.spawn(self._beat())
        self.running.set()

    async def stop(self) -> None:
        """End everything at once. It can be started again with its calls gone."""
        self.running.clear()
        await self.core.close()
        await self._listener.close(abruptly=True)
        self.faults.heal()
        self._begin()

    async def shut_down(self, how: End = "term") -> None:
        """End as a process does. ``term``: every call is hung up, a notice, more events, EOF; ``kill``: bare EOF.

        All calls are gone, nobody can connect, and :meth:`start` begins a new run with another Core-UUID.
        """
        if how == "term":
            await self._listener.shut()
            self.core.fire("SHUTDOWN", [("Event-Info", "System Shutting Down")])
            for channel in list(self.core.channels.values()):
                channel.thread.hang_up("SYSTEM_SHUTDOWN")
            for client in self.clients:
                client.say_goodbye(SHUTTING_DOWN)
            for name in ("db", "group", "sofia"):
                self.core.fire("MODULE_UNLOAD", [("type", "application"), ("name", name)])
            await self._listener.close()
        await self.stop()

    async def restart(self, how: End = "term") -> None:
        """:meth:`shut_down`, then :meth:`start` on the same port."""
        await self.shut_down(how)
        await self.start()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            self.core.heartbeat(self._heartbeat)

    async def flushed(self) -> None:
        """Wait until all that was fired is handed to the transports of those who asked for it."""
        await self._listener.flushed()

    async def subscribers(self, count: int = 1) -> None:
        """Wait until ``count`` clients have subscribed to events."""
        while sum(client.subscription.listening for client in self._listener.clients) < count:
            self._subscribed.clear()
            await self._subscribed.wait()

    # --- calls ---

    async def call(
        self, *, caller: str = "01012345678", did: str = "07000001004", name: str = "", code: str = "", uuid: str = ""
    ) -> SimulatedCall:
        """A call comes in and its dialplan gives it the app ``code``; it then rings until told otherwise."""
        leg = self.exchange.arrive(caller=caller, did=did, name=name, code=code, uuid=uuid)
        return SimulatedCall(self.exchange, leg)

    def leg_ids(self) -> list[str]:
        """The ids of the legs that are up, oldest first."""
        return list(self.core.channels)

    def fire(self, headers: Mapping[str, Value] | Iterable[tuple[str, Value]], body: str | None = None) -> Event:
        """Fire any event. What every event carries (``Core-UUID``, dates, ``Event-Sequence`` …) is added where missing.

        Pairs may repeat a name. A byte that is not UTF-8 is given as its surrogate escape.
        """
        given = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name for name, _ in given}
        text = {name: value for name, value in given if isinstance(value, str)}
        common = self.core.headers(text.get("Event-Name", "CUSTOM"), subclass=text.get("Event-Subclass", ""))
        event = Event([*((name, value) for name, value in common if name not in names), *given], body)
        self.core.send(event)
        return event

    # --- faults ---

    def cut_mid_frame(self, client: Client | None = None) -> None:
        """Close the connection (all of them without ``client``) in the middle of the next event frame it is sent."""
        for each in self.clients if client is None else [client]:
            each.cut_next_event = True

    def disconnect(self) -> None:
        """Break off every connection. Calls go on, and whoever connects again is let in."""
        for client in self.clients:
            client.abort()

    def half_open(self, client: Client | None = None) -> None:
        """Forget the connection (without ``client``: all of them) silently: it stays open and nothing more comes."""
        for each in self.clients if client is None else [client]:
            each.forgotten = True

    async def refuse(self, how: Refusal = "connect") -> None:
        """Refuse whoever connects from now on: the system refuses the port, the password is wrong, or the ACL says no.

        Connections that stand are left alone.
        """
        self.faults.wrong_password = how == "password"
        self.faults.acl = how == "acl"
        if how == "connect":
            await self._listener.shut()

    async def admit(self) -> None:
        """Let connections in again."""
        self.faults.wrong_password = self.faults.acl = False
        if not self._listener.listening:
            await self._listener.open()

    def stall(self) -> None:
        """Read nothing and write nothing, on standing and on new connections, which stay open."""
        self.faults.flowing.clear()

    def resume(self) -> None:
        """End a stall: everything that waited goes out."""
        self.faults.flowing.set()

    def delay_replies(self, seconds: float) -> None:
        """Let every reply be so late. Events are not, except behind an ``api``."""
        self.faults.reply_delay = seconds

    def hold_replies(self) -> None:
        """Let replies wait until :meth:`release_replies`."""
        self.faults.replying.clear()

    def release_replies(self) -> None:
        """Send the replies that wait, in their order."""
        self.faults.replying.set()

    def refuse_commands(self, *names: str) -> None:
        """Answer the commands of these names, and no others, with an error."""
        self._apis.refused = frozenset(names)

    def leave_unanswered(self, *names: str) -> None:
        """Carry the commands of these names out, and no others, without a reply to them or to what comes after."""
        self._apis.unanswered = frozenset(names)

    def end_silently(self, count: int = 1) -> None:
        """Fire no CHANNEL_EXECUTE_COMPLETE for the next ``count`` applications that end."""
        self.core.silent_ends += count

    def double(self, count: int = 1) -> None:
        """Send each of the next ``count`` events twice, with the same sequence."""
        self.faults.double_next(count)

    def flood(self, count: int, call: SimulatedCall | None = None) -> None:
        """Fire ``count`` events at once, as fast as they can be made: of ``call`` in full, or of no channel."""
        for number in range(count):
            after: list[tuple[str, Value]] = [("Flood-Number", str(number))]
            if call is None:
                self.core.fire("CUSTOM", after, subclass="demo::flood")
            else:
                call.leg.fire("CALL_UPDATE", after)

    def fire_invalid_utf8(self, call: SimulatedCall) -> None:
        """Fire an event of the call that holds bytes which are not UTF-8: raw in json, percent-encoded in plain."""
        invalid = b"a\xff\xfeb".decode("utf-8", "surrogateescape")
        call.leg.fire("CALL_UPDATE", [("X-Invalid", invalid)])

    def ghost(self, call: SimulatedCall | None = None) -> str:
        """Let ``show channels`` list a leg that ``uuid_exists`` denies (one like ``call``'s); return its id."""
        now = self._clock()
        about = row_of(call.leg) if call is not None else {"direction": "inbound", "name": "sofia/external/ghost"}
        row = {"created": local_stamp(now), "created_epoch": str(int(now)), **about, "uuid": self._new_id()}
        self._apis.ghosts.append({column: row.get(column, "") for column in COLUMNS})
        return row["uuid"]
