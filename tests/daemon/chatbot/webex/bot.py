"""Parley's side of a bot, in this process or, as a program, in one of its own that can be killed.

``python -m tests.daemon.chatbot.webex.bot DATABASE FOLDER PORT API_URL TOKEN`` runs one until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from daemon.chatbot.contract import Conversations, Message, Said
from daemon.chatbot.room import HANDLERS, PATIENCE, ChatbotRoom
from daemon.chatbot.webex.api import WebexApi
from daemon.chatbot.webex.messenger import WebexMessenger
from daemon.config import Config, InboxConfig, SourceConfig, WebexConfig
from daemon.inbox.handlers import NamedHandler
from daemon.secrets import Secrets, source_secrets
from daemon.stores.database import Database
from tests.daemon.chatbot.webex.kept_memory import KeptMemory
from tests.web.house import House

SOURCE = SourceConfig(name="webex", kind="webex")


class Echo(Conversations):
    """Answers with what was said, unless ``say`` makes other answers or ``error`` is raised."""

    def __init__(self) -> None:
        self.heard: list[Said] = []
        self.error: Exception | None = None
        self.say: Callable[[Said], Sequence[Message]] = lambda said: [Message(f"들었습니다: {said.text}")]

    async def answer(self, said: Said) -> Sequence[Message]:
        if self.error is not None:
            raise self.error
        self.heard.append(said)
        return self.say(said)

    @property
    def texts(self) -> list[str]:
        return [said.text for said in self.heard]


class _House(House):
    """One whose clock goes: deliveries that failed are due again."""

    def clock(self) -> float:
        return time.time()


class Bot:
    """The bot of ``token`` at ``api_url``. Each :meth:`enter` begins another life at the same address, with the same
    store and memory. ``config`` changes what ``[chatbot.webex]`` says."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        api_url: str,
        token: str,
        port: int | None = None,
        config: Mapping[str, object] | None = None,
    ) -> None:
        self.echo = Echo()
        self.memory = KeptMemory(folder / "memory")
        self.kept = self.memory
        self._database = database
        self._folder = folder
        self._api_url = api_url
        self._token = token
        self._changes = dict(config or {})
        self.port = port

    async def enter(self) -> None:
        """Listen, work, and see to the webhooks."""
        secrets = {"PARLEY_WEBEX_BOT_TOKEN": self._token}
        inbox = InboxConfig(source=[SOURCE], retries=[0.02] * 400, order_wait=5.0, lease=2.0)
        self.house = _House(self._database, Config(inbox=inbox), self._folder, secrets)
        self.port = (await self.house.serve(port=self.port)).port
        webex = {"api_url": self._api_url, "webhook_url": f"http://127.0.0.1:{self.port}"}
        self.config = WebexConfig(**(webex | self._changes))  # type: ignore[arg-type]
        api = WebexApi(self.config, self._token, clock=time.time)
        self.room = ChatbotRoom(
            self.config,
            api=api,
            messenger=WebexMessenger(api),
            secret=source_secrets(SOURCE, Secrets(secrets))[0],
            inbox=self.house.inbox,
            conversations=self.echo,
            memory=self.memory,
            kept=self.kept,
        )
        for name, event in HANDLERS.items():
            self.house.inbox.handlers.add(
                NamedHandler(name=name, handle=self.room.handle, source="webex", event=event, deadline=PATIENCE)
            )
        self._at_work = self.house.inbox_at_work()
        await self._at_work.__aenter__()
        self._running = asyncio.create_task(self.room.run())

    async def ready(self) -> None:
        """Wait until the webhooks are as they should be, and all was heard."""
        async with asyncio.timeout(30):
            await self.room.passed.wait()

    async def leave(self) -> None:
        """End it."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._at_work.__aexit__(None, None, None)
        await self.house.close()


async def _run(database: str, folder: str, port: str, api_url: str, token: str) -> None:
    bot = Bot(
        Database.of(database),
        Path(folder),
        api_url=api_url,
        token=token,
        port=int(port),
        config={"reconcile_interval": 0.2},
    )
    await bot.enter()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
