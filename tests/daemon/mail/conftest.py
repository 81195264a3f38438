"""A mail room with a real inbox at work, and a real mail server."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from daemon.actor import Actor
from daemon.config import InboxConfig, MailConfig
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.room import InboxRoom
from daemon.mail.room import SOURCE, MailRoom
from daemon.mail.sealing import new_key
from daemon.mail.settings import MailAccount
from daemon.secrets import Secrets
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, WholeDelivery
from daemon.stores.delivery_work import DeliveryState
from tests.daemon.mail.post_office import SENDER, PostOffice
from tests.services.databases import SqliteDatabases

ADMIN = Actor("chief", "session", "192.0.2.7")
KEY = new_key()
ENDED = (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.CANCELLED)


class Desk:
    """Where letters are written: a mail room, and the inbox that works on them."""

    def __init__(self, database: Database, inbox: InboxRoom, mail: MailRoom) -> None:
        self.database = database
        self.inbox = inbox
        self.mail = mail

    async def set_account(self, office: PostOffice, **known: Any) -> None:
        """Send by that server."""
        fields: dict[str, Any] = {"sender": SENDER, "host": "127.0.0.1", "port": office.port, "tls": "none"}
        await self.mail.settings.save(MailAccount(**(fields | known)), keep_password=False, by=ADMIN)

    async def deliveries(self) -> list[WholeDelivery]:
        """All of them, oldest first."""
        page = await self.inbox.page(DeliveryFilter(source=SOURCE), before=None, limit=100)
        found = [await self.inbox.get(row.delivery_id) for row in page.rows]
        return [one for one in reversed(found) if one is not None]

    async def until(self, delivery_id: str, *states: DeliveryState) -> WholeDelivery:
        """Wait until that one is in one of these states, by default until it has ended."""
        async with asyncio.timeout(30):
            while True:
                found = await self.inbox.get(delivery_id)
                if found is not None and found.row.state in (states or ENDED):
                    return found
                await asyncio.sleep(0.005)  # the store tells nobody

    async def until_error(self, delivery_id: str) -> str:
        """Wait until that one says why it waits."""
        async with asyncio.timeout(30):
            while True:
                found = await self.inbox.get(delivery_id)
                if found is not None and found.row.error and found.row.state is DeliveryState.PENDING:
                    return found.row.error
                await asyncio.sleep(0.005)

    async def all_ended(self) -> list[WholeDelivery]:
        """Wait until every one has."""
        async with asyncio.timeout(30):
            while True:
                found = await self.deliveries()
                if all(one.row.state in ENDED for one in found):
                    return found
                await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(database: Database, config: MailConfig, environment: dict[str, str]) -> AsyncIterator[Desk]:
    """A desk; its inbox works until it is left."""
    retries = InboxConfig(retries=[0.02] * 200)
    inbox = InboxRoom(retries, Secrets({}), database, holder=lambda: "desk")
    mail = MailRoom(
        database, inbox, config, Secrets(environment), waiting=lambda: inbox.counts.waiting(SOURCE), clock=time.time
    )
    inbox.add_own(NamedHandler(name="mail", handle=mail.handle, source=SOURCE, deadline=mail.patience))
    working = asyncio.create_task(inbox.run())
    try:
        yield Desk(database, inbox, mail)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.fixture
def store_url(sqlite_databases: SqliteDatabases) -> str:
    return sqlite_databases.make()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    database = Database.of(store_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """Of a server at 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def desk(store: Database, ca_file: str) -> AsyncIterator[Desk]:
    config = MailConfig(ca_file=ca_file, timeout=5.0)
    async with opened(store, config, {"PARLEY_MAIL_PASSWORD_KEY": KEY}) as desk:
        yield desk


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    """A server without encryption or password."""
    office = PostOffice()
    await office.start()
    yield office
    await office.stop()


@pytest.fixture
async def offices() -> AsyncIterator[AsyncExitStack]:
    """Stops the servers that are handed to it."""
    async with AsyncExitStack() as stack:
        yield stack
