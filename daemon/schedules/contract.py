"""Schedules as others see them: what a function is given when its time has come, and how people are reminded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import msgspec

from daemon.chatbot.contract import Message
from daemon.cron import zone_of


class Firing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The time of ``schedule`` has come: it was due at ``due_at`` (Unix seconds) by the clocks of ``time_zone``.

    A firing may be handed to a function more than once: it may have failed, or its process may have died before that it
    had ended was noted. What must happen once is marked by :attr:`key`.
    """

    schedule: str
    due_at: float
    time_zone: str

    @property
    def due(self) -> datetime:
        """When it was due, as the clocks there showed it."""
        return datetime.fromtimestamp(self.due_at, zone_of(self.time_zone))

    @property
    def key(self) -> str:
        """What it is known by, which no other firing is: ``ask-tgday:2026-12-01T00:00:00Z``."""
        return f"{self.schedule}:{datetime.fromtimestamp(self.due_at, UTC):%Y-%m-%dT%H:%M:%SZ}"


class Reminders(Protocol):
    """Says things to people for as long as it takes until they are told."""

    async def remind(
        self,
        firing: Firing,
        recipient: str,
        message: Message,
        *,
        room_id: str = "",
        person_email: str = "",
        until: float | None = None,
    ) -> str:
        """Take a reminder for good, for a room or for a person in their own; returns the id of its delivery when it is
        safe. With both the room is theirs, and where it is refused they are told by the address. After ``until`` (Unix
        seconds) it is not said any more.

        Of several of one firing to one ``recipient`` (whatever tells them apart) only the first is said. It is said
        once, unless the process dies, or the messenger goes away, in the moment after it was posted and before that is
        noted: then twice rather than never.

        Raises ``ValueError`` where neither a room nor a person is named, ``InboxFullError``, and ``DatabaseAwayError``
        and ``RowRefusedError`` of the store.
        """
