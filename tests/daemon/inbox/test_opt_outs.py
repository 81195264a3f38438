"""Calls whose people opted out: nothing of what was said stays anywhere, in whatever order it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
from sqlalchemy import text

from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.inbox.opt_outs import OptOuts
from daemon.inbox.room import InboxRoom
from daemon.secrets import Secrets
from daemon.stores.database import Database
from tests.daemon.inbox.receiver import Receiver
from tests.daemon.inbox.workshop import Workshop, at_work

MARK = "said-and-not-to-be-kept"
FLAGGED = {"call_id": "c-1", "opt_out_sensitive_data_storage": True}
SPOKEN = {"call_id": "c-1", "call_analysis": {"summary": MARK}}


def body(event: str, call: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"event": event, "call": call})


@pytest.mark.parametrize("event", ["call_started", "mid_call:sha256:0", "call_ended", "call_analyzed"])
async def test_one_that_nobody_worked_on_yet_is_known_after_a_restart(database: Database, event: str) -> None:
    kept, redacted = await OptOuts(database).storable("voxai", "c-1", body("call_ended", FLAGGED))
    assert redacted
    shop = Workshop(database)
    async with at_work(shop.acceptor):
        await shop.accept("voxai", order_key="c-1", other_id=f"c-1:{event}", redacted=True, body=kept)
        await shop.accept("voxai", order_key="c-2", other_id=f"c-2:{event}", body=b"{}")
    again = OptOuts(database)
    kept, redacted = await again.storable("voxai", "c-1", body("call_analyzed", SPOKEN))
    assert redacted
    assert MARK.encode() not in kept
    for source, call_id in (("voxai", "c-2"), ("voxai", "c"), ("other", "c-1")):
        spoken = body("call_analyzed", SPOKEN | {"call_id": call_id})
        assert await again.storable(source, call_id, spoken) == (spoken, False)


@asynccontextmanager
async def keeping(database: Database, receiver: Receiver) -> AsyncIterator[InboxRoom]:
    """A room that stores what comes, forwards it, and stores what is forwarded."""
    config = InboxConfig(
        source=[SourceConfig(name="voxai", kind="voxai", check="bearer")],
        handler=[
            HandlerConfig(name="keep", use="store", source="voxai"),
            HandlerConfig(name="pass-on", use="forward", destination="crm", source="voxai"),
            HandlerConfig(name="keep-sent", use="store", source="to:crm"),
        ],
        destination=[DestinationConfig(name="crm", url=receiver.url(), signed=False, private_networks=["127.0.0.0/8"])],
    )
    secrets = Secrets({"PARLEY_SOURCE_VOXAI_SECRET": "token"})
    room = InboxRoom(config, secrets, database, holder=lambda: "here", clock=time.time)
    room.add_configured({Database: database})
    running = asyncio.create_task(room.run())
    try:
        yield room
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def deliver(room: InboxRoom, event: bytes) -> None:
    bearer = [("Authorization", "Bearer token")]
    await room.receive(room.sources["voxai"], bearer, event, address=None)


async def bodies(database: Database) -> list[bytes]:
    """Of all that is kept, once nothing is left to do."""
    unfinished = text("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'working')")
    async with asyncio.timeout(30):
        while True:
            async with database.read() as connection:
                if not (await connection.execute(unfinished)).scalar():
                    break
            await asyncio.sleep(0.005)
    async with database.read() as connection:
        delivered = (await connection.execute(text("SELECT body FROM deliveries"))).scalars().all()
        stored = (await connection.execute(text("SELECT body FROM stored_events"))).scalars().all()
    return [*map(bytes, delivered), *(one.encode() for one in stored)]


@pytest.mark.parametrize(
    "flagged",
    [
        body("call_analyzed", FLAGGED),
        b'{"event": "sms_received", "sms": {"call_id": "c-1", "opt_out_sensitive_data_storage": true}}',
    ],
)
async def test_what_earlier_events_left_is_taken_out(database: Database, flagged: bytes) -> None:
    async with Receiver() as receiver, keeping(database, receiver) as room:
        await deliver(room, body("mid_call", {"call_id": "c-1", "transcript": MARK}))
        await deliver(room, body("call_ended", {"call_id": "c-1", "transcript": MARK, "call_cost": 7}))
        await deliver(room, body("call_ended", {"call_id": "c-2", "transcript": MARK}))
        before = await bodies(database)
        assert sum(MARK.encode() in one for one in before) == len(before) == 12
        await deliver(room, flagged)
        after = await bodies(database)
    assert len(after) == 16
    kept = [one for one in after if MARK.encode() in one]
    assert kept == [body("call_ended", {"call_id": "c-2", "transcript": MARK})] * 4
    assert after.count(body("call_ended", {"call_id": "c-1", "call_cost": 7})) == 4
