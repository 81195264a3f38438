"""What can be done to a leg, whatever switch it stands on, and how sure we are that it happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Certainty(StrEnum):
    """How far a command got.

    ``NOT_SENT``: no byte of it left us, it may be tried again. ``UNKNOWN``: it was written and the link was lost
    before the reply, so it may or may not have happened and must not be repeated blindly. ``ANSWERED``: the switch
    replied; ``ok`` says what.
    """

    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    ANSWERED = "answered"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one command. ``ok`` is true only for an answer that says yes.

    ``text`` is the switch's answer, or why there is none.
    """

    certainty: Certainty
    ok: bool
    text: str = ""


class CallControl(Protocol):
    """Acts on one leg by the other side's ``leg_id``. No method raises for what the switch says: that is the outcome.

    Text with a line break, where the switch's protocol cannot carry one, raises ``protocols.errors.LocalError``
    before anything is sent.
    """

    async def answer(self, leg_id: str) -> Outcome:
        """Answer a ringing or parked leg."""

    async def exists(self, leg_id: str) -> Outcome:
        """Whether the switch has that leg: ``ok`` where it says yes, ``ANSWERED`` and not ``ok`` where it says no.

        A leg that it denies is taken to have ended unseen, and told of as ended a moment later.
        """

    async def mark(self, leg_id: str, mark: str) -> Outcome:
        """Leave ``mark`` (letters, digits, ``._-``; ``""`` takes it away) on the leg, for a later process to find."""

    async def start_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        """Let the configured recogniser of ``vendor`` listen to the leg."""

    async def stop_recogniser(self, leg_id: str, vendor: str) -> Outcome:
        """Let it listen no more."""

    async def play(self, leg_id: str, path: str, *, words: str = "") -> Outcome:
        """Play the sound file at ``path`` (as the switch sees it); returns when it ended or the leg did.

        ``words`` are what is said in it, where that is known: they stand in the transcript in place of its name.
        """

    async def speak(self, leg_id: str, text: str) -> Outcome:
        """Synthesise ``text`` with the configured engine and voice; returns when it ended or the leg did."""

    async def stop(self, leg_id: str) -> Outcome:
        """Stop whatever is being played or spoken."""

    async def record(self, leg_id: str, path: str) -> Outcome:
        """Record both sides into ``path`` (as the switch sees it) until the leg ends."""

    async def stop_recording(self, leg_id: str) -> Outcome:
        """End whatever records the leg."""

    async def send_dtmf(self, leg_id: str, digits: str) -> Outcome:
        """Send ``digits`` (``0-9*#A-D``) to the leg's far end."""

    def dials(self, number: str) -> bool:
        """Whether there is a way from here to ``number``."""

    async def originate(self, number: str, *, leg_id: str, caller: str, ring_time: float, mark: str = "") -> Outcome:
        """Place a call to ``number`` and park it when it answers, within ``ring_time`` seconds.

        The new leg has the id ``leg_id``, which is unique for ever, and ``mark`` from its first moment on. ``caller``
        is the number that is shown, ``""`` for the switch's own. It ends when the leg is parked or is gone again:
        where nobody answered, ``text`` is the hangup cause. Until then :meth:`hang_up` of the leg calls it off; one
        that comes before the switch has made the leg is too early, and is answered ``ok`` all the same.
        """

    async def hold(self, leg_id: str, on: bool) -> Outcome:
        """Put the leg on hold (``on``) or take it off."""

    async def bridge(self, leg_id: str, other_leg_id: str) -> Outcome:
        """Let two legs hear each other."""

    async def transfer(self, leg_id: str, destination: str) -> Outcome:
        """Send the leg to ``destination`` in its dialplan context."""

    async def hang_up(self, leg_id: str, cause: str = "NORMAL_CLEARING") -> Outcome:
        """Hang the leg up. Hanging up a leg that is gone is answered ``ok``."""
