"""One simulated Asterisk behind the gateway: its database, its channels, and the answers to actions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import msgspec

from daemon.demo.pbx_call import ClickedCall, IncomingCall, PbxCall
from daemon.demo.pbx_channel import CAUSES, PbxChannel
from daemon.demo.pbx_wire import EVENT, OUTPUT, RESPONSE, Fields, Request

LINE_LIMIT: Final = 1022
HEADER_LIMIT: Final = 128

_USAGE: Final = {
    "put": (
        "Usage: database put <family> <key> <value>",
        "Adds or updates an entry in the Asterisk database for",
        "a given family, key, and value.",
    ),
    "get": (
        "Usage: database get <family> <key>",
        "Retrieves an entry in the Asterisk database for a given",
        "family and key.",
    ),
    "del": (
        "Usage: database del <family> <key>",
        "Deletes an entry in the Asterisk database for a given",
        "family and key.",
    ),
}
_WORDS: Final = {"put": 3, "get": 2, "del": 2}


ANYBODY = ""
"""Among phones: that of every number which has none of its own."""


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """How the person at an extension or a number behaves. Durations are seconds.

    ``answers_after`` ``None``: never; ``hangs_up_after`` counts from when both sides talk, ``None``: never.
    """

    answers_after: float | None = 0.5
    hangs_up_after: float | None = 3.0
    busy: bool = False
    unreachable: bool = False


class SimulatedAsterisk:
    """Answers actions one after another, as one manager session does.

    ``send(kind, fields)`` gives a frame to everybody. ``clock`` gives Unix seconds; ``speed`` divides every duration.
    """

    def __init__(
        self,
        system: str,
        *,
        send: Callable[[int, Fields], None],
        phones: dict[str, Phone],
        tenant_id: str,
        speed: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.system = system
        self.phones = phones
        self.tenant_id = tenant_id
        self.clock = clock
        self.database: dict[tuple[str, str], str] = {}
        self.channels: dict[str, PbxChannel] = {}
        self.running = True
        self.old = False
        """Answer commands as Asterisk 13 and older do: one text, in a frame of type 5."""
        self._send = send
        self._speed = speed
        self._asked: asyncio.Queue[Request] = asyncio.Queue()
        self._answers_after = 0.0
        self._other_pace = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        self._made = 0
        self._started_at = clock()

    # The manager session

    def take(self, request: Request) -> None:
        """An action came in. A server that is down loses it."""
        if self.running:
            self._asked.put_nowait(request)

    def slow(self, seconds: float) -> None:
        """Let each answer take so long from now on: a gateway with another server away is slow with this one.

        An answer that is being waited with is given at once.
        """
        self._answers_after = seconds
        self._other_pace.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            request = await self._asked.get()
            if self._answers_after:
                self._other_pace.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._other_pace.wait(), self._answers_after)
            if self.running:
                await self._answer(request)

    async def _answer(self, request: Request) -> None:
        too_long = [field for field in request.fields if len(": ".join(field).encode()) > LINE_LIMIT]
        if too_long:
            # A line that is too long is not read, and it may be the one with the ActionID.
            read = Request(request.server_id, [field for field in request.fields if field not in too_long])
            self._respond(read, "Error", [("Message", "Failed to parse message: line too long")])
        elif len(request.fields) > HEADER_LIMIT:
            self._respond(request, "Error", [("Message", "Too many lines in message or allocation failure")])
        else:
            match action := request.get("Action").lower():
                case "ping":
                    self._respond(request, "Success", [("Ping", "Pong"), ("Timestamp", f"{self.clock():.6f}")])
                case "command":
                    self._command(request)
                case "coreshowchannels":
                    self._list_channels(request)
                case "originate":
                    await self._originate(request)
                case "":
                    self._respond(request, "Error", [("Message", "Missing action in request")])
                case _:
                    text = f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands."
                    self._respond(request, "Error", [("Message", text)])

    def _respond(self, request: Request, response: str, fields: Fields, kind: int = RESPONSE) -> None:
        action_id = request.get("ActionID")
        head = [("Response", response)]
        if kind == OUTPUT:
            head.append(("Privilege", "Command"))
        if action_id:
            head.append(("ActionID", action_id))
        self._send(kind, [*head, *fields])

    # Commands

    def _command(self, request: Request) -> None:
        line = request.get("Command")
        if not line:
            self._respond(request, "Error", [("Message", "No command provided")])
            return
        # A quote only gets through the gateway behind a backslash, which makes it a character like any other.
        ok, output = self._run_command(line.replace("\\", ""))
        if self.old:
            self._respond(request, "Follows", [("Output", "".join(f"{text}\n" for text in output))], OUTPUT)
            return
        fields = [("Message", "Command output follows"), *(("Output", text) for text in output)]
        self._respond(request, "Success" if ok else "Error", fields)

    def _run_command(self, line: str) -> tuple[bool, list[str]]:
        words = line.split()
        if words[:1] != ["database"] or len(words) < 2 or words[1] not in _USAGE:
            return False, [f"No such command '{line}' (type 'core show help {line}' for other possible commands)"]
        verb, arguments = words[1], words[2:]
        if len(arguments) != _WORDS[verb]:
            return False, list(_USAGE[verb])
        key = arguments[0], arguments[1]
        if verb == "put":
            self.database[key] = arguments[2]
            return True, ["Updated database successfully"]
        if verb == "get":
            return True, [f"Value: {self.database[key]}" if key in self.database else "Database entry not found."]
        removed = self.database.pop(key, None) is not None
        return True, ["Database entry removed." if removed else "Database entry could not be removed."]

    def _list_channels(self, request: Request) -> None:
        action_id = request.get("ActionID")
        self._respond(request, "Success", [("EventList", "start"), ("Message", "Channels will follow")])
        for channel in self.channels.values():
            seconds = int(self.clock() - channel.started_at)
            duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            more = [
                ("Application", channel.application),
                ("ApplicationData", channel.application_data),
                ("Duration", duration),
                ("BridgeId", channel.bridge_id),
            ]
            self._send(EVENT, [("Event", "CoreShowChannel"), ("ActionID", action_id), *channel.headers(), *more])
        count = str(len(self.channels))
        tail = [("EventList", "Complete"), ("ListItems", count)]
        self._send(EVENT, [("Event", "CoreShowChannelsComplete"), ("ActionID", action_id), *tail])

    # Calls

    async def _originate(self, request: Request) -> None:
        channel, exten = request.get("Channel"), request.get("Exten")
        if not channel:
            self._respond(request, "Error", [("Message", "Channel not specified")])
            return
        waits = request.get("Async").lower() not in ("yes", "true", "1", "on", "y", "t")
        if not waits:
            self._respond(request, "Success", [("Message", "Originate successfully queued")])
        call = ClickedCall(
            self,
            channel=channel,
            context=request.get("Context"),
            exten=exten,
            ring_time=float(request.get("Timeout") or 30_000) / 1000,
            caller_id=request.get("Callerid"),
            variables=[part for value in request.all("Variable") for part in value.split(",")],
            action_id=request.get("ActionID"),
            channel_id=request.get("ChannelId"),
            other_channel_id=request.get("OtherChannelId"),
        )
        task = self._begin(call)
        if waits:
            # The session that every client shares waits with it.
            await asyncio.wait({asyncio.ensure_future(call.decided.wait()), task}, return_when="FIRST_COMPLETED")
            answered = call.reached
            message = "Originate successfully queued" if answered else "Originate failed"
            self._respond(request, "Success" if answered else "Error", [("Message", message)])

    def ring_in(self, caller: str, caller_name: str, did: str, extension: str) -> asyncio.Task[None]:
        """Somebody outside dials ``did``, which the dialplan sends to ``extension``."""
        return self._begin(IncomingCall(self, caller=caller, caller_name=caller_name, did=did, extension=extension))

    def _begin(self, call: PbxCall) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(call.run())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    # What calls stand on

    async def pause(self, seconds: float) -> None:
        """Let ``seconds`` of the simulation pass."""
        await asyncio.sleep(seconds / self._speed)

    def phone(self, number: str) -> Phone:
        """Who is at ``number``."""
        return self.phones.get(number) or self.phones.get(ANYBODY) or Phone()

    def number(self) -> int:
        """A number that this server has not given out yet."""
        self._made += 1
        return self._made

    def event(self, name: str, privilege: str, *fields: tuple[str, str]) -> None:
        """Tell everybody of an event; a server that is down says nothing."""
        if self.running:
            self._send(EVENT, [("Event", name), ("Privilege", privilege), ("SystemName", self.system), *fields])

    def hang_up(self, channel: PbxChannel, cause: int) -> None:
        """A channel is gone."""
        if self.channels.pop(channel.uniqueid, None) is not None:
            told = [("Cause", str(cause)), ("Cause-txt", CAUSES[cause])]
            self.event("Hangup", "call,all", *channel.headers(), *told)

    # Down and up

    async def down(self, *, cleanly: bool) -> None:
        """Stop: with its channels' ends and a Shutdown event, or (not ``cleanly``) without a word."""
        if not cleanly:
            self.running = False
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        for channel in list(self.channels.values()):
            self.hang_up(channel, 0)
        self.event("Shutdown", "system,all", ("Shutdown", "Cleanly"), ("Restart", "False"))
        self.running = False
        self.channels.clear()
        while not self._asked.empty():
            self._asked.get_nowait()

    def up(self) -> None:
        """Run again: the gateway signs in, and everybody hears of it."""
        self.running = True
        self._send(RESPONSE, [("Response", "Success"), ("Message", "Authentication accepted")])
        booted = [("Uptime", "1"), ("LastReload", "1"), ("Status", "Fully Booted")]
        self._send(EVENT, [("Event", "FullyBooted"), ("Privilege", "system,all"), *booted])
