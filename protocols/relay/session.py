"""A gateway's side of one relayed call, without the WebSocket and the telephone: events in, orders out.

The gateway dials the app while the telephone rings, and makes a session. From then on it tells the session by
:meth:`Session.take` what happens (:mod:`protocols.relay.events`), and does what comes back, in that order
(:mod:`protocols.relay.orders`). Between events it waits until :attr:`Session.deadline`, then asks
:meth:`Session.expire`.

* ``Began`` sends ``setup``. The app answers each message of ours by one instruction: ``say`` is ``Speak``, until
  ``Spoken`` sends ``said``; ``ask`` is ``Listen``, until ``Answered`` sends ``prompt``; ``transfer`` is ``HandOver``;
  ``hangup`` is ``Speak`` where there is a text, until ``Spoken``, and ``HangUp``.
* The app's turn lasts ``answer_within`` seconds. An instruction that cannot be followed is answered by ``error``, which
  is a turn of its own. One that comes while it is not the app's turn is dropped. Of both together ``faults`` end it.
* No more than ``instructions`` are taken, refused ones included, and ``duration`` seconds after ``Began`` it ends, but
  for a goodbye that is being spoken. Both are a ``limit``.
* The app that leaves, sends what is no JSON object, is too late or at fault too often is an ``app_error``; what fails
  on our side is ``voice_failed``, and a notice that cannot be played ``notice_transfer``.
* However it ends, the app is sent one ``end``, and nothing after it; the caller who is still there is handed over, or
  hung up after ``completed``. A goodbye is part of that: a caller who does not hear it out has ``completed`` too.
  What happens later gives no orders.

Source: the published contract of voice relay v1; where it is silent the reading kinder to the caller is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from protocols.errors import LocalError, RemoteError
from protocols.relay.events import (
    Answered,
    AppLeft,
    AppSent,
    Began,
    CallerHungUp,
    Event,
    NoticeTransferred,
    Spoken,
    VoiceFailed,
)
from protocols.relay.messages import (
    Ask,
    End,
    EndReason,
    Error,
    Hangup,
    Instruction,
    InstructionRefusedError,
    Message,
    Said,
    Say,
    decode_instruction,
    encode,
)
from protocols.relay.orders import HandOver, HangUp, Listen, Order, Send, Speak
from protocols.relay.prompt import prompt_of

CONNECT_WITHIN = 6.0
"""Seconds that an app has to take the WebSocket; then the caller goes to a person, and there is no session."""


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What the contract allows an app. Times are in seconds."""

    answer_within: float = 10.0
    instructions: int = 60
    duration: float = 600.0
    faults: int = 3


class Phase(Enum):
    """Where the session is, which is whose move it is."""

    DIALLED = "dialled"
    """The gateway's: the app is connected and knows of nothing yet."""
    APP = "the app's turn"
    SPEAKING = "speaking"
    LISTENING = "listening"
    GOODBYE = "saying goodbye"
    ENDED = "ended"


