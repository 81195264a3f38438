"""Calls of one server of the PBX, from the events of its channels, as call events that know no Asterisk.

A channel is a leg, and all channels of one ``Linkedid`` are one call. A *Local* channel is the server's own pipe and
has two halves: the first (``;1``) stands for the party that the pipe was made for and is a leg, the second is its echo
and is none; whoever is bridged with the second is bridged with the first.

A new channel does not know its caller yet: that comes with the events right behind. So a leg appears when its channel
begins to do something, or when another channel of its call does.

Asterisk's events carry no time; theirs is when they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Sized
from typing import Final

import msgspec

from daemon.calls.events import (
    CallEvent,
    Direction,
    LegAnswered,
    LegAppeared,
    LegChanged,
    LegEnded,
    LegProgressed,
    LegsBridged,
    LegsUnbridged,
)
from protocols.dcmiws.frames import Frame
from protocols.dcmiws.glance import GlanceData, known

ORIGIN: Final = "asterisk"

_RING: Final = "4"
_RINGING: Final = "5"
_UP: Final = "6"

_CAUSES: Final = {
    "1": "UNALLOCATED_NUMBER",
    "3": "NO_ROUTE_DESTINATION",
    "16": "NORMAL_CLEARING",
    "17": "USER_BUSY",
    "18": "NO_USER_RESPONSE",
    "19": "NO_ANSWER",
    "20": "SUBSCRIBER_ABSENT",
    "21": "CALL_REJECTED",
    "22": "NUMBER_CHANGED",
    "26": "LOSE_RACE",
    "27": "DESTINATION_OUT_OF_ORDER",
    "28": "INVALID_NUMBER_FORMAT",
    "31": "NORMAL_UNSPECIFIED",
    "34": "NORMAL_CIRCUIT_CONGESTION",
    "38": "NETWORK_OUT_OF_ORDER",
    "41": "NORMAL_TEMPORARY_FAILURE",
    "42": "SWITCH_CONGESTION",
    "58": "BEARERCAPABILITY_NOTAVAIL",
    "102": "RECOVERY_ON_TIMER_EXPIRE",
    "127": "INTERWORKING",
}
"""Q.850 causes by number → their names."""

_SETTLED: Final = ("Newexten", "Newstate", "DialBegin", "DialEnd", "BridgeEnter", "Hangup")
EVENTS: Final = ("Newchannel", "NewCallerid", *_SETTLED, "BridgeLeave")

_LOCAL: Final = re.compile(r"Local/(?P<exten>[^@]+)@(?P<context>.*);(?P<half>[12])")


class _Channel(msgspec.Struct):
    """A channel of which not everything is known yet."""

    uniqueid: str
    linkedid: str
    name: str
    state: str
    caller_number: str
    caller_name: str
    connected_number: str
    exten: str
    at: float


class ServerCalls:
    """Follows the calls of one server. ``apply`` takes the call events; ``clock`` gives Unix seconds."""

    def __init__(self, server: str, apply: Callable[[CallEvent], None], clock: Callable[[], float]) -> None:
        self.server = server
        self._apply = apply
        self._clock = clock
        self._new: dict[str, _Channel] = {}
        self._legs: dict[str, str] = {}  # uniqueid → name of its channel, of every leg that appeared
        self._echoes: dict[str, str] = {}  # uniqueid of a second half → its linkedid
        self._bridges: dict[str, list[str]] = {}
        self._extens: dict[str, str] = {}
        # While the server is asked for its list: what was there before, and what has come and gone since.
        self._before: set[str] | None = None
        self._appeared: set[str] = set()
        self._ended: set[str] = set()

    @property
    def remembered(self) -> int:
        """How many ids of channels are kept in memory: none once all of them have ended."""
        kept: list[Sized] = [self._new, self._legs, self._echoes, self._bridges, self._extens]
        return sum(len(one) for one in [*kept, self._appeared, self._ended])

    # Events

    def take(self, data: GlanceData) -> None:
        """Take in one event of a channel."""
        match data.event:
            case "Newchannel":
                self._newchannel(data)
            case "NewCallerid":
                self._identified(data)
            case "DialBegin":
                self._settle(data.uniqueid)
                self._dialled(data)
            case "DialEnd":
                self._settle(data.dest_uniqueid)
            case "BridgeEnter":
                self._settle(data.uniqueid)
                self._entered(data)
            case "BridgeLeave":
                self._left(data.uniqueid)
            case "Newexten":
                self._executes(data)
            case "Newstate":
                self._state(data)
            case "Hangup":
                self._hangup(data)

    def _newchannel(self, data: GlanceData) -> None:
        if _is_echo(data.channel):
            self._echoes[data.uniqueid] = data.linkedid
            return
        self._new[data.uniqueid] = _channel(data, self._clock())

    def _identified(self, data: GlanceData) -> None:
        channel = self._new.get(data.uniqueid)
        if channel is not None:
            channel.caller_number, channel.caller_name = known(data.caller_number), known(data.caller_name)
            channel.connected_number = known(data.connected_number)

    def _dialled(self, data: GlanceData) -> None:
        """The server dials a channel: now it is known whom, where the channel itself did not say."""
        channel = self._new.get(data.dest_uniqueid)
        if channel is not None and not channel.caller_number:
            dialled = re.split(r"[@/]", data.dial_string)[0]
            channel.caller_number = known(data.dest_caller_number) or dialled
        self._settle(data.dest_uniqueid)

    def _settle(self, uniqueid: str) -> None:
        """Let the leg of a new channel appear: no more will be known of it for now."""
        channel = self._new.pop(uniqueid, None)
        if channel is not None:
            self._appear(channel)

    def _appear(self, channel: _Channel, *, answered_at: float | None = None, peer_id: str = "") -> None:
        self._legs[channel.uniqueid] = channel.name
        self._extens[channel.uniqueid] = channel.exten
        if self._before is not None:
            self._appeared.add(channel.uniqueid)
        local = _LOCAL.fullmatch(channel.name)
        inbound = channel.state == _RING
        caller, callee = channel.caller_number, channel.exten
        if local is not None:
            callee = local["exten"]
        elif not inbound:
            # The server dials this one: its own number stands where a caller's would.
            caller, callee = channel.connected_number, channel.caller_number
        self._apply(
            LegAppeared(
                origin=ORIGIN,
                server=self.server,
                leg_id=channel.uniqueid,
                at=self._clock(),
                call_key=channel.linkedid or channel.uniqueid,
                direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
                caller=caller,
                caller_name=channel.caller_name if inbound or local is not None else "",
                callee=callee,
                did=channel.exten if inbound else "",
                created_at=channel.at,
                answered_at=answered_at,
                early=False,
                peer_id=peer_id,
            )
        )

    def _executes(self, data: GlanceData) -> None:
        """The dialplan goes on. That of a Local channel's first half is where the pipe's party is taken."""
        if data.application == "AppDial2":
            return  # the server has only just made it
        self._settle(data.uniqueid)
        name = self._legs.get(data.uniqueid)
        if name is None or data.exten == self._extens.get(data.uniqueid):
            return
        self._extens[data.uniqueid] = data.exten
        if _LOCAL.fullmatch(name) is not None and data.exten:
            self._tell(LegChanged, data.uniqueid, callee=data.exten)

    def _state(self, data: GlanceData) -> None:
        self._settle(data.uniqueid)
        if data.uniqueid not in self._legs:
            return
        if data.channel_state == _RINGING:
            self._tell(LegProgressed, data.uniqueid)
        elif data.channel_state == _UP:
            self._tell(LegAnswered, data.uniqueid)

    def _hangup(self, data: GlanceData) -> None:
        if self._echoes.pop(data.uniqueid, None) is not None:
            return
        self._settle(data.uniqueid)
        if self._legs.pop(data.uniqueid, None) is None:
            return
        self._left(data.uniqueid)
        self._extens.pop(data.uniqueid, None)
        if self._before is not None:
            self._ended.add(data.uniqueid)
        self._tell(LegEnded, data.uniqueid, cause=_CAUSES.get(data.cause, ""))

    # Bridges

    def _entered(self, data: GlanceData) -> None:
        leg_id = self._stands_for(data.uniqueid)
        if leg_id is None:
            return
        members = self._bridges.setdefault(data.bridge_id, [])
        if leg_id in members:
            return
        for other in members:
            self._tell(LegsBridged, leg_id, other_leg_id=other)
        members.append(leg_id)

    def _left(self, uniqueid: str) -> None:
        leg_id = self._stands_for(uniqueid) or uniqueid
        for bridge_id, members in list(self._bridges.items()):
            if leg_id not in members:
                continue
            members.remove(leg_id)
            for other in members:
                self._tell(LegsUnbridged, leg_id, other_leg_id=other)
            if not members:
                del self._bridges[bridge_id]

    def _stands_for(self, uniqueid: str) -> str | None:
        """The leg of that channel; of a second half, the leg of the first."""
        if uniqueid in self._legs:
            return uniqueid
        linkedid = self._echoes.get(uniqueid)
        return linkedid if linkedid in self._legs else None

    def _tell(self, kind: type, leg_id: str, **fields: object) -> None:
        self._apply(kind(origin=ORIGIN, server=self.server, leg_id=leg_id, at=self._clock(), **fields))

    # The server's own list

    def begin_listing(self) -> None:
        """The server is asked for its list: remember what happens until it is there."""
        self._before = {*self._new, *self._legs, *self._echoes, *self._extens}

    def end_listing(self) -> None:
        """The list was taken, or will not come."""
        self._before = None
        self._appeared.clear()
        self._ended.clear()

    def legs_of(self, listed: Sequence[Frame]) -> list[str]:
        """The legs that a list is of."""
        return [frame.get("Uniqueid") for frame in listed if not _is_echo(frame.get("Channel"))]

    def take_list(self, listed: Sequence[Frame], live: Sequence[str]) -> None:
        """``listed`` is what there is; of ``live``, which we took for alive, all others have ended."""
        now = self._clock()
        there = set()
        self._forget({*(self._before or ())} - {frame.get("Uniqueid") for frame in listed} - self._appeared)
        bridged: dict[str, list[str]] = {}
        for frame in listed:
            uniqueid = frame.get("Uniqueid")
            if _is_echo(frame.get("Channel")):
                self._echoes[uniqueid] = frame.get("Linkedid")
                continue
            there.add(uniqueid)
            if uniqueid in self._ended:
                continue  # it hung up while the list was on its way
            self._new.pop(uniqueid, None)
            created_at = now - _seconds(frame.get("Duration"))
            up = frame.get("ChannelState") == _UP
            self._appear(_listed_channel(frame, created_at), answered_at=created_at if up else None)
        for frame in listed:
            leg_id = self._stands_for(frame.get("Uniqueid"))
            if frame.get("BridgeId") and leg_id is not None:
                bridged.setdefault(frame.get("BridgeId"), []).append(leg_id)
        self._bridges = {}
        for bridge_id, members in bridged.items():
            self._bridges[bridge_id] = members
            for other in members[1:]:
                self._tell(LegsBridged, members[0], other_leg_id=other)
        for leg_id in live:
            if leg_id not in there and leg_id not in self._appeared and leg_id not in self._ended:
                self._tell(LegEnded, leg_id, while_away=True)

    def _forget(self, gone: set[str]) -> None:
        for known_ones in (self._new, self._legs, self._echoes, self._extens):
            for uniqueid in gone & known_ones.keys():
                del known_ones[uniqueid]


def _is_echo(channel: str) -> bool:
    return channel.startswith("Local/") and channel.endswith(";2")


def _channel(data: GlanceData, at: float) -> _Channel:
    return _Channel(
        uniqueid=data.uniqueid,
        linkedid=data.linkedid,
        name=data.channel,
        state=data.channel_state,
        caller_number=known(data.caller_number),
        caller_name=known(data.caller_name),
        connected_number=known(data.connected_number),
        exten=data.exten,
        at=at,
    )


def _listed_channel(frame: Frame, at: float) -> _Channel:
    """A channel of a list, which no longer says whether it rang the server: the first of a call mostly did."""
    number, connected = known(frame.get("CallerIDNum")), known(frame.get("ConnectedLineNum"))
    first = frame.get("Uniqueid") == frame.get("Linkedid")
    return _Channel(
        uniqueid=frame.get("Uniqueid"),
        linkedid=frame.get("Linkedid"),
        name=frame.get("Channel"),
        state=_RING if first and not frame.get("Channel").startswith("Local/") else frame.get("ChannelState"),
        caller_number=number,
        caller_name=known(frame.get("CallerIDName")),
        connected_number=connected,
        exten=frame.get("Exten"),
        at=at,
    )


def _seconds(duration: str) -> float:
    """``00:00:02`` → 2; ``0`` for what is no duration."""
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return 0.0
    hours, minutes, seconds = map(int, parts)
    return float(hours * 3600 + minutes * 60 + seconds)
