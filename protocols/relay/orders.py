"""What a gateway has to do for a call that an app leads, as :class:`protocols.relay.session.Session` says."""

from __future__ import annotations

from typing import Union

import msgspec

from protocols.relay.messages import EndReason, Expect


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send this text frame to the app."""

    frame: str


class Speak(msgspec.Struct, frozen=True, gc=False):
    """Speak ``text`` to its end or, if ``interruptible``, until the caller speaks; then tell ``Spoken``."""

    text: str
    interruptible: bool = False


class Listen(msgspec.Struct, frozen=True):
    """Speak ``text``, if there is any, until the caller speaks; listen to the answer; then tell ``Answered``.

    ``choices`` are what the answer may be, for a recogniser that takes hints. With ``expect`` the answer is looked up
    where there is a service for it, under the name ``label``.
    """

    text: str = ""
    choices: tuple[str, ...] = ()
    expect: Expect | None = None
    label: str = ""


class HangUp(msgspec.Struct, frozen=True, gc=False):
    """End the call: all is said."""


class HandOver(msgspec.Struct, frozen=True, gc=False):
    """Stop speaking and listening, and send the caller to a person.

    After ``TRANSFERRED`` that is the number which the operator configured for the app; after any other ``reason`` what
    the operator configured for calls that an app cannot lead. ``why`` is for logs and holds nothing that was said.
    """

    reason: EndReason
    why: str


Order = Union[Send, Speak, Listen, HangUp, HandOver]
