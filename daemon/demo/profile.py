"""The caller profile of a channel and its times, as every channel event carries them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from daemon.demo.core import microseconds
from daemon.demo.event import Headers


@dataclass
class ChannelTimes:
    """When things happened to a channel, Unix seconds, 0 for never. ``hold_accum`` is seconds."""

    profile_created: float = 0.0
    created: float = 0.0
    answered: float = 0.0
    progress: float = 0.0
    progress_media: float = 0.0
    hangup: float = 0.0
    transfer: float = 0.0
    resurrect: float = 0.0
    bridged: float = 0.0
    last_hold: float = 0.0
    hold_accum: float = 0.0

    def headers(self, prefix: str) -> Headers:
        """The eleven time headers under ``prefix`` (``Caller`` or ``Other-Leg``), in microseconds."""
        return [
            (f"{prefix}-Profile-Created-Time", microseconds(self.profile_created)),
            (f"{prefix}-Channel-Created-Time", microseconds(self.created)),
            (f"{prefix}-Channel-Answered-Time", microseconds(self.answered)),
            (f"{prefix}-Channel-Progress-Time", microseconds(self.progress)),
            (f"{prefix}-Channel-Progress-Media-Time", microseconds(self.progress_media)),
            (f"{prefix}-Channel-Hangup-Time", microseconds(self.hangup)),
            (f"{prefix}-Channel-Transfer-Time", microseconds(self.transfer)),
            (f"{prefix}-Channel-Resurrect-Time", microseconds(self.resurrect)),
            (f"{prefix}-Channel-Bridged-Time", microseconds(self.bridged)),
            (f"{prefix}-Channel-Last-Hold", microseconds(self.last_hold)),
            (f"{prefix}-Channel-Hold-Accum", microseconds(self.hold_accum)),
        ]


@dataclass
class CallerProfile:
    """Who calls whom. A transfer makes the next profile: the destination is the new one, ``rdnis`` the old one."""

    uuid: str
    channel_name: str
    direction: str
    number: str
    name: str
    destination: str
    username: str = ""
    logical_direction: str = ""
    callee_name: str = ""
    callee_number: str = ""
    source: str = "mod_sofia"
    context: str = "public"
    dialplan: str = "XML"
    network_address: str = "127.0.0.1"
    transfer_source: str = ""
    rdnis: str = ""
    index: int = 1
    code: str = ""
    times: ChannelTimes = field(default_factory=ChannelTimes)

    def transferred(self, destination: str, transfer_source: str, at: float) -> CallerProfile:
        """The profile after a transfer to ``destination``."""
        return replace(
            self,
            destination=destination,
            rdnis=self.destination,
            transfer_source=transfer_source,
            index=self.index + 1,
            times=replace(self.times, profile_created=at),
        )

    def headers(self, prefix: str = "Caller", *, times: ChannelTimes | None = None) -> Headers:
        """The profile under ``prefix``; the app code stands in it bare, whatever the prefix.

        ``times`` replaces the channel's own: an originator is described to its b-leg without any.
        """
        index = str(self.index) if prefix == "Caller" else ""
        return [
            (f"{prefix}-Direction", self.direction),
            (f"{prefix}-Logical-Direction", self.logical_direction or self.direction),
            (f"{prefix}-Username", self.username),
            (f"{prefix}-Dialplan", self.dialplan),
            (f"{prefix}-Caller-ID-Name", self.name),
            (f"{prefix}-Caller-ID-Number", self.number),
            (f"{prefix}-Orig-Caller-ID-Name", self.name),
            (f"{prefix}-Orig-Caller-ID-Number", self.number),
            (f"{prefix}-Callee-ID-Name", self.callee_name),
            (f"{prefix}-Callee-ID-Number", self.callee_number),
            (f"{prefix}-Network-Addr", self.network_address),
            (f"{prefix}-ANI", self.number),
            (f"{prefix}-Destination-Number", self.destination),
            (f"{prefix}-Unique-ID", self.uuid),
            (f"{prefix}-Source", self.source),
            (f"{prefix}-Transfer-Source", self.transfer_source if prefix == "Caller" else ""),
            (f"{prefix}-Context", self.context),
            (f"{prefix}-RDNIS", self.rdnis),
            (f"{prefix}-Channel-Name", self.channel_name),
            (f"{prefix}-Profile-Index", index),
            ("code", self.code),
            *(times or self.times).headers(prefix),
            (f"{prefix}-Screen-Bit", "true"),
            (f"{prefix}-Privacy-Hide-Name", "false"),
            (f"{prefix}-Privacy-Hide-Number", "false"),
        ]
