"""One channel of the simulated switch: its states, and the events each change of them fires.

A channel knows nothing of sockets and of time passing: :mod:`daemon.demo.thread` runs applications on it,
:mod:`daemon.demo.bridge` joins two of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from daemon.demo.core import Core
from daemon.demo.event import Event, Headers
from daemon.demo.hangup_variables import media_report, reported, terminated
from daemon.demo.profile import CallerProfile, ChannelTimes
from daemon.demo.states import CALL_STATE_NUMBERS, STATE_NUMBERS
from daemon.demo.variables import Endpoint, Variables, confirmed, described, negotiated

if TYPE_CHECKING:
    from daemon.demo.thread import Thread

CODEC_READ = ("switch_core_codec.c", "switch_core_session_set_real_read_codec", 168)
CODEC_WRITE = ("switch_core_codec.c", "switch_core_session_set_write_codec", 450)


class Channel:
    """A leg as the switch sees it. Every method that changes it fires the events FreeSWITCH would.

    ``other`` is the leg it was last bridged to as an originator, ``originator`` the profile of the leg that placed it:
    they stay in its events to the end. ``bridged`` is the leg it hears now.
    """

    thread: Thread

    def __init__(self, core: Core, profile: CallerProfile, *, outbound: bool = False) -> None:
        self.core = core
        self.profile = profile
        self.uuid = profile.uuid
        self.outbound = outbound
        self.variables = Variables()
        user, display = (profile.destination, "") if outbound else (profile.username, profile.name)
        self.endpoint = Endpoint(core.add(self), user, display, profile.destination)
        self.first_destination = profile.destination
        self.call_uuid = self.uuid
        self.state = "CS_NEW"
        self.state_number = 0
        self.call_state = "DOWN"
        self.answer_state = "ringing"
        self.hangup_cause = ""
        self.has_media = False
        self.other: Channel | None = None
        self.originator: CallerProfile | None = None
        self.bridged: Channel | None = None
        self.recognisers: dict[str, float] = {}
        """The zero of each recogniser that listens or has listened, Unix seconds by the media bug's name."""
        self.listening: list[str] = []
        self.digits = ""
        self.prompts = 0
        """How many prompts have been said to it, to their end or broken off."""
        self.prompted = asyncio.Event()
        self.last_app = ("", "")
        self.gone = asyncio.Event()
        profile.times.created = profile.times.profile_created = core.clock()

    @property
    def times(self) -> ChannelTimes:
        """When things happened to this channel."""
        return self.profile.times

    @property
    def alive(self) -> bool:
        """Not hung up yet."""
        return not self.hangup_cause

    # --- what events carry ---

    def headers(self, *, full: bool) -> Headers:
        """The channel data of an event; ``full`` adds every variable."""
        found: Headers = [
            ("Channel-State", self.state),
            ("Channel-Call-State", self.call_state),
            ("Channel-State-Number", str(self.state_number)),
            ("Channel-Name", self.profile.channel_name),
            ("Unique-ID", self.uuid),
            ("Call-Direction", self.profile.direction),
            ("Presence-Call-Direction", self.profile.direction),
            ("Channel-HIT-Dialplan", "false" if self.outbound else "true"),
            ("Channel-Call-UUID", self.call_uuid),
            ("Answer-State", self.answer_state),
            ("Hangup-Cause", self.hangup_cause),
        ]
        if self.has_media:
            for way in ("Read", "Write"):
                found.append((f"Channel-{way}-Codec-Name", "PCMU"))
                found.append((f"Channel-{way}-Codec-Rate", "8000"))
                found.append((f"Channel-{way}-Codec-Bit-Rate", "64000"))
        if self.state != "CS_NEW":
            found += self.profile.headers()
            found += self._other_leg()
        if full:
            found += [(f"variable_{name}", value) for name, value in self.variables.items()]
        return found

    def _other_leg(self) -> Headers:
        if self.originator is not None:
            return [("Other-Type", "originator"), *self.originator.headers("Other-Leg", times=ChannelTimes())]
        if self.other is not None:
            return [("Other-Type", "originatee"), *self.other.profile.headers("Other-Leg")]
        return []

    def fire(
        self,
        name: str,
        after: Headers | None = None,
        *,
        before: Headers | None = None,
        full: bool = True,
        body: str | None = None,
        subclass: str = "",
        origin: tuple[str, str, int] | None = None,
    ) -> Event:
        """Fire a channel event, its own headers standing ``before`` or ``after`` the channel data."""
        data = [*(before or []), *self.headers(full=full), *(after or [])]
        return self.core.fire(name, data, body, subclass=subclass, origin=origin)

    def dump(self) -> Event:
        """What ``uuid_dump`` prints: an event that is never fired."""
        return Event([*self.core.headers("CHANNEL_DATA"), *self.headers(full=True)])

    # --- its life ---

    def enter(self, state: str) -> None:
        """Go into a state: CHANNEL_STATE."""
        self.state, self.state_number = state, STATE_NUMBERS[state]
        self.fire("CHANNEL_STATE", full=False)

    def call_enters(self, call_state: str) -> None:
        """Go into a call state: CHANNEL_CALLSTATE, unless it is there already."""
        if call_state == self.call_state:
            return
        before: Headers = [
            ("Original-Channel-Call-State", self.call_state),
            ("Channel-Call-State-Number", str(CALL_STATE_NUMBERS[call_state])),
        ]
        self.call_state = call_state
        self.fire("CHANNEL_CALLSTATE", before=before, full=False)

    def arrive(self) -> None:
        """An inbound call comes up to its dialplan."""
        self.enter("CS_NEW")
        self.enter("CS_INIT")
        self.state_number = STATE_NUMBERS["CS_ROUTING"]
        self.fire("CHANNEL_CREATE")
        self.state = "CS_ROUTING"
        self.call_enters("RINGING")
        self.enter("CS_ROUTING")
        self.enter("CS_EXECUTE")
        self.variables["DP_MATCH"] = [self.profile.destination, self.profile.destination]
        self.variables["call_uuid"] = self.uuid

    def dial(self, owner: str, *, old_uuid: str = "") -> None:
        """An outbound leg is placed; until its hangup its call is that of the leg that ``owner`` names.

        ``old_uuid`` is the id it had before the one it was asked to have: CHANNEL_UUID is the only event to name it.
        """
        self.state, self.state_number = "CS_NONE", 1
        if old_uuid:
            self.fire("CHANNEL_UUID", [("Old-Unique-ID", old_uuid)], full=False)
        self.fire("CHANNEL_OUTGOING", full=False)
        self.call_uuid = owner or self.uuid
        self.enter("CS_INIT")
        self.state_number = STATE_NUMBERS["CS_ROUTING"]
        self.fire("CHANNEL_CREATE")
        self.fire("CHANNEL_ORIGINATE")
        self.enter("CS_ROUTING")
        self.enter("CS_CONSUME_MEDIA")

    def set_media(self) -> None:
        """Agree on a codec: two CODEC events, the second one naming the write codec twice."""
        self.has_media = True
        read: Headers = [("channel-read-codec-name", "PCMU"), ("channel-read-codec-rate", "8000")]
        write: Headers = [("Channel-Write-Codec-Name", "PCMU"), ("Channel-Write-Codec-Rate", "8000")]
        self.fire("CODEC", [*read, ("channel-read-codec-bit-rate", "64000")], full=False, origin=CODEC_READ)
        self.fire("CODEC", [*write, ("Channel-Write-codec-bit-rate", "64000")], full=False, origin=CODEC_WRITE)
        self.variables.put(negotiated(self.endpoint))

    def ring(self) -> None:
        """The far end of an outbound leg rings."""
        self.call_enters("RINGING")
        self.times.progress = self.core.clock()
        self.fire("CHANNEL_PROGRESS")

    def pre_answer(self) -> None:
        """Open media before the answer; harmless when it is open."""
        if self.has_media or not self.alive:
            return
        self.set_media()
        self.times.progress_media = self.core.clock()
        self.answer_state = "early"
        self.fire("CHANNEL_PROGRESS_MEDIA")
        self.call_enters("EARLY")

    def answer(self) -> bool:
        """Answer the call; false when it is answered or gone. Media comes first, as on the wire."""
        if not self.alive or self.answer_state == "answered":
            return False
        self.pre_answer()
        self.variables.put(described(self.endpoint))
        self.times.answered = self.core.clock()
        self.answer_state = "answered"
        self.fire("CHANNEL_ANSWER")
        self.call_enters("ACTIVE")
        self.variables["endpoint_disposition"] = "ANSWER"
        self.variables.put(confirmed(self.endpoint))
        return True

    def transfer_to(self, destination: str) -> None:
        """Give the channel its next profile, as a blind transfer does before anything is routed."""
        at = self.core.clock()
        source = f"{int(at)}:{self.core.new_id()}:bl_xfer:{destination}/public/XML"
        self.profile = self.profile.transferred(destination, source, at)
        self.variables["max_forwards"] = str(int(str(self.variables.get("max_forwards", "70"))) - 1)
        self.variables["transfer_history"] = source
        self.variables["transfer_source"] = source

    def press(self, digit: str, source: str = "RTP") -> None:
        """The far end pressed a key."""
        self.digits += digit
        after: Headers = [("DTMF-Digit", digit), ("DTMF-Duration", "800"), ("DTMF-Source", source)]
        self.fire("DTMF", after, full=False)

    def hold(self, on: bool) -> None:
        """The far end puts us on hold, or takes us off it."""
        now = self.core.clock()
        if on:
            self.times.last_hold = now
            self.call_enters("HELD")
            self.fire("CHANNEL_HOLD")
        else:
            self.times.hold_accum += now - self.times.last_hold if self.times.last_hold else 0.0
            self.call_enters("ACTIVE")
            self.fire("CHANNEL_UNHOLD")

    def add_bug(self, name: str) -> None:
        """A recogniser begins to listen: MEDIA_BUG_START. Harmless when it listens already."""
        if self.alive and name not in self.listening:
            self.listening.append(name)
            self.recognisers[name] = self.core.clock()
            self.fire("MEDIA_BUG_START", [("Media-Bug-Function", name), ("Media-Bug-Target", self.uuid)])

    def remove_bug(self, name: str) -> None:
        """A recogniser stops listening: MEDIA_BUG_STOP."""
        if name in self.listening:
            self.listening.remove(name)
            self.fire("MEDIA_BUG_STOP", [("Media-Bug-Function", name), ("Media-Bug-Target", self.uuid)])

    def begin_hangup(self, cause: str, *, by_far_end: bool = False) -> bool:
        """CHANNEL_HANGUP: the first of the end; false when it is hung up already.

        ``by_far_end``: the phone sent a BYE, or a CANCEL before it was answered.
        """
        if not self.alive:
            return False
        if by_far_end:
            self.variables.put(terminated(cause, answered=self.answer_state == "answered"))
        if self.bridged is not None:
            self.variables["last_bridge_role"] = "originatee" if self.outbound else "originator"
        ending = "bye" if self.answer_state == "answered" else "cancel"
        self.hangup_cause = cause
        self.answer_state = "hangup"
        self.state_number = STATE_NUMBERS["CS_HANGUP"]
        self.fire("CHANNEL_HANGUP")
        if by_far_end:
            self.variables["sip_hangup_disposition"] = f"recv_{ending}"
        return True

    def finish_hangup(self) -> None:
        """Everything after the applications have ended, to the CHANNEL_STATE that follows CHANNEL_DESTROY."""
        while self.listening:
            self.remove_bug(self.listening[0])
        self.enter("CS_HANGUP")
        self.times.hangup = self.core.clock()
        self.call_enters("HANGUP")
        self.call_uuid = self.uuid
        self.enter("CS_REPORTING")
        self.variables.put(reported(self.profile, self.hangup_cause, self.digits, *self.last_app))
        if self.has_media:
            talked = self.times.hangup - (self.times.answered or self.times.hangup)
            self.variables.setdefault("sip_hangup_disposition", "send_bye")
            self.variables.put(media_report(talked))
        self.fire("CHANNEL_HANGUP_COMPLETE", before=[("Hangup-Cause", self.hangup_cause)])
        self.core.channels.pop(self.uuid, None)
        self.state_number = STATE_NUMBERS["CS_DESTROY"]
        self.fire("CHANNEL_DESTROY")
        self.enter("CS_DESTROY")
        self.gone.set()
        self.prompted.set()
