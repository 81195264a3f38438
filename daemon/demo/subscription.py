"""Which events one client asked for: names, subclasses, filters, and in what format."""

from __future__ import annotations

import re
from collections.abc import Iterable

from daemon.demo.event import Event, Format

# fmt: off
EVENT_NAMES = frozenset((
    "CUSTOM", "CLONE", "CHANNEL_CREATE", "CHANNEL_DESTROY", "CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_ANSWER",
    "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HOLD",
    "CHANNEL_UNHOLD", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_OUTGOING", "CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_APPLICATION", "CHANNEL_ORIGINATE", "CHANNEL_UUID",
    "API", "LOG", "INBOUND_CHAN", "OUTBOUND_CHAN", "STARTUP", "SHUTDOWN", "PUBLISH", "UNPUBLISH", "TALK", "NOTALK",
    "SESSION_CRASH", "MODULE_LOAD", "MODULE_UNLOAD", "DTMF", "MESSAGE", "PRESENCE_IN", "NOTIFY_IN", "PRESENCE_OUT",
    "PRESENCE_PROBE", "MESSAGE_WAITING", "MESSAGE_QUERY", "ROSTER", "CODEC", "BACKGROUND_JOB", "DETECTED_SPEECH",
    "DETECTED_TONE", "PRIVATE_COMMAND", "HEARTBEAT", "TRAP", "ADD_SCHEDULE", "DEL_SCHEDULE", "EXE_SCHEDULE",
    "RE_SCHEDULE", "RELOADXML", "NOTIFY", "PHONE_FEATURE", "PHONE_FEATURE_SUBSCRIBE", "SEND_MESSAGE", "RECV_MESSAGE",
    "REQUEST_PARAMS", "CHANNEL_DATA", "GENERAL", "COMMAND", "SESSION_HEARTBEAT", "CLIENT_DISCONNECTED",
    "SERVER_DISCONNECTED", "SEND_INFO", "RECV_INFO", "RECV_RTCP_MESSAGE", "SEND_RTCP_MESSAGE", "CALL_SECURE", "NAT",
    "RECORD_START", "RECORD_STOP", "PLAYBACK_START", "PLAYBACK_STOP", "CALL_UPDATE", "FAILURE", "SOCKET_DATA",
    "MEDIA_BUG_START", "MEDIA_BUG_STOP", "CONFERENCE_DATA_QUERY", "CONFERENCE_DATA", "CALL_SETUP_REQ",
    "CALL_SETUP_RESULT", "CALL_DETAIL", "DEVICE_STATE", "TEXT", "SHUTDOWN_REQUESTED",
))
# fmt: on
"""Every event name FreeSWITCH knows: a subscription to none of them is refused."""


class Subscription:
    """Starts empty. ``form`` is the format of all events of the connection, whenever they were asked for."""

    def __init__(self) -> None:
        self.form: Format = "plain"
        self.listening = False
        self._all = False
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._filters: list[tuple[str, str]] = []

    def add(self, words: Iterable[str]) -> bool:
        """Subscribe to ``words``; every one after ``CUSTOM`` is a subclass. False when none of them is an event."""
        known = custom = False
        for word in words:
            if custom:
                self._subclasses.add(word)
            elif word.upper() == "ALL":
                known = self._all = True
            elif word.upper() == "CUSTOM":
                known = custom = True
            elif word.upper() in EVENT_NAMES:
                known = True
                self._names.add(word.upper())
        self.listening = self.listening or known
        return known

    def remove(self, words: Iterable[str]) -> bool:
        """``nixevent``: unsubscribe. After ``ALL`` it leaves every other name but drops all subclasses."""
        words = list(words)
        custom = False
        for word in words:
            if custom:
                self._subclasses.discard(word)
            elif word.upper() == "ALL":
                self._forget()
            else:
                if self._all:
                    self._all = False
                    self._names |= EVENT_NAMES - {"CUSTOM"}
                custom = word.upper() == "CUSTOM"
                self._names.discard(word.upper())
        return bool(words)

    def clear(self) -> None:
        """``noevents``: listen no more. Filters stay."""
        self.listening = False
        self._forget()

    def _forget(self) -> None:
        self._all = False
        self._names.clear()
        self._subclasses.clear()

    def follow(self, leg_id: str) -> None:
        """``myevents``: everything, of one channel only."""
        self.listening = self._all = True
        self._filters.append(("Unique-ID", leg_id))

    def add_filter(self, header: str, value: str) -> None:
        """``filter``: events that match any positive filter and no negative (``-value``) one; ``/…/`` is a pattern."""
        self._filters.append((header, value))

    def remove_filter(self, header: str, value: str) -> None:
        """``filter delete``: one filter, all of a header, or every one (``all``)."""
        if header.lower() == "all":
            self._filters.clear()
            return
        self._filters = [
            (name, wanted)
            for name, wanted in self._filters
            if name.lower() != header.lower() or (value and wanted != value)
        ]

    def wants(self, event: Event) -> bool:
        """Whether this client gets the event."""
        if event.for_everybody:
            return self.listening
        if not self._all:
            wanted = event.subclass in self._subclasses if event.name == "CUSTOM" else event.name in self._names
            if not wanted:
                return False
        return not self._filters or self._passes(event)

    def _passes(self, event: Event) -> bool:
        passed = False
        for header, wanted in self._filters:
            value = event.text(header)
            if not value:
                continue
            if wanted.startswith("-"):
                if _matches(value, wanted[1:]):
                    return False
            else:
                passed = passed or _matches(value, wanted)
        return passed


def _matches(value: str, wanted: str) -> bool:
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], value) is not None
    return wanted.lower() == value.lower()
