"""What can happen to a call of the simulated switch: it arrives, is parked, placed, bridged, transferred, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from daemon.demo.channel import Channel
from daemon.demo.core import Core
from daemon.demo.event import Headers
from daemon.demo.profile import CallerProfile
from daemon.demo.thread import Application, Thread
from daemon.demo.variables import invited, joined, originated, reached

Dialplan = Sequence[tuple[str, str]]
"""Applications with their arguments, in order."""


@dataclass(frozen=True)
class Destination:
    """What a number does when it is called. ``rings`` is seconds; without ``answers`` the leg ends with ``cause``.

    ``machine``: who answers is one, as the application ``amd`` finds out.
    """

    rings: float = 2.0
    answers: bool = True
    cause: str = "NO_ANSWER"
    name: str = "Outbound Call"
    machine: bool = False


class Exchange:
    """The telephony of one running switch.

    ``destinations`` says how numbers that are dialled out behave, ``dialplan`` what a transfer to a number runs;
    a number that stands in neither is bridged to a leg that answers after the ``Destination``'s default.
    """

    def __init__(self, core: Core, applications: dict[str, Application]) -> None:
        self.core = core
        self.applications = applications
        self.destinations: dict[str, Destination] = {}
        self.dialplan: dict[str, Dialplan] = {}

    def channel(self, uuid: str) -> Channel | None:
        """The channel of that id, ``None`` when there is none (any more)."""
        return self.core.channels.get(uuid)

    # --- a call comes in ---

    def arrive(self, *, caller: str, did: str, name: str = "", code: str = "", uuid: str = "") -> Channel:
        """An inbound call reaches its dialplan, which gives it the app ``code`` (none for ``""``)."""
        profile = CallerProfile(
            uuid=uuid or self.core.new_id(),
            channel_name=f"sofia/external/{caller}@127.0.0.1:5091",
            direction="inbound",
            number=caller,
            name=name,
            destination=did,
            username=caller,
        )
        channel = Channel(self.core, profile)
        Thread(channel, self.applications)
        channel.variables.put(invited(profile, channel.endpoint))
        channel.arrive()
        if code:
            self.give_code(channel, code)
        return channel

    def give_code(self, channel: Channel, code: str) -> None:
        """Run ``set_profile_var code=…``: the code stands in events from the completion on."""
        execution = channel.thread.at_once("set_profile_var", f"code={code}")
        channel.profile.code = code
        channel.thread.completed(execution)

    def park(self, channel: Channel) -> None:
        """Let the dialplan park the call until something takes it away."""
        if channel.alive:
            execution = channel.thread.at_once("park")
            channel.fire("CHANNEL_PARK")
            channel.thread.stand(execution, lambda: _unpark(channel))

    # --- a call goes out ---

    def place(
        self,
        destination: str,
        *,
        originator: Channel | None = None,
        caller: str = "",
        name: str = "",
        uuid: str = "",
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Channel:
        """Place an outbound leg, for ``originator`` or by command. It is being dialled: nothing rings yet.

        ``variables`` are on it from its first event on.
        """
        source = originator.profile if originator is not None else None
        profile = CallerProfile(
            uuid=uuid or self.core.new_id(),
            channel_name=f"sofia/external/{destination}",
            direction="outbound",
            logical_direction="outbound",
            number=source.number if source else caller,
            name=source.name if source else name,
            destination=destination,
            username=source.username if source else "",
            callee_name=self.destinations.get(destination, Destination()).name,
            callee_number=destination,
            rdnis=source.destination if source and source.rdnis else "",
            code=source.code if source else "",
        )
        channel = Channel(self.core, profile, outbound=True)
        Thread(channel, self.applications)
        channel.originator = source
        forwards = int(str(originator.variables.get("max_forwards", "70"))) - 1 if originator is not None else 70
        owner = originator.uuid if originator is not None else ""
        channel.variables.put(originated(profile, channel.endpoint, owner, forwards))
        channel.variables.put(dict(variables))
        channel.dial(owner, old_uuid=self.core.new_id() if uuid else "")
        return channel

    async def ring_out(self, channel: Channel) -> bool:
        """Let the called number do what it does; true when it answered."""
        destination = self.destinations.get(channel.first_destination, Destination())
        channel.ring()
        if await channel.thread.pause(destination.rings) or not channel.alive:
            return False
        if not destination.answers:
            channel.thread.hang_up(destination.cause, by_far_end=True)
            return False
        return channel.answer()

    # --- two calls meet ---

    def join(self, a: Channel, b: Channel, *, by_command: bool = False) -> None:
        """Let two legs hear each other: CHANNEL_BRIDGE on ``a``, whose b-leg ``b`` becomes.

        ``by_command`` is ``uuid_bridge``: both leave what they were in first. Nothing happens to two that are joined.
        """
        if by_command:
            if b in (a, a.bridged):
                return
            for channel in (a, b):
                channel.thread.leave()
                channel.enter("CS_RESET")
                channel.enter("CS_SOFT_EXECUTE")
        a.bridged, b.bridged, a.other = b, a, b
        a.profile.callee_name, a.profile.callee_number = b.profile.callee_name, b.profile.callee_number
        a.call_enters("ACTIVE")
        a.times.bridged = b.times.bridged = self.core.clock()
        for one, two in ((a, b), (b, a)):
            one.variables["signal_bond"] = two.uuid
        pair: Headers = [("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid)]
        a.fire("CHANNEL_BRIDGE", before=pair)
        for one, two in ((a, b), (b, a)):
            one.variables.put(joined(two.uuid, two.profile.channel_name))
        callee = {"name": b.profile.callee_name, "number": b.profile.callee_number}
        a.variables.put({f"last_sent_callee_id_{what}": value for what, value in callee.items()})
        b.enter("CS_EXCHANGE_MEDIA")
        sent: Headers = [("Direction", "SEND"), ("Sent-Callee-ID-Name", b.profile.callee_name)]
        a.fire(
            "CALL_UPDATE", before=[*sent, ("Sent-Callee-ID-Number", b.profile.callee_number), ("Bridged-To", b.uuid)]
        )
        b.thread.stand(None, lambda: self._part(a, b, b))
        if by_command:
            a.thread.stand(None, lambda: self._part(a, b, a))

    def _part(self, a: Channel, b: Channel, leaver: Channel) -> None:
        """One of two bridged legs leaves; the other one has nothing left to do and ends."""
        if a.bridged is not b:
            return
        a.bridged = b.bridged = None
        cause = leaver.hangup_cause or "NORMAL_CLEARING"
        for channel in (a, b):
            channel.variables.drop("bridge_to")
            channel.variables["bridge_hangup_cause"] = cause
        if leaver is a and b.alive:
            b.thread.hang_up(cause)
        a.fire("CHANNEL_UNBRIDGE", before=[("Bridge-A-Unique-ID", a.uuid), ("Bridge-B-Unique-ID", b.uuid)])
        if leaver is b:
            a.thread.leave()
            a.thread.hang_up("NORMAL_CLEARING")

    async def bridge_out(self, a: Channel, data: str) -> Channel | None:
        """Run ``bridge`` with a dial string: place, ring, and join when the number answers, else end the call.

        Returns the b-leg that answered.
        """
        execution = a.thread.at_once("bridge", data)
        a.thread.stand(execution, lambda: None)
        a.call_enters("RING_WAIT" if a.answer_state == "answered" else a.call_state)
        b = self.place(number_of(data), originator=a)
        a.thread.stand(execution, lambda: _cancel(b, "ORIGINATOR_CANCEL"))
        answered = await self.ring_out(b)
        if not a.alive or a.thread.standing is not execution:
            return None
        if not answered:
            cause = b.hangup_cause
            a.thread.stand(execution, lambda: None)
            a.thread.leave()
            a.thread.hang_up(cause)
            return None
        if a.answer():
            a.call_enters("ACTIVE")
        a.variables.put(reached(b.uuid, b.profile.callee_name, b.profile.callee_number))
        self.join(a, b)
        a.thread.stand(execution, lambda: self._part(a, b, a))
        return b

    # --- a call goes elsewhere ---

    def transfer(self, channel: Channel, destination: str) -> asyncio.Task[None] | None:
        """Transfer a leg blindly: its profile changes, it leaves what it was in, and the dialplan runs from there.

        Returns the run of the dialplan, ``None`` when the leg ended in leaving.
        """
        channel.transfer_to(destination)
        active = channel.call_state == "ACTIVE"
        channel.state_number = 2
        channel.thread.leave()
        if not channel.alive:
            return None
        channel.other = None
        channel.state = "CS_ROUTING"
        if active:
            channel.call_enters("RINGING")
        channel.enter("CS_ROUTING")
        channel.state, channel.state_number = "CS_EXECUTE", 4
        if active:
            channel.call_enters("ACTIVE")
        channel.enter("CS_EXECUTE")
        channel.variables["call_uuid"] = channel.call_uuid
        steps = self.dialplan.get(destination, [("bridge", f"sofia/external/{destination}@127.0.0.1")])
        return self.core.spawn(self.run(channel, steps))

    async def run(self, channel: Channel, steps: Dialplan) -> None:
        """Run a dialplan's applications one after another; a call that comes to their end is hung up."""
        for app, data in steps:
            if not channel.alive:
                return
            if app == "park":
                self.park(channel)
                return
            if app == "bridge":
                await self.bridge_out(channel, data)
                return
            await channel.thread.run(app, data)
        channel.thread.hang_up("NORMAL_CLEARING")


def number_of(dial_string: str) -> str:
    """The number that a dial string calls: ``{vars}sofia/gateway/name/0212345678`` calls ``0212345678``."""
    address = dial_string.rsplit("}", maxsplit=1)[-1].split(",", maxsplit=1)[0].split("|", maxsplit=1)[0]
    kind, _, rest = address.partition("/")
    if kind == "loopback":
        return rest.split("/")[0]
    return address.rsplit("/", 1)[-1].split("@")[0]


def _unpark(channel: Channel) -> None:
    channel.variables.drop("current_loop", "total_loops")
    channel.fire("CHANNEL_UNPARK")


def _cancel(channel: Channel, cause: str) -> None:
    if channel.alive:
        channel.thread.hang_up(cause)
