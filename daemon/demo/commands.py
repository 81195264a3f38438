"""The commands of the event socket, and what the switch replies to each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from daemon.demo.core import Core
from daemon.demo.event import Event, Headers
from daemon.demo.faults import Faults
from daemon.demo.framing import ClientCommand, api_response, command_reply

if TYPE_CHECKING:
    from daemon.demo.client import Client

NOT_FOUND = "-ERR command not found"
NO_KEYWORDS = "-ERR no keywords supplied"
LOG_LEVELS = ("console", "alert", "crit", "err", "warning", "notice", "info", "debug")
SENT_EVENT = ("mod_event_socket.c", "parse_command", 2275)


class Backend(Protocol):
    """Who stands behind the event socket: the simulated exchange, or a recording."""

    core: Core

    async def api(self, name: str, args: str) -> str:
        """Run an api command and return its whole output. An unknown one is answered, not raised."""

    def message(self, leg_id: str, command: ClientCommand) -> bool:
        """Queue what a ``sendmsg`` asks for; false when there is no such channel."""

    def subscribed(self) -> None:
        """A client has subscribed to events."""


Handler = Callable[["Client", ClientCommand], Awaitable[None]]


class Commands:
    """Replies to every command, in order and at once, but for ``api``, whose reply waits for its end."""

    backend: Backend

    def __init__(self, password: str, faults: Faults) -> None:
        self.password = password
        self._faults = faults
        self._table: dict[str, Handler] = {
            "api": self._api,
            "bgapi": self._bgapi,
            "divert_events": self._not_controlling,
            "event": self._event,
            "exit": self._exit,
            "filter": self._filter,
            "linger": self._not_controlling,
            "log": self._log,
            "myevents": self._myevents,
            "nixevent": self._nixevent,
            "noevents": self._noevents,
            "nolinger": self._not_controlling,
            "nolog": self._nolog,
            "sendevent": self._sendevent,
            "sendmsg": self._sendmsg,
        }

    async def handle(self, client: Client, command: ClientCommand) -> None:
        """Answer one command. Before the sign-in only ``auth`` and ``exit`` are known, after it ``auth`` is not."""
        word = "event" if command.word.startswith("event") else command.word
        handler = self._table.get(word)
        if not client.authenticated:
            handler = {"auth": self._auth, "exit": self._exit}.get(word)
        if handler is None:
            await self._reply(client, NOT_FOUND)
        else:
            await handler(client, command)

    async def _reply(self, client: Client, text: str, *, job_uuid: str = "") -> None:
        await self._faults.before_reply()
        client.reply(command_reply(text, job_uuid=job_uuid))

    # --- the connection ---

    async def _auth(self, client: Client, command: ClientCommand) -> None:
        if command.rest.strip() == self.password and not self._faults.wrong_password:
            client.authenticated = True
            await self._reply(client, "+OK accepted")
            return
        await self._reply(client, "-ERR invalid")
        client.say_goodbye()
        client.close()

    async def _exit(self, client: Client, command: ClientCommand) -> None:
        await self._reply(client, "+OK bye")
        client.say_goodbye()
        client.close()

    async def _not_controlling(self, client: Client, command: ClientCommand) -> None:
        dot = "." if command.word == "divert_events" else ""
        await self._reply(client, f"-ERR not controlling a session{dot}")

    # --- doing something ---

    async def _api(self, client: Client, command: ClientCommand) -> None:
        if " " not in command.line:
            await self._reply(client, NOT_FOUND)
            return
        client.hold(True)
        output = await self._run(command.rest)
        await self._faults.before_reply()
        client.reply(api_response(_bytes(output) or b"-ERR no reply\n"))
        client.hold(False)

    async def _bgapi(self, client: Client, command: ClientCommand) -> None:
        if not command.rest.strip():
            await self._reply(client, NOT_FOUND)
            return
        core = self.backend.core
        job_uuid = command.header("Job-UUID") or core.new_id()
        await self._reply(client, f"+OK Job-UUID: {job_uuid}", job_uuid=job_uuid)
        core.spawn(self._job(core, job_uuid, command.rest))

    async def _job(self, core: Core, job_uuid: str, line: str) -> None:
        output = await self._run(line)
        name, _, args = line.partition(" ")
        headers: Headers = [("Job-UUID", job_uuid), ("Job-Command", name), ("Job-Command-Arg", args)]
        core.fire("BACKGROUND_JOB", headers, output or "-ERR no reply\n")

    async def _run(self, line: str) -> str:
        """Run an api command. Its API event is numbered before and fired after it, as the switch does."""
        core = self.backend.core
        name, _, args = line.partition(" ")
        sequence = core.next_sequence()
        output = await self.backend.api(name, args)
        core.fire("API", [("API-Command", name), ("API-Command-Argument", args)], sequence=sequence)
        return output

    async def _sendmsg(self, client: Client, command: ClientCommand) -> None:
        leg_id = command.rest.strip()
        if self.backend.message(leg_id, command):
            await self._reply(client, "+OK")
        else:
            await self._reply(client, f"-ERR invalid session id [{leg_id}]")

    async def _sendevent(self, client: Client, command: ClientCommand) -> None:
        event_uuid = self.backend.core.new_id()
        await self._reply(client, f"+OK {event_uuid}")
        headers: Headers = [("Event-Subclass", command.header("Event-Subclass")), ("Command", command.line)]
        headers += [(name, value) for name, value in command.headers.items() if name.lower() != "event-subclass"]
        headers.append(("Event-UUID", event_uuid))
        name = command.rest.strip() or "CUSTOM"
        core = self.backend.core
        core.send(Event([*headers, *core.headers(name, origin=SENT_EVENT)], command.body or None))

    # --- events ---

    async def _event(self, client: Client, command: ClientCommand) -> None:
        words = command.line[len("event") :].split()
        form = words[0].lower() if words else ""
        subscription = client.subscription
        if form in ("plain", "json", "xml"):
            words = words[1:]
        if form in ("plain", "json"):
            subscription.form = "json" if form == "json" else "plain"
        if not subscription.add(words):
            await self._reply(client, NO_KEYWORDS)
            return
        await self._reply(client, f"+OK event listener enabled {form if form == 'xml' else subscription.form}")
        self.backend.subscribed()

    async def _nixevent(self, client: Client, command: ClientCommand) -> None:
        done = client.subscription.remove(command.rest.split())
        await self._reply(client, "+OK events nixed" if done else NO_KEYWORDS)

    async def _noevents(self, client: Client, command: ClientCommand) -> None:
        listening = client.subscription.listening
        client.subscription.clear()
        await self._reply(
            client, "+OK no longer listening for events" if listening else "-ERR not listening for events"
        )

    async def _myevents(self, client: Client, command: ClientCommand) -> None:
        if not command.rest:
            await self._reply(client, NOT_FOUND)
            return
        client.subscription.follow(command.rest.split()[0])
        await self._reply(client, "+OK Events Enabled")
        self.backend.subscribed()

    async def _filter(self, client: Client, command: ClientCommand) -> None:
        words = command.rest.split(" ", 2)
        if words == [""]:
            await self._reply(client, NOT_FOUND)
        elif words[0] == "delete":
            header, value = (*words[1:], "", "")[:2]
            client.subscription.remove_filter(header, value)
            await self._reply(client, f"+OK filter deleted. [{header}][{value}]")
        else:
            header, _, value = command.rest.removeprefix("add ").partition(" ")
            if not value:
                await self._reply(client, "-ERR invalid syntax")
                return
            client.subscription.add_filter(header, value)
            await self._reply(client, f"+OK filter added. [{header}]=[{value}]")

    # --- the log, of which there is none here ---

    async def _log(self, client: Client, command: ClientCommand) -> None:
        level = command.rest.strip().lower()
        if level and level not in LOG_LEVELS and not (level.isdecimal() and int(level) < len(LOG_LEVELS)):
            await self._reply(client, "-ERR invalid log level")
            return
        number = 7 if not level else int(level) if level.isdecimal() else LOG_LEVELS.index(level)
        client.logging = True
        await self._reply(client, f"+OK log level {level} [{number}]")

    async def _nolog(self, client: Client, command: ClientCommand) -> None:
        was_logging, client.logging = client.logging, False
        await self._reply(client, "+OK no longer logging" if was_logging else "-ERR not loging")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
