"""All of Parley, as ``parley run`` starts it, with a bot that everybody of the benchmark may write to.

    python -m tests.bench.chatbot_parley API_URL TOKEN STATE_DIR

It prints ``ready`` once its webhooks are made.
"""

from __future__ import annotations

import asyncio
import io
import socket
import sys
import time

import uvloop

from daemon import logs
from daemon.commands.run import let_threads_in, spare_pauses
from daemon.config import (
    ChatbotConfig,
    Config,
    InboxConfig,
    ListenerConfig,
    ServiceConfig,
    SourceConfig,
    WebConfig,
    WebexConfig,
)
from daemon.places import database_url
from daemon.secrets import Secrets
from daemon.service import Service
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, save_people
from tests.bench.chatbot_cloud import PEOPLE, email


async def serve(api_url: str, token: str, state_dir: str) -> None:
    """Run until the standard input ends."""
    port = _free_port()
    config = Config(
        service=ServiceConfig(state_dir=state_dir),
        web=WebConfig(listener=[ListenerConfig(port=port)]),
        inbox=InboxConfig(source=[SourceConfig(name="webex", kind="webex")]),
        chatbot=ChatbotConfig(webex=WebexConfig(webhook_url=f"http://127.0.0.1:{port}", api_url=api_url)),
    )
    logs.configure(config.log, io.StringIO())
    await _fill(Database.of(database_url(config)))
    secrets = {"PARLEY_WEBEX_BOT_TOKEN": token, "PARLEY_SOURCE_WEBEX_SECRET": "example-secret-of-the-webhooks"}
    service = Service(config, Secrets(secrets))
    spare_pauses()
    let_threads_in()
    running = asyncio.create_task(service.run())
    assert service.rooms.chatbot is not None, "there is a token"
    await service.rooms.chatbot.passed.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    service.stop()
    await running


async def _fill(database: Database) -> None:
    people = [
        PersonRow(name=email(number), role="operator", email=email(number), extension=str(2000 + number))
        for number in range(PEOPLE)
    ]
    await database.upgrade()
    async with database.transaction() as connection:
        await save_people(connection, people, now=time.time())
    await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:4]))
