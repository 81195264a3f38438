"""How far a click-to-call is, from the events of its channels.

The first channel (the half of a Local channel that an Originate makes) is the call's ``Linkedid``. It rings and answers
as the extension's phone does, then runs the dialplan that calls the other party.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from daemon.pbx.contract import CallStep, Forward, PlacedCall, StepTaken
from daemon.stores.click_to_calls import ClickToCallRow, StepRow
from protocols.dcmiws.diversions import DiversionKind, is_number
from protocols.dcmiws.glance import GlanceData

_RINGING: Final = "5"
_UP: Final = "6"

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "the phone could not be called",
        "1": "the phone hung up",
        "3": "nobody answered",
        "5": "the phone is busy",
        "8": "the PBX had no line free, or the phone is not there",
    }
)
"""``Reason`` of an ``OriginateResponse``, in words."""

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1": "the phone could not be called",
        "17": "the phone is busy",
        "18": "nobody answered",
        "19": "nobody answered",
        "20": "the phone could not be called",
        "21": "the call was rejected",
        "34": "no line was free",
    }
)
"""Q.850 causes of a call that did not come about, in words."""

STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BUSY": "the line is busy",
        "NOANSWER": "nobody answered",
        "CANCEL": "it was cancelled",
        "CONGESTION": "no line was free",
        "CHANUNAVAIL": "the number cannot be reached",
    }
)
"""``DialStatus`` of a dial that did not come about, in words."""

LINK_LOST: Final = "the link to the PBX was lost meanwhile"
SERVER_AWAY: Final = "the server was away or restarted meanwhile"
ENDED_UNSEEN: Final = "it ended while nobody could see how"
RESTARTED: Final = "Parley was restarted meanwhile"
BROKEN: Final = "something went wrong in Parley itself"
UNKNOWN: Final = (LINK_LOST, SERVER_AWAY, ENDED_UNSEEN, RESTARTED, BROKEN)
"""Why the outcome of a call is not known, in words."""

_UNREAD: Final = "?"
"""Stands for diversions that could not be read."""

OVER: Final = frozenset(
    {
        CallStep.ENDED,
        CallStep.CALLER_UNREACHED,
        CallStep.CALLEE_UNREACHED,
        CallStep.FAILED,
        CallStep.OUTCOME_UNKNOWN,
    }
)

_WITHOUT_QUEUE: Final = frozenset({CallStep.REQUESTED, CallStep.QUEUED, CallStep.FAILED, CallStep.OUTCOME_UNKNOWN})

EVENTS: Final = ("Newchannel", "VarSet", "Newexten", "Newstate", "DialBegin", "DialEnd", "Hangup")


class Progress:
    """One click-to-call. ``row`` is how it is stored; ``changed`` is called after each change of it.

    ``diverted`` is the context into which a diversion sends a call.
    """

    def __init__(
        self,
        row: ClickToCallRow,
        *,
        diverted: str,
        clock: Callable[[], float],
        changed: Callable[[Progress], None],
    ) -> None:
        self._row = row
        self._diverted = diverted
        self._clock = clock
        self._changed = changed
        self.steps = [StepTaken(CallStep(step.step), step.at, step.detail) for step in row.steps]
        self.way = row.way
        self.notice = row.notice
        self.call_id = row.call_id
        self.server_id = 0
        self.linkedid = ""
        """Of the call, once it is tied to the request."""
        self.is_heard = False
        """Whether anything was heard of the call."""
        self._callee_channels: set[str] = set()
        self._callee_failed = ""
        self._placed_nothing = False

    @property
    def click_to_call_id(self) -> str:
        """Its id."""
        return self._row.click_to_call_id

    @property
    def has_answered(self) -> bool:
        """Whether the extension's phone, or the one that it is forwarded to, has."""
        return self._has(CallStep.CALLER_ANSWERED)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return bool(self.steps) and self.steps[-1].step in OVER

    def row(self) -> ClickToCallRow:
        """As it is stored."""
        return ClickToCallRow(
            click_to_call_id=self._row.click_to_call_id,
            actor=self._row.actor,
            request_key=None if self._placed_nothing else self._row.request_key,
            request=self._row.request,
            tenant=self._row.tenant,
            caller=self._row.caller,
            callee=self._row.callee,
            way=self.way,
            notice=self.notice,
            call_id=self.call_id,
            created_at=self._row.created_at,
            ended_at=self.steps[-1].at if self.is_over else None,
            steps=[StepRow(step.step, step.at, step.detail) for step in self.steps],
        )

    def take_step(self, step: CallStep, detail: str = "") -> None:
        """It came so far. A step is taken once, and none after the last.

        What is heard of the call can come before the word that it is queued, which it then must be.
        """
        if self.is_over or self._has(step):
            return
        if step not in _WITHOUT_QUEUE:
            self.take_step(CallStep.QUEUED)
        self.steps.append(StepTaken(step, self._clock(), detail))
        self._changed(self)

    def fail(self, why: str) -> None:
        """Nothing was placed: the same key may be used for another try."""
        self._placed_nothing = True
        self.take_step(CallStep.FAILED, why)

    def tie(self, server_id: int, linkedid: str) -> None:
        """That call is what became of the request; ``""``: none is."""
        self.server_id, self.linkedid = server_id, linkedid

    def note(self, forwards: Sequence[Forward] | None) -> None:
        """The caller's diversions are these, or could not be read."""
        said = None if forwards is None else [f"{one.kind} {one.destination}" for one in forwards]
        self.notice = _UNREAD if said is None else "\n".join(said)

    def _has(self, step: CallStep) -> bool:
        return any(taken.step is step for taken in self.steps)

    # Events of its channels

    def take(self, data: GlanceData) -> None:
        """Take in an event of a channel of this call."""
        self.is_heard = True
        first = data.uniqueid == self.linkedid
        match data.event:
            case "Newstate" if first and data.channel_state == _RINGING:
                self.take_step(CallStep.CALLER_RINGING)
            case "Newstate" if first and data.channel_state == _UP:
                self.take_step(CallStep.CALLER_ANSWERED)
            case "Newexten" if not first and data.context == self._diverted and is_number(data.exten):
                self.take_step(CallStep.FORWARDED, data.exten)
            case "DialBegin" if first:
                self._callee_channels.add(data.dest_uniqueid)
            case "Newstate" if data.uniqueid in self._callee_channels:
                if data.channel_state == _RINGING:
                    self.take_step(CallStep.CALLEE_RINGING)
                elif data.channel_state == _UP:
                    self.take_step(CallStep.CALLEE_ANSWERED)
            case "DialEnd" if first and data.dial_status != "ANSWER":
                self._callee_failed = STATUSES.get(data.dial_status, data.dial_status.lower())
            case "Hangup" if first:
                self._end(data)

    def outcome(self, response: str, reason: str) -> None:
        """The ``OriginateResponse``: whether the extension's phone answered."""
        self.is_heard = True
        if response == "Success":
            self.take_step(CallStep.CALLER_ANSWERED)
        else:
            self.take_step(CallStep.CALLER_UNREACHED, REASONS.get(reason, f"reason {reason}"))

    def _end(self, data: GlanceData) -> None:
        cause = data.cause_text or (f"cause {data.cause}" if data.cause else "")
        if not self._has(CallStep.CALLER_ANSWERED):
            self.take_step(CallStep.CALLER_UNREACHED, CAUSES.get(data.cause, cause))
        elif self._has(CallStep.CALLEE_ANSWERED) or not (self._callee_channels or self._callee_failed):
            self.take_step(CallStep.ENDED, cause)
        else:
            self.take_step(CallStep.CALLEE_UNREACHED, self._callee_failed or CAUSES.get(data.cause, cause))


def placed_call(row: ClickToCallRow) -> PlacedCall:
    """What others are told of a stored one."""
    unread = row.notice == _UNREAD
    notes = [line.partition(" ") for line in row.notice.split("\n") if line and not unread]
    return PlacedCall(
        click_to_call_id=row.click_to_call_id,
        tenant=row.tenant,
        caller=row.caller,
        callee=row.callee,
        actor=row.actor,
        way=row.way,
        forwards=[Forward(DiversionKind(kind), destination) for kind, _, destination in notes],
        forwards_unread=unread,
        created_at=row.created_at,
        ended_at=row.ended_at,
        call_id=row.call_id,
        steps=[StepTaken(CallStep(step.step), step.at, step.detail) for step in row.steps],
    )