class Session:
    """One call, from the connected WebSocket to its ``end``.

    Times are of any clock that does not go back, always the same one. An event that cannot happen in a phase, by the
    table at the end of this module, is a fault of the gateway and raises ``LocalError``; nothing the app or the caller
    does raises.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._phase = Phase.DIALLED
        self._turn = 0
        self._instructions = 0
        self._faults = 0
        self._began_at: float | None = None
        self._asked_at = 0.0
        self._question = Ask()
        self._reason: EndReason | None = None
        self._why = ""

    @property
    def phase(self) -> Phase:
        """Where the session is."""
        return self._phase

    @property
    def turn(self) -> int:
        """The number of the last message that was sent to the app, ``0`` before the first."""
        return self._turn

    @property
    def reason(self) -> EndReason | None:
        """How it ended, ``None`` before."""
        return self._reason

    @property
    def why(self) -> str:
        """Why it ended, for logs: holds nothing that was said. ``""`` before."""
        return self._why

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` has something to do, ``None`` while time changes nothing."""
        if self._began_at is None or self._phase in (Phase.GOODBYE, Phase.ENDED):
            return None
        end = self._began_at + self._limits.duration
        return min(end, self._asked_at + self._limits.answer_within) if self._phase is Phase.APP else end

    def expire(self, now: float) -> list[Order]:
        """What to do if the deadline is ``now`` or before; nothing otherwise."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        if self._began_at is not None and deadline == self._began_at + self._limits.duration:
            return self._end(EndReason.LIMIT, f"the dialogue lasted {self._limits.duration:g} s")
        return self._end(EndReason.APP_ERROR, f"the app sent nothing within {self._limits.answer_within:g} s")

    def take(self, event: Event, now: float) -> list[Order]:
        """What to do about ``event``.

        What the app, the voice or the caller's words bring after a deadline comes too late: the deadline counts.
        """
        handler = _TABLE[self._phase].get(type(event))
        if handler is None:
            raise LocalError(f"{type(event).__name__} cannot happen to a relay that is {self._phase.value}")
        late = [] if isinstance(event, CallerHungUp) else self.expire(now)
        return late or handler(self, event, now)

    # -- what happens ------------------------------------------------------------------------------------------------

    def _ignore(self, event: Event, now: float) -> list[Order]:
        return []

    def _on_began(self, event: Began, now: float) -> list[Order]:
        self._began_at = now
        return [self._send(msgspec.structs.replace(event.setup, turn=self._turn + 1), now)]

    def _on_notice_transferred(self, event: NoticeTransferred, now: float) -> list[Order]:
        return self._end(EndReason.NOTICE_TRANSFER, "the notice could not be played")

    def _on_instruction(self, event: AppSent, now: float) -> list[Order]:
        self._instructions += 1
        if self._instructions > self._limits.instructions:
            return self._end(EndReason.LIMIT, f"the app sent more than {self._limits.instructions} instructions")
        try:
            instruction = decode_instruction(event.frame)
        except RemoteError as error:
            return self._end(EndReason.APP_ERROR, str(error))
        except InstructionRefusedError as error:
            refusal = self._send(Error(self._turn + 1, error.code, error.text), now)
            return [refusal, *self._fault(f"an instruction was refused ({error.code.value})")]
        return self._follow(instruction)

    def _on_unasked(self, event: AppSent, now: float) -> list[Order]:
        return self._fault(f"the app sent something while the gateway was {self._phase.value}")

    def _on_app_left(self, event: AppLeft, now: float) -> list[Order]:
        return self._end(EndReason.APP_ERROR, "the app left")

    def _on_spoken(self, event: Spoken, now: float) -> list[Order]:
        return [self._send(Said(self._turn + 1), now)]

    def _on_goodbye_spoken(self, event: Spoken, now: float) -> list[Order]:
        return self._complete()

    def _on_answered(self, event: Answered, now: float) -> list[Order]:
        return [self._send(prompt_of(self._question, event, self._turn + 1), now)]

    def _on_caller_hung_up(self, event: CallerHungUp, now: float) -> list[Order]:
        return self._end(EndReason.CALLER_HANGUP, "the caller hung up")

    def _on_hung_up_at_goodbye(self, event: CallerHungUp, now: float) -> list[Order]:
        return self._end(EndReason.COMPLETED, "the caller hung up while the app said goodbye")

    def _on_voice_failed(self, event: VoiceFailed, now: float) -> list[Order]:
        return self._end(EndReason.VOICE_FAILED, event.why)

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _follow(self, instruction: Instruction) -> list[Order]:
        if isinstance(instruction, Say):
            self._phase = Phase.SPEAKING
            return [Speak(instruction.text, instruction.interruptible)]
        if isinstance(instruction, Ask):
            self._phase = Phase.LISTENING
            self._question = instruction
            return [Listen(instruction.text, instruction.choices, instruction.expect, instruction.label)]
        if isinstance(instruction, Hangup):
            if not instruction.text.strip():
                return self._complete()
            self._phase = Phase.GOODBYE
            return [Speak(instruction.text)]
        return self._end(EndReason.TRANSFERRED, "the app transferred the call")

    def _fault(self, what: str) -> list[Order]:
        """Count a fault of the app, which is ``what``; the last one that is allowed ends it."""
        self._faults += 1
        if self._faults < self._limits.faults:
            return []
        return self._end(EndReason.APP_ERROR, f"{what}, and that was fault {self._faults}")

    def _send(self, message: Message, now: float) -> Send:
        """Say ``message``, to which an instruction is the answer."""
        self._turn = message.turn
        self._phase = Phase.APP
        self._asked_at = now
        return Send(encode(message))

    def _complete(self) -> list[Order]:
        return [*self._end(EndReason.COMPLETED, "the app hung up"), HangUp()]

    def _end(self, reason: EndReason, why: str) -> list[Order]:
        """Say ``end``, and hand over the caller unless all is said or nobody is there."""
        self._turn += 1
        self._phase = Phase.ENDED
        self._reason = reason
        self._why = why
        end = Send(encode(End(self._turn, reason)))
        if reason in (EndReason.COMPLETED, EndReason.CALLER_HANGUP):
            return [end]
        return [end, HandOver(reason, why)]


# Each handler takes the event that it stands beside.
_Handler = Callable[[Session, Any, float], list[Order]]

_ANY_TIME: dict[type[Event], _Handler] = {
    AppLeft: Session._on_app_left,
    CallerHungUp: Session._on_caller_hung_up,
    VoiceFailed: Session._on_voice_failed,
}
_TABLE: dict[Phase, dict[type[Event], _Handler]] = {
    Phase.DIALLED: _ANY_TIME
    | {
        Began: Session._on_began,
        NoticeTransferred: Session._on_notice_transferred,
        AppSent: Session._on_unasked,
    },
    Phase.APP: _ANY_TIME | {AppSent: Session._on_instruction},
    Phase.SPEAKING: _ANY_TIME | {AppSent: Session._on_unasked, Spoken: Session._on_spoken},
    Phase.LISTENING: _ANY_TIME | {AppSent: Session._on_unasked, Answered: Session._on_answered},
    Phase.GOODBYE: {
        AppSent: Session._ignore,
        AppLeft: Session._ignore,
        Spoken: Session._on_goodbye_spoken,
        CallerHungUp: Session._on_hung_up_at_goodbye,
        VoiceFailed: Session._on_voice_failed,
    },
    Phase.ENDED: dict.fromkeys(
        (NoticeTransferred, AppSent, AppLeft, Spoken, Answered, CallerHungUp, VoiceFailed), Session._ignore
    ),
}
"""What each phase does with each event. A pair that is not here cannot happen: the gateway is wrong."""
