"""What happens to a call that an app leads, as :class:`protocols.relay.session.Session` is told of it."""

from __future__ import annotations

from typing import Any, Union

import msgspec

from protocols.relay.messages import Setup


class Began(msgspec.Struct, frozen=True):
    """The call is answered, and the caller heard the notice that is due: ``setup`` opens the dialogue, as turn 1."""

    setup: Setup


class NoticeTransferred(msgspec.Struct, frozen=True, gc=False):
    """The notice could not be played, and the operator wants such callers sent to a person."""


class AppSent(msgspec.Struct, frozen=True, gc=False):
    """A frame of the app arrived."""

    frame: str | bytes


class AppLeft(msgspec.Struct, frozen=True, gc=False):
    """The WebSocket is closed or broken."""


class Spoken(msgspec.Struct, frozen=True, gc=False):
    """What :class:`~protocols.relay.orders.Speak` ordered is over: heard to its end, or interrupted where allowed."""


class Answered(msgspec.Struct, frozen=True):
    """What came of :class:`~protocols.relay.orders.Listen`: words, pressed digits, both or neither.

    ``heard_voice``: there was a sound, though maybe no words. ``low_confidence`` is the recogniser's, of the words.
    ``address`` is what an address service made of the words, in the contract's fields, where there is one.
    """

    text: str = ""
    digits: str = ""
    low_confidence: bool = False
    spoke_during_playback: bool = False
    heard_voice: bool = False
    address: dict[str, Any] | None = None


class CallerHungUp(msgspec.Struct, frozen=True, gc=False):
    """The caller is gone."""


class VoiceFailed(msgspec.Struct, frozen=True, gc=False):
    """Speech cannot be made, played or recognised. ``why`` is for people, without the words of anybody."""

    why: str = "speech failed"


Event = Union[Began, NoticeTransferred, AppSent, AppLeft, Spoken, Answered, CallerHungUp, VoiceFailed]
