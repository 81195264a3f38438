"""What Parley answered for is looked up in its store after each load."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from uuid_utils import uuid7

from daemon.stores.database import Database
from daemon.stores.delivery_inserts import NewDelivery, add_deliveries
from tests.bench.inbox_server import AnswerLostError, require_stored
from tests.bench.push import pushes


def answers(*delivery_ids: str) -> list[bytes]:
    return [msgspec.json.encode({"message": "accepted", "delivery_id": one}) for one in delivery_ids]


async def stored(database: Database, body: bytes) -> str:
    row = NewDelivery(
        delivery_id=str(uuid7()),
        source="github",
        event="push",
        received_at=0.0,
        due_at=0.0,
        attempts_allowed=1,
        body=body,
    )
    [accepted] = await add_deliveries(database, [row])
    return accepted.delivery_id


async def test_all_that_was_answered_for_is_there(database: Database, database_url: str) -> None:
    ids = [await stored(database, body) for body in pushes()[:3]]

    await asyncio.to_thread(require_stored, database_url, answers(*ids))


async def test_what_is_missing_or_changed_or_answered_for_twice_is_said(database: Database, database_url: str) -> None:
    whole, cut = await stored(database, pushes()[0]), await stored(database, pushes()[0][:-1])

    for lost in (answers(whole, str(uuid7())), answers(whole, cut), answers(whole, whole)):
        with pytest.raises(AnswerLostError):
            await asyncio.to_thread(require_stored, database_url, lost)
