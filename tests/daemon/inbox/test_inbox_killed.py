"""SIGKILL under load: what was acknowledged is found and finished, and what a handler does by its key is done once."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from daemon.stores.database import Database
from protocols.webhooks import github
from tests.daemon.parley_process import ParleyProcess

ROUNDS = 50 if os.environ.get("PARLEY_PROVE") == "1" else 5
CLIENTS = 16
SECRET = "example-secret"
CONFIG = f"""
[inbox]
retries = {[0.05] * 20}
lease = 5.0

[[inbox.source]]
name = "github"
kind = "github"

[[inbox.handler]]
name = "keep"
source = "github"
use = "store"
"""
NO_SWITCH = 1
"""A port where none is: what comes from providers needs no switch."""


class Provider:
    """Delivers as fast as it can, and remembers what was acknowledged."""

    def __init__(self, address: str) -> None:
        self._url = f"{address}/webhooks/github"
        self._body = b'{"ref":"refs/heads/main","padding":"' + b"x" * 8_000 + b'"}'
        self._headers = github.sign(SECRET, self._body) | {"X-GitHub-Event": "push"}
        self._number = 0
        self.acknowledged: set[str] = set()
        self._enough = 0
        self._is_enough = asyncio.Event()

    async def deliver(self, session: aiohttp.ClientSession) -> None:
        while True:
            self._number += 1
            headers = self._headers | {"X-GitHub-Delivery": f"d-{self._number}"}
            try:
                async with session.post(self._url, data=self._body, headers=headers) as response:
                    if response.status == 202:
                        self.acknowledged.add((await response.json())["delivery_id"])
                        if len(self.acknowledged) >= self._enough:
                            self._is_enough.set()
                    else:
                        assert response.status == 503
            except (aiohttp.ClientError, OSError):
                return  # it was killed

    async def until_killed(self, parley: ParleyProcess) -> None:
        """Deliver until a random number more is acknowledged; then it is killed."""
        self._enough = len(self.acknowledged) + random.randint(1, 400)
        self._is_enough.clear()
        async with aiohttp.ClientSession() as session:
            clients = [asyncio.create_task(self.deliver(session)) for _ in range(CLIENTS)]
            await self._is_enough.wait()
            await parley.kill()
            await asyncio.gather(*clients)


async def unfinished(database: Database) -> int:
    query = text("SELECT count(*) FROM deliveries WHERE state <> 'done'")
    async with database.read() as connection:
        return await connection.scalar(query) or 0


@pytest.mark.timeout(1800)
async def test_every_202_is_found_and_finished(database: Database, database_url: str, tmp_path: Path) -> None:
    secrets = {"PARLEY_SOURCE_GITHUB_SECRET": SECRET}
    parley = ParleyProcess(tmp_path, NO_SWITCH, database=database_url, more=CONFIG, secrets=secrets)
    provider = Provider(parley.address)
    try:
        for _ in range(ROUNDS):
            await parley.start()
            await provider.until_killed(parley)
        await parley.start()
        async with asyncio.timeout(60):
            while await unfinished(database):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.05)
        async with database.read() as connection:
            stored = set(await connection.scalars(text("SELECT delivery_id FROM deliveries")))
            kept = list(await connection.scalars(text("SELECT delivery_id FROM stored_events")))
        assert provider.acknowledged <= stored
        assert len(kept) == len(set(kept))
        assert set(kept) == stored
        await parley.stop()
    finally:
        await parley.close()
