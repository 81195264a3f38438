"""Calls of a simulated Asterisk, event by event as a real one tells them.

An extension's diversions apply to whoever rings it, a click-to-call included: they are read from the server's
database at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Final

from daemon.demo.pbx_channel import BUSY, RING, RINGING, UP, PbxChannel

if TYPE_CHECKING:
    from daemon.demo.pbx_server import SimulatedAsterisk

_DESTINATION: Final = re.compile(r"sub-custom-numbers,(\+?[0-9*#]+),1|(\+?[0-9*#]+)")
_DIVERTED: Final = "sub-custom-numbers"
_NO_ANSWER_TIME: Final = 20.0
"""Seconds that an extension rings before its diversion on no answer applies."""

_CAUSES: Final = {"BUSY": 17, "NOANSWER": 19, "CHANUNAVAIL": 20, "CONGESTION": 34}
_REASONS: Final = {"BUSY": "5", "NOANSWER": "3", "CHANUNAVAIL": "0", "CONGESTION": "8"}
_KINDS: Final = {"BUSY": "CFB", "NOANSWER": "CFN", "CHANUNAVAIL": "CFU"}


class PbxCall:
    """What calls have in common: channels, dialling a phone with its diversions, talking, ending."""

    def __init__(self, server: SimulatedAsterisk, context: str) -> None:
        self._server = server
        self._context = context
        self._linkedid = ""
        self._dialled: list[PbxChannel] = []

    async def run(self) -> None:
        """Live it from the first event to the last; cancelled, it leaves its channels as they are."""
        raise NotImplementedError

    def _channel(self, name: str, exten: str, *, uniqueid: str = "", state: int = 0, context: str = "") -> PbxChannel:
        server = self._server
        now = server.clock()
        own_id = uniqueid or f"{server.system}-{int(now)}.{server.number()}"
        self._linkedid = self._linkedid or own_id
        channel = PbxChannel(
            name=name,
            uniqueid=own_id,
            linkedid=self._linkedid,
            context=context or self._context,
            exten=exten,
            started_at=now,
            state=state,
        )
        server.channels[own_id] = channel
        server.event("Newchannel", "call,all", *channel.headers())
        return channel

    def _execute(self, channel: PbxChannel, application: str, data: str = "") -> None:
        channel.application, channel.application_data = application, data
        what = [("Extension", channel.exten), ("Application", application), ("AppData", data)]
        self._server.event("Newexten", "dialplan,all", *channel.headers(), *what)

    def _state(self, channel: PbxChannel, state: int) -> None:
        if channel.state != state:
            channel.state = state
            self._server.event("Newstate", "call,all", *channel.headers())

    def _set(self, channel: PbxChannel, name: str, value: str) -> None:
        if name == "CHANNEL(language)":
            channel.language = value
        elif name == "CHANNEL(accountcode)":
            old = channel.account_code
            channel.account_code = value
            self._server.event("NewAccountCode", "call,all", *channel.headers(), ("OldAccountCode", old))
        else:
            channel.variables[name] = value
            what = [("Variable", name), ("Value", value)]
            self._server.event("VarSet", "dialplan,all", *channel.headers(), *what)

    def _identify(self, channel: PbxChannel, number: str, name: str) -> None:
        channel.caller_number, channel.caller_name = number, name
        shown = ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")
        self._server.event("NewCallerid", "call,all", *channel.headers(), shown)

    # Ringing a phone

    async def _ring(self, source: PbxChannel, number: str, *, ring_time: float) -> tuple[PbxChannel | None, str]:
        """Ring ``number`` from ``source``, by way of its diversions; the channel that answered and the dial status."""
        target = self._diverted(number, "CFI")
        status = "CHANUNAVAIL"
        if not target:
            patience = min(ring_time, _NO_ANSWER_TIME) if self._diverted(number, "CFN") else ring_time
            answered, status = await self._dial(source, number, patience)
            if answered is not None or status not in _KINDS:
                return answered, status
            target = self._diverted(number, _KINDS[status])
        if not target:
            return None, status
        source.context, source.exten = _DIVERTED, target
        return await self._dial(source, target, ring_time)

    def _diverted(self, extension: str, code: str) -> str:
        """Where a diversion of ``extension`` leads, ``""`` where it is not in effect."""
        server = self._server
        key = f"diversions/{extension}/{code}"
        enabled = server.database.get((server.tenant_id, f"{key}/enable"), "yes") == "yes"
        found = _DESTINATION.fullmatch(server.database.get((server.tenant_id, f"{key}/destination"), ""))
        return (found[1] or found[2]) if enabled and found else ""

    async def _dial(self, source: PbxChannel, number: str, ring_time: float) -> tuple[PbxChannel | None, str]:
        server, phone = self._server, self._server.phone(number)
        inside = len(number) <= 5
        device = f"PJSIP/{number}" if inside else "PJSIP/trunk"
        self._execute(source, "Dial", device if inside else f"PJSIP/{number}@trunk")
        if phone.unreachable:
            return None, "CHANUNAVAIL"
        channel = self._channel(f"{device}-{server.number():08x}", "", context="from-internal")
        channel.caller_number, channel.connected_number = number, source.caller_number
        self._dialled.append(channel)
        self._tell_dial("DialBegin", source, channel, ("DialString", number if inside else f"{number}@trunk"))
        if phone.busy:
            return self._not_reached(source, channel, "BUSY")
        self._state(channel, RINGING)
        self._tell_dial("DialState", source, channel, ("DialStatus", "RINGING"))
        self._rings(source)
        if phone.answers_after is None or phone.answers_after > ring_time:
            await server.pause(ring_time)
            return self._not_reached(source, channel, "NOANSWER")
        await server.pause(phone.answers_after)
        self._state(channel, UP)
        self._tell_dial("DialEnd", source, channel, ("DialStatus", "ANSWER"))
        return channel, "ANSWER"

    def _rings(self, source: PbxChannel) -> None:
        """The phone that ``source`` dialled rings."""

    def _not_reached(self, source: PbxChannel, channel: PbxChannel, status: str) -> tuple[None, str]:
        self._tell_dial("DialEnd", source, channel, ("DialStatus", status))
        self._server.hang_up(channel, _CAUSES[status])
        return None, status

    def _tell_dial(self, name: str, source: PbxChannel | None, dialled: PbxChannel, more: tuple[str, str]) -> None:
        from_whom = source.headers() if source is not None else []
        self._server.event(name, "call,all", *from_whom, *dialled.headers("Dest"), more)

    # Talking and ending

    def _bridge(self, *channels: PbxChannel) -> None:
        server = self._server
        bridge_id = f"{server.system}-bridge-{server.number()}"
        head = [("BridgeUniqueid", bridge_id), ("BridgeType", "basic"), ("BridgeTechnology", "simple_bridge")]
        tail = [("BridgeCreator", "<unknown>"), ("BridgeName", "<unknown>")]
        server.event("BridgeCreate", "call,all", *head, *tail, ("BridgeNumChannels", "0"))
        for count, channel in enumerate(channels, 1):
            channel.bridge_id = bridge_id
            numbered = ("BridgeNumChannels", str(count))
            server.event("BridgeEnter", "call,all", *head, *tail, numbered, *channel.headers())

    def _end(self, cause: int, *channels: PbxChannel) -> None:
        server = self._server
        for channel in channels:
            if channel.uniqueid not in server.channels:
                continue
            if channel.bridge_id:
                head = [("BridgeUniqueid", channel.bridge_id), ("BridgeType", "basic")]
                server.event("BridgeLeave", "call,all", *head, *channel.headers())
                channel.bridge_id = ""
            server.event("SoftHangupRequest", "call,all", *channel.headers(), ("Cause", str(cause)))
            server.hang_up(channel, cause)

    async def _talk(self, hangs_up_after: float | None) -> None:
        if hangs_up_after is None:
            await asyncio.Event().wait()
        else:
            await self._server.pause(hangs_up_after)


class ClickedCall(PbxCall):
    """An Originate: the extension rings, and when it answers, the number is called from it.

    ``decided`` is set when the extension answered (``reached``) or will not.
    """

    def __init__(
        self,
        server: SimulatedAsterisk,
        *,
        channel: str,
        context: str,
        exten: str,
        ring_time: float,
        caller_id: str,
        variables: list[str],
        action_id: str,
        channel_id: str = "",
        other_channel_id: str = "",
    ) -> None:
        super().__init__(server, context)
        self.decided = asyncio.Event()
        self.reached = False
        self._device = channel
        self._exten = exten
        self._ring_time = ring_time
        self._variables = [(name, value) for name, _, value in (text.partition("=") for text in variables)]
        self._action_id = action_id
        self._channel_id = channel_id
        self._other_channel_id = other_channel_id or (f"{channel_id};2" if channel_id else "")
        named = re.fullmatch(r'"?(.*?)"?\s*<([^>]*)>', caller_id)
        self._caller_name, self._caller_number = (named[1], named[2]) if named else ("", caller_id)
        self._local: tuple[PbxChannel, PbxChannel] | None = None

    async def run(self) -> None:
        """As :class:`PbxCall` says."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.decided.set)
            local = re.fullmatch(r"Local/([^@]+)@(.+)", self._device)
            if local is None:
                self._tell_outcome(None, "0")
                return
            await self._call(local[1])

    async def _call(self, extension: str) -> None:
        one, two = self._local = self._local_channels(extension)
        phone, status = await self._ring(two, extension, ring_time=self._ring_time)
        if phone is None:
            self._fail(one, two, status)
            return
        self._state(two, UP)
        self._state(one, UP)
        self.reached = True
        self.decided.set()
        self._tell_outcome(one, "4")
        self._tell_dial("DialEnd", None, one, ("DialStatus", "ANSWER"))
        self._bridge(phone, two)
        one.exten = self._exten
        other, status = await self._ring(one, self._exten, ring_time=self._ring_time)
        cause = 16
        if other is None:
            cause = _CAUSES[status]
        else:
            self._bridge(other, one)
            await self._talk(self._server.phone(other.caller_number).hangs_up_after)
        self._end(cause, *(channel for channel in (other, one, two, phone) if channel is not None))

    def _local_channels(self, extension: str) -> tuple[PbxChannel, PbxChannel]:
        """The two halves of the Local channel that an Originate makes, ready to dial."""
        server = self._server
        name = f"{self._device}-{server.number():08x}"
        one = self._channel(f"{name};1", extension, uniqueid=self._channel_id)
        two = self._channel(f"{name};2", extension, uniqueid=self._other_channel_id, state=RING)
        self._execute(one, "AppDial2", "(Outgoing Line)")
        for channel in (one, two):
            for variable, value in self._variables:
                if channel is one or variable != "CHANNEL(accountcode)":
                    self._set(channel, variable, value)
            self._identify(channel, self._caller_number, self._caller_name)
            channel.connected_number, channel.connected_name = self._caller_number, self._caller_name
            server.event("NewConnectedLine", "call,all", *channel.headers())
        where = [("Context", self._context), ("Exten", extension), ("LocalOptimization", "Yes")]
        server.event("LocalBridge", "call,all", *one.headers("LocalOne"), *two.headers("LocalTwo"), *where)
        self._tell_dial("DialBegin", None, one, ("DialString", self._device.removeprefix("Local/")))
        return one, two

    def _rings(self, source: PbxChannel) -> None:
        if self._local is not None and source is self._local[1]:
            one = self._local[0]
            self._state(one, RINGING)
            self._tell_dial("DialState", None, one, ("DialStatus", "RINGING"))

    def _fail(self, one: PbxChannel, two: PbxChannel, status: str) -> None:
        cause = _CAUSES[status]
        if status == "BUSY":
            self._execute(two, "Busy", "1")
            self._state(two, BUSY)
        self._tell_dial("DialEnd", None, one, ("DialStatus", status))
        self._tell_outcome(None, _REASONS[status])
        self._end(cause, one, two)

    def _tell_outcome(self, channel: PbxChannel | None, reason: str) -> None:
        """The event that ends an Originate; one that reached nobody names no channel of its own."""
        self._server.event(
            "OriginateResponse",
            "call,all",
            *([("ActionID", self._action_id)] if self._action_id else []),
            ("Response", "Success" if channel else "Failure"),
            ("Channel", channel.name if channel else self._device),
            ("Context", self._context),
            ("Exten", self._exten),
            ("Reason", reason),
            ("Uniqueid", channel.uniqueid if channel else "<unknown>"),
            ("CallerIDNum", self._caller_number or "<unknown>"),
            ("CallerIDName", self._caller_name or "<unknown>"),
        )


class IncomingCall(PbxCall):
    """Somebody outside calls ``did``, and ``extension`` rings."""

    def __init__(self, server: SimulatedAsterisk, *, caller: str, caller_name: str, did: str, extension: str) -> None:
        super().__init__(server, "from-trunk")
        self._caller = caller
        self._caller_name = caller_name
        self._did = did
        self._extension = extension

    async def run(self) -> None:
        """As :class:`PbxCall` says."""
        server = self._server
        trunk = self._channel(f"PJSIP/trunk-{server.number():08x}", self._did, state=RING)
        self._identify(trunk, self._caller, self._caller_name)
        trunk.exten = self._extension
        phone, status = await self._ring(trunk, self._extension, ring_time=30.0)
        cause = 16
        if phone is None:
            cause = _CAUSES[status]
        else:
            self._state(trunk, UP)
            self._bridge(phone, trunk)
            await self._talk(server.phone(self._caller).hangs_up_after)
        self._end(cause, *(channel for channel in (phone, trunk) if channel is not None))
