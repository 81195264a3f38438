"""Call apps, and the calls that are placed into them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from daemon.config.values import Count, Name, Positive


class FallbackConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.fallback]``: what becomes of a caller whose app failed, hung or was lost, or whom none could take."""

    announcement: str = ""
    """Said to them first; empty: nothing."""
    file: str = ""
    """A recording of it, by its path as the switch sees it."""
    extension: str = ""
    """Where they are sent then; empty, or where that fails: the call is hung up."""
    patience: Positive = 20.0
    """The announcement is cut off after so long."""


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, Meta(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z")]


class OutgoingConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.outgoing]``: calls that Parley places into an app. None while nothing is ``allowed``."""

    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may be called, matched whole; empty: none."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may not, whatever ``allowed`` says."""
    caller: str = ""
    """The number that people are shown."""
    ring_time: Positive = 30.0
    days: list[Day] = msgspec.field(default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"])
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "20:00"
    time_zone: str = "Asia/Seoul"
    per_user_per_hour: Count = 60
    per_hour: Count = 300
    at_once: Count = 20
    """Calls of this Parley that are not over at the same time, those included that were handed on to a person."""


class TakeoverConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.takeover]``: where operators may send the callers of live calls.

    To their own extension, as ``parley user extension`` has it, they always may, unless it is ``refused``.
    """

    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of extensions, matched whole; empty: none but their own."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of extensions to which nobody may send callers, whatever ``allowed`` says."""


class RenderingConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.rendering]``: a program that makes sound files of what apps say; none without a ``command``."""

    command: list[str] = msgspec.field(default_factory=list)
    """The program and its arguments; ``{output}`` is the WAV file that it writes, ``{voice}`` the voice."""
    voice: str = ""
    folder: str = "/var/cache/parley/voice"
    switch_folder: str = ""
    """The same folder as the switch sees it; empty: by the same path."""
    max_bytes: Count = 1_073_741_824
    deadline: Positive = 5.0
    at_once: Count = 4
    """Programs that run at the same time."""
    otherwise: Literal["speak", "fail"] = "speak"
    """What becomes of a text that cannot be rendered: the switch speaks it, or the app is told."""


class CallAppConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[callapps.app]]``: an app, and the calls that are its own."""

    name: Name = "echo"
    use: str = ""
    """A built-in's name, or ``package.module:name`` of a function or class; empty: as if it did not stand there."""
    codes: list[str] = msgspec.field(default_factory=list)
    """The codes that a dialplan parks its calls with."""
    dids: list[str] = msgspec.field(default_factory=list)
    """Numbers dialled from outside, as the switch writes them."""
    did_patterns: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of such numbers, matched whole; a number that stands in ``dids`` of another app is that's."""
    deadline: Positive = 900.0
    """How long it may take in all."""
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class CallAppsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps]``: programs that lead parked calls."""

    default: str = ""
    """The app of every parked call that is no other app's; empty: such calls are never touched."""
    at_once: Count = 500
    """Calls with an app at the same time; one more gets the fall-back."""
    recogniser: str = "brain_stt"
    """The vendor in ``[[speech.recogniser]]`` that is started on a call that is answered; empty: none."""
    barge_in_after: Positive = 0.5
    end_silence: Positive = 1.0
    no_input: Positive = 7.0
    too_long: Positive = 30.0
    between_digits: Positive = 3.0
    cleanup: Positive = 5.0
    """How long an app may take to end when its call has."""
    vanished_after: Positive = 30.0
    """How often the switch is asked whether the caller is still there."""
    recordings: dict[str, str] = msgspec.field(default_factory=dict)
    """Paths of sound files by the text that is said in them."""
    hold_music: str = ""
    """What a caller hears while a person is rung for them, by its path as the switch sees it; empty: nothing."""
    rendering: RenderingConfig = msgspec.field(default_factory=RenderingConfig)
    fallback: FallbackConfig = msgspec.field(default_factory=FallbackConfig)
    outgoing: OutgoingConfig = msgspec.field(default_factory=OutgoingConfig)
    takeover: TakeoverConfig = msgspec.field(default_factory=TakeoverConfig)
    app: list[CallAppConfig] = msgspec.field(default_factory=list)
