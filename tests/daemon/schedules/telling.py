"""A messenger and mail that keep what they are given, people to tell, and the reminders between them."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

import msgspec

from daemon.chatbot.contract import Message, Messenger
from daemon.config import InboxConfig
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.room import InboxRoom
from daemon.mail.contract import Letter, Mail
from daemon.schedules.contract import Firing
from daemon.schedules.reminders import SOURCE, PostedReminders
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, WholeDelivery
from daemon.stores.people import PersonRow, TeamRow, link_person_to_webex, save_people, save_teams
from daemon.stores.tgdays import TgdayRow, save_tgday
from tests.daemon.schedules.timekeeping import Clock, seoul

SALES, CARE, EMPTY = (
    TeamRow(name="영업팀", manager_email="lead@example.com"),
    TeamRow(name="상담팀"),
    TeamRow(name="빈팀", manager_email="nobody@example.com"),
)
PEOPLE: Final = (
    PersonRow(
        name="mina", role="operator", full_name="김*미나", email="mina@example.com", team="영업팀", room_id="R-mina"
    ),
    PersonRow(name="jun", role="viewer", full_name="박준", email="jun@example.com", team="영업팀"),
    PersonRow(name="sora", role="viewer", full_name="=이소라", team="영업팀", room_id="R-sora"),
    PersonRow(name="haneul", role="viewer", full_name="정하늘", email="haneul@example.com", team="상담팀"),
    PersonRow(name="silent", role="viewer", team="영업팀"),
    PersonRow(name="alone", role="viewer", full_name="홀로", email="alone@example.com"),
)


class Posted(msgspec.Struct, frozen=True):
    """What was said, and to whom."""

    to: str
    message: Message


class RecordingMessenger(Messenger):
    """Posts nothing anywhere. ``errors`` are raised first, one by one."""

    def __init__(self, errors: Sequence[Exception] = ()) -> None:
        self.posted: list[Posted] = []
        self._errors = list(errors)

    async def post(self, message: Message, *, room_id: str = "", person_email: str = "", parent_id: str = "") -> str:
        assert bool(room_id) != bool(person_email)
        if self._errors:
            raise self._errors.pop(0)
        self.posted.append(Posted(room_id or person_email, message))
        return f"M-{len(self.posted)}"


class RecordingMail(Mail):
    """Sends nothing; takes the first letter of each key."""

    def __init__(self) -> None:
        self.letters: dict[str, Letter] = {}

    async def send(self, letter: Letter, *, key: str) -> str:
        self.letters.setdefault(key, letter)
        return key


class Telling:
    """Reminders on an inbox at work."""

    def __init__(self, database: Database, messenger: RecordingMessenger, now: float, retries: int) -> None:
        self.messenger = messenger
        self.clock = Clock(now)
        self.inbox = InboxRoom(InboxConfig(retries=[0.01] * retries), Secrets({}), database, holder=lambda: "here")
        self.reminders = PostedReminders(self.inbox, messenger, clock=self.clock)
        self.inbox.handlers.add(NamedHandler(name="remind", handle=self.reminders.handle, source=SOURCE))

    async def settled(self) -> list[WholeDelivery]:
        """Wait until nothing is pending or worked on, and get all, oldest first."""
        async with asyncio.timeout(30):
            while True:
                page = await self.inbox.page(DeliveryFilter(), before=None, limit=1000)
                if not any(row.state in ("pending", "working") for row in page.rows):
                    found = [await self.inbox.get(row.delivery_id) for row in reversed(page.rows)]
                    return [whole for whole in found if whole is not None]
                await asyncio.sleep(0.005)


@asynccontextmanager
async def telling(
    database: Database, messenger: RecordingMessenger | None = None, *, now: float = 0.0, retries: int = 3
) -> AsyncIterator[Telling]:
    """Let reminders be said."""
    made = Telling(database, messenger or RecordingMessenger(), now, retries)
    running = asyncio.create_task(made.inbox.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def firing_at(*moment: int) -> Firing:
    """A firing that was due then in Seoul."""
    return Firing(schedule="example", due_at=seoul(*moment), time_zone="Asia/Seoul")


async def fill(database: Database, **dates: date) -> None:
    """The people, with their tgdays by name."""
    async with database.transaction() as connection:
        await save_teams(connection, [SALES, CARE, EMPTY])
        await save_people(connection, PEOPLE, now=0.0)
        for person in PEOPLE:
            if person.room_id:
                await link_person_to_webex(
                    connection, person.name, webex_person_id=f"P-{person.name}", room_id=person.room_id
                )
        for name, day in dates.items():
            await save_tgday(connection, TgdayRow(user_name=name, date=day, entered_at=0.0))


def table_of(letter: Letter) -> list[list[str]]:
    """The table that comes with a letter, as a spreadsheet reads it."""
    [attachment] = letter.attachments
    assert attachment.content_type == "text/csv; charset=utf-8"
    assert attachment.content.startswith(b"\xef\xbb\xbf"), "Excel would not know that it is UTF-8"
    return list(csv.reader(io.StringIO(attachment.content.decode("utf-8-sig"), newline="")))
