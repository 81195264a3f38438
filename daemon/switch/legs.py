"""The legs of one switch as its events show them: which live, which have ended, and what was told of each.

* A leg's call is read where the leg appears: a b-leg's ``Channel-Call-UUID`` is the caller's until it hangs up and its
  own from then on. A loopback b side belongs to the call of its a side, though it looks like a new inbound call.
* A leg is born with its ``CHANNEL_CREATE``. Until then its data need not say whose call it belongs to, so that a
  snapshot which shows it earlier is not believed (:func:`is_unborn`).
* ``CHANNEL_CREATE`` may have been missed; then the first event of the leg that does not end it says as much. Nothing
  brings a leg back that has ended, though events of it still come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import structlog

from daemon.calls.call import Leg
from daemon.calls.events import (
    AnswererDetected,
    CallEvent,
    Direction,
    LegAppeared,
    LegChanged,
    LegEnded,
    LegParked,
    LegsBridged,
    LegUnparked,
)
from daemon.switch.clock import SwitchClock
from protocols.esl.events import ChannelRow, EslEvent

log = structlog.get_logger(__name__)

ORIGIN = "freeswitch"

_ENDED_REMEMBERED = 16_384
_UNBORN = ("CS_NEW", "CS_NONE")
_LEAVING_PARK = ("CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE")
_CAN_PARK = ("CS_EXECUTE", "CS_PARK")
_ANSWERERS = {"MACHINE": True, "HUMAN": False}
"""``amd_result``, the variable in which the application ``amd`` says who answered. What is not sure is not told."""


class OfLeg(TypedDict):
    """What every call event carries."""

    origin: str
    server: str
    leg_id: str
    at: float


class Legs:
    """Tells ``emit`` of the legs of ``server`` that appear, change and end."""

    def __init__(self, server: str, emit: Callable[[CallEvent], None], clock: SwitchClock) -> None:
        self.core = ""
        """The ``Core-UUID`` of the switch as it runs now."""
        self.clock = clock
        self.server = server
        self.moved: set[str] | None = None
        """While a snapshot is read: the legs that events have told of since."""
        self.is_stored: Callable[[str], bool] = lambda leg_id: False
        """Whether the store knows a call of that leg, which no snapshot has shown yet."""
        self._emit = emit
        self._live: dict[str, tuple[str, str]] = {}  # leg id → code and destination, as last told
        self._parked: set[str] = set()
        self._detected: set[str] = set()
        self._ended: dict[str, None] = {}  # oldest first

    def of(self, event: EslEvent) -> OfLeg:
        """What a call event made of ``event`` begins with."""
        return {"origin": ORIGIN, "server": self.server, "leg_id": event.unique_id, "at": self.at(event)}

    def at(self, event: EslEvent) -> float:
        """When ``event`` happened, in Unix seconds of our clock; now, where it does not say."""
        return event.at + self.clock.offset if event.timestamp else self.clock.now()

    def meet_core(self, event: EslEvent) -> None:
        """Another ``Core-UUID`` is another life of the switch: no leg of the one before it is left."""
        if self.core:
            log.warning("switch_restarted", switch=self.server, legs=len(self._live))
        for leg_id in list(self._live):
            self.lose(leg_id)
        self.core = event.core_uuid
        self.clock.settle(event.core_uuid, event.at)

    # How a leg begins

    def is_live(self, event: EslEvent) -> bool:
        """Whether ``event`` is of a leg that lives, after telling of that leg where its beginning was missed."""
        leg_id = event.unique_id
        if leg_id in self._live:
            return True
        if not leg_id or leg_id in self._ended or event.answer_state == "hangup":
            return False
        at_park = event.current_application == "park" and event.name not in _LEAVING_PARK and can_park(event)
        self._appear(event, code=event.own_code, parked=at_park and not event.bridged_to, peer_id=event.bridged_to)
        return True

    def is_known(self, leg_id: str) -> bool:
        """Whether this leg was told of, be it alive or ended."""
        return leg_id in self._live or leg_id in self._ended

    def can_live(self, channel: EslEvent) -> bool:
        """Whether a channel that a snapshot shows is a leg: not hung up, and not one that was told to have ended.

        A ``Core-UUID`` that is not known yet ends all that was.
        """
        if channel.core_uuid != self.core and channel.core_uuid:
            self.meet_core(channel)
        return bool(channel.unique_id) and channel.unique_id not in self._ended and channel.answer_state != "hangup"

    def find(self, channel: EslEvent, row: ChannelRow, *, code: str, parked: bool, peer_id: str) -> None:
        """A snapshot shows a leg that :meth:`can_live` by its data (``uuid_dump``) and its row in the list.

        ``code`` is its own, ``peer_id`` the leg it is bridged to. A leg that is bridged is not ``parked``, whatever was
        made of its application.
        """
        self._appear(channel, code=code, parked=parked and not peer_id, peer_id=peer_id, row=row)

    def find_moved(self, channel: EslEvent, row: ChannelRow, standing: Leg, *, code: str) -> None:
        """As :meth:`find`, of a leg that events have told of since its data were asked for: what changes stands as they
        left it."""
        _, destination = self._live.get(channel.unique_id, ("", ""))
        self._appear(
            channel,
            code=standing.code or code,
            parked=standing.parked,
            peer_id=standing.peer_id,
            row=row,
            destination=destination,
            held=standing.held,
        )

    def _appear(
        self,
        event: EslEvent,
        *,
        code: str,
        parked: bool,
        peer_id: str,
        row: ChannelRow | None = None,
        destination: str = "",
        held: bool | None = None,
    ) -> None:
        leg_id, destination = event.unique_id, destination or event.destination
        self._live[leg_id] = (code, destination)
        if parked:
            self._parked.add(leg_id)
        else:
            self._parked.discard(leg_id)
        number, name, did = _beginning(event, row)
        self._emit(
            LegAppeared(
                **self.of(event),
                call_key=_call_key(event),
                direction=Direction.OUTBOUND if event.direction == "outbound" else Direction.INBOUND,
                caller=event.caller_username or number,
                caller_name=name,
                callee=destination,
                did=did,
                code=code,
                created_at=self.clock.ours(event.created_at) or self.at(event),
                answered_at=self.clock.ours(event.answered_at),
                early=event.answer_state == "early",
                parked=parked,
                held=event.call_state == "HELD" if held is None else held,
                peer_id=peer_id,
                mark=event.mark,
            )
        )

    # What changes

    def note(self, event: EslEvent) -> None:
        """``event`` tells the code and the destination of a live leg by its own means (park, unpark)."""
        self._live[event.unique_id] = (
            event.own_code or self._live[event.unique_id][0],
            event.destination or self._live[event.unique_id][1],
        )

    def park(self, event: EslEvent) -> None:
        """``event`` says that a live leg is parked now."""
        self.note(event)
        self._parked.add(event.unique_id)
        self._emit(LegParked(**self.of(event), code=event.own_code))

    def unpark(self, event: EslEvent) -> None:
        """``event`` says that a live leg is parked no more."""
        self.note(event)
        self._parked.discard(event.unique_id)
        self._emit(LegUnparked(**self.of(event), callee=event.destination))

    def bridge(self, channel: EslEvent) -> None:
        """A live leg is seen to be bridged, by its data."""
        self._emit(LegsBridged(**self.of(channel), other_leg_id=channel.bridged_to))

    def detect(self, event: EslEvent) -> None:
        """Tell who answered a live leg, once ``event`` says what a detector made of them."""
        machine = _ANSWERERS.get(event.amd_result.upper()) if event.amd_result else None
        if machine is not None and event.unique_id not in self._detected:
            self._detected.add(event.unique_id)
            self._emit(AnswererDetected(**self.of(event), machine=machine))

    def is_parked(self, leg_id: str) -> bool:
        """Whether that leg is parked, by all that was told."""
        return leg_id in self._parked

    def compare(self, event: EslEvent) -> None:
        """Tell of a new code or destination of a live leg, where ``event`` has one."""
        code, destination = event.own_code, event.destination
        told = self._live[event.unique_id]
        changed_code = code if code != told[0] else ""
        changed_destination = destination if destination != told[1] else ""
        if changed_code or changed_destination:
            self.note(event)
            self._emit(LegChanged(**self.of(event), code=changed_code, callee=changed_destination))

    # How it ends

    def end(self, event: EslEvent) -> None:
        """``event`` is one of those that end a leg. Only the first of them is told.

        Of one that ended while it was asked about, the store knows the call: it appears, to end with its cause.
        """
        cause = event.hangup_cause or event.variable_hangup_cause
        if event.unique_id not in self._live and event.unique_id not in self._ended and self.is_stored(event.unique_id):
            self._appear(event, code=event.own_code, parked=False, peer_id="")
        self._bury(event.unique_id)
        if self._live.pop(event.unique_id, None) is not None:
            self._emit(LegEnded(**self.of(event), cause=cause))

    def lose(self, leg_id: str) -> None:
        """The switch denies a leg that was taken to live: it ended while we could not see it."""
        self._bury(leg_id)
        self._live.pop(leg_id, None)
        now = self.clock.now()
        self._emit(LegEnded(origin=ORIGIN, server=self.server, leg_id=leg_id, at=now, while_away=True))

    def _bury(self, leg_id: str) -> None:
        self._parked.discard(leg_id)
        self._detected.discard(leg_id)
        if not leg_id or leg_id in self._ended:
            return
        self._ended[leg_id] = None
        if len(self._ended) > _ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]


def _call_key(event: EslEvent) -> str:
    """The leg whose call the event's leg belongs to."""
    if event.loopback_leg == "B" and event.other_loopback_leg_id:
        return event.other_loopback_leg_id
    return event.call_uuid or event.unique_id


def is_unborn(channel: EslEvent) -> bool:
    """Whether ``CHANNEL_CREATE``, which is sent in the state ``CS_INIT``, is still to come."""
    return channel.channel_state in _UNBORN


def can_park(channel: EslEvent) -> bool:
    """Whether a channel is in a state in which it can stand in ``park``.

    It goes on naming ``park`` as its application when it has left, until there is another.
    """
    return channel.channel_state in _CAN_PARK


def _beginning(event: EslEvent, row: ChannelRow | None) -> tuple[str, str, str]:
    """The caller's number and name and the DID, as ``CHANNEL_CREATE`` gave them.

    Of an originated leg that has been answered the channel's own data say otherwise: it then is called by the other
    side (``Caller-Caller-ID-Number: public``). The list of channels keeps what was said first.
    """
    if row is not None and (row.initial_caller_number or row.initial_destination):
        return row.initial_caller_number, row.initial_caller_name, row.initial_destination
    return event.caller_number, event.caller_name, _did(event)


def _did(event: EslEvent) -> str:
    """The number first dialled. After a transfer the destination is another, and the first one stands in ``RDNIS``."""
    if event.rdnis and event.name != "CHANNEL_CREATE":
        return event.sip_to_user or event.rdnis
    return event.destination
