"""What came of one call that was placed into an app, from its leg and from the switch's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from daemon.callapps.outgoing import OPEN, OutgoingCall, OutgoingState
from daemon.calls.call import Leg, LegState
from daemon.stores.outgoing_calls import OutgoingCallRow

_CAUSES: Final[Mapping[str, OutgoingState]] = MappingProxyType(
    {
        "USER_BUSY": OutgoingState.BUSY,
        "NO_ANSWER": OutgoingState.NO_ANSWER,
        "NO_USER_RESPONSE": OutgoingState.NO_ANSWER,
        "ALLOTTED_TIMEOUT": OutgoingState.NO_ANSWER,
        "PROGRESS_TIMEOUT": OutgoingState.NO_ANSWER,
        "CALL_REJECTED": OutgoingState.REFUSED,
        "ORIGINATOR_CANCEL": OutgoingState.CANCELLED,
        "NORMAL_CLEARING": OutgoingState.CANCELLED,
        "MANAGER_REQUEST": OutgoingState.CANCELLED,
    }
)
"""By the hangup cause of a leg that was not answered; any other is a failure."""

ENDED_UNSEEN: Final = "it ended while nobody could see how"


class Progress:
    """One call, as ``row`` has it. ``changed`` is called after each change."""

    def __init__(
        self, row: OutgoingCallRow, *, clock: Callable[[], float], changed: Callable[[Progress], None]
    ) -> None:
        self.row = row
        self._clock = clock
        self._changed = changed

    @property
    def state(self) -> OutgoingState:
        """How far it is."""
        return OutgoingState(self.row.state)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in OPEN

    def dial_on(self, server: str) -> None:
        """That switch is told to dial."""
        self.row = msgspec.structs.replace(self.row, server=server)

    def see(self, leg: Leg) -> None:
        """Its leg is known, and stands as it is."""
        if leg.machine and not self.row.machine and not self.is_over:
            self._become(self.state, machine=True)
        if leg.state is LegState.ANSWERED:
            self.answered(leg.answered_at)
        elif leg.state is LegState.ENDED:
            if leg.answered_at is not None:
                self.answered(leg.answered_at)
            if leg.hangup_cause:
                self.end(leg.hangup_cause)
            else:
                self.lose(ENDED_UNSEEN)
        elif self.state is OutgoingState.DIALLING:
            self._become(OutgoingState.RINGING)

    def answered(self, at: float | None = None) -> None:
        """Somebody or something answered; ``at`` that time, or now."""
        if not self.is_over and self.state is not OutgoingState.ANSWERED:
            self._become(OutgoingState.ANSWERED, answered_at=self._clock() if at is None else at)

    def end(self, cause: str) -> None:
        """Its leg ended with that hangup cause, or never was for that reason."""
        was_answered = self.state is OutgoingState.ANSWERED
        self._finish(OutgoingState.ENDED if was_answered else _CAUSES.get(cause, OutgoingState.FAILED), cause)

    def lose(self, why: str) -> None:
        """It is over, and nobody knows how."""
        was_answered = self.state is OutgoingState.ANSWERED
        self._finish(OutgoingState.ENDED if was_answered else OutgoingState.UNKNOWN, why)

    def fail(self, why: str) -> None:
        """Nothing was placed: the same key may be used for another try."""
        if not self.is_over:
            self.row = msgspec.structs.replace(self.row, request_key=None)
            self._finish(OutgoingState.FAILED, why)

    def _finish(self, state: OutgoingState, cause: str) -> None:
        if not self.is_over:
            self._become(state, cause=cause, ended_at=self._clock(), variables={})

    def _become(self, state: OutgoingState, **known: object) -> None:
        self.row = msgspec.structs.replace(self.row, state=state.value, **known)
        self._changed(self)


def told(row: OutgoingCallRow) -> OutgoingCall:
    """What others are told of a stored one."""
    return OutgoingCall(
        call_id=row.call_id,
        actor=row.actor,
        app=row.app,
        number=row.number,
        server=row.server,
        state=OutgoingState(row.state),
        cause=row.cause,
        machine=row.machine,
        created_at=row.created_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
    )
