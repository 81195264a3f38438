"""The inbox, one schedule and reminders of one Parley in a process of its own, which may be killed.

Its clock goes at a pace of its own, the same for all that are told the same. It prints ``ready`` once it has looked.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
import msgspec

from daemon import logs
from daemon.chatbot.contract import Message, Messenger, MessengerAwayError
from daemon.config import InboxConfig, LogConfig, ScheduleConfig
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.room import InboxRoom
from daemon.schedules.contract import Reminders
from daemon.schedules.reminders import SOURCE as REMINDERS
from daemon.schedules.reminders import PostedReminders
from daemon.schedules.room import Schedules
from daemon.schedules.schedule import SOURCE as FIRINGS
from daemon.secrets import Secrets
from daemon.stores.database import Database

LEASE = 2.0


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What it is told. Its clock, ``speed`` times as fast, showed ``first`` when the machine's showed ``began``."""

    holder: str
    database: str
    schedule: ScheduleConfig
    first: float
    began: float
    speed: float = 1.0
    chat: str = ""

    def clock(self) -> float:
        return self.first + (time.time() - self.began) * self.speed


class ChatMessenger(Messenger):
    """Posts at a chat that the test is."""

    def __init__(self, http: aiohttp.ClientSession, program: Program) -> None:
        self._http = http
        self._program = program

    async def post(self, message: Message, *, room_id: str = "", person_email: str = "", parent_id: str = "") -> str:
        body = {"from": self._program.holder, "to": room_id or person_email, "text": message.text}
        try:
            async with self._http.post(self._program.chat, json=body) as response:
                response.raise_for_status()
                return await response.text()
        except aiohttp.ClientError as error:
            raise MessengerAwayError(str(error)) from error


async def run(program: Program) -> None:
    """Until killed."""
    database = Database.of(program.database)
    config = InboxConfig(lease=LEASE, retries=[0.05] * 50)
    inbox = InboxRoom(config, Secrets({}), database, holder=lambda: program.holder)
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        reminders = PostedReminders(inbox, ChatMessenger(http, program), clock=program.clock)
        inbox.handlers.add(NamedHandler(name="remind", handle=reminders.handle, source=REMINDERS))
        supplies = {Database: database, Reminders: reminders}
        schedules = Schedules([program.schedule], inbox, database, supplies, clock=program.clock)
        [schedule] = schedules.all
        inbox.handlers.add(NamedHandler(name="fire", handle=schedule.handle, source=FIRINGS))
        group.create_task(inbox.run())
        await schedules.look()
        print("ready", flush=True)
        group.create_task(schedules.run())


if __name__ == "__main__":
    logs.configure(LogConfig(level="error"))
    asyncio.run(run(msgspec.json.decode(sys.argv[1], type=Program)))
