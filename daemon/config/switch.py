"""Switches, what hears people on them, and their calls."""

from __future__ import annotations

import msgspec

from daemon.config.values import Count, Name, Port, Positive, Vendor


class SwitchConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[switch]]``: one FreeSWITCH. Its password is the secret ``switch-<name>-password``."""

    name: Name = "main"
    host: str = "127.0.0.1"
    port: Port = 8021
    connect_timeout: Positive = 5.0
    command_timeout: Positive = 10.0
    silence_timeout: Positive = 45.0
    """A link that says nothing for so long (HEARTBEAT comes every 20 s) is dropped and made anew."""
    reconnect_first: Positive = 0.25
    reconnect_cap: Positive = 15.0
    refused_retry: Positive = 60.0
    reconcile_interval: Positive = 60.0
    max_frame: Count = 16_777_216
    """The largest body of one frame, in bytes."""
    speak_engine: str = ""
    speak_voice: str = ""
    dial: dict[str, str] = msgspec.field(default_factory=dict)
    """Endpoints that ``{number}`` is dialled at, by regular expressions of the numbers, matched whole. The first that
    fits counts; a number that none fits is not dialled here."""


class RecogniserConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[speech.recogniser]]``: how Parley starts and stops a vendor's module; ``{leg_id}`` is the leg.

    A command of the switch, or ``app NAME ARGUMENT`` for an application that is run on the leg.
    """

    vendor: Vendor = "brain_stt"
    start: str = "uuid_brain_stt {leg_id} start"
    stop: str = "uuid_brain_stt {leg_id} stop"


class SpeechConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[speech]``: what speech-to-text modules do not say themselves."""

    brain_sample_rate: Count = 8000
    """Samples per second in which ``brain_stt`` counts ``start`` and ``end``."""
    recogniser: list[RecogniserConfig] = msgspec.field(default_factory=lambda: [RecogniserConfig()])


class CallsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[calls]``"""

    keep_ended: Positive = 300.0
    """How long an ended call stays in memory (and in the live list)."""
