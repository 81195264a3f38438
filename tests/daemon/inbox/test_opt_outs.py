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

MARK = "said-and-not-to-be-kept"
OPT_OUT = "opt_out_sensitive_data_storage"
FLAGGED = {"call_id": "c-1", OPT_OUT: True}
SPOKEN = {"call_id": "c-1", "call_analysis": {"summary": MARK}}


def body(event: str, call: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"event": event, "call": call})


FLAGGED_SMS = b'{"event": "sms_received", "sms": {"call_id": "c-1", "sms_id": 7, "%s": true}}' % OPT_OUT.encode()


@pytest.mark.parametrize("flagged", [body("call_ended", FLAGGED), FLAGGED_SMS])
async def test_a_call_is_known_after_a_restart_though_nothing_of_it_is_stored(
    database: Database, flagged: bytes
) -> None:
    assert (await OptOuts(database).storable("voxai", "c-1", flagged))[1]
    again = OptOuts(database)
    kept, redacted = await again.storable("voxai", "c-1", body("call_analyzed", SPOKEN))
    assert redacted
    assert MARK.encode() not in kept
    for source, key in (("voxai", "c-2"), ("voxai", "c"), ("other", "c-1"), ("voxai", None)):
        spoken = body("call_analyzed", SPOKEN | {"call_id": key})
        assert await again.storable(source, key, spoken) == (spoken, False)


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


@pytest.mark.parametrize("call_id", ["c-1", "통화 1", "line\nbreak", "x" * 300])
@pytest.mark.parametrize("place", ["call", "sms"])
async def test_what_earlier_events_left_is_taken_out(database: Database, call_id: str, place: str) -> None:
    message = {"event": "sms_received", "sms": {"call_id": call_id, "sms_id": "s-1", "transcript": MARK}}
    event = "call_analyzed" if place == "call" else "sms_received"
    flagged = {"event": event, place: {"call_id": call_id, "sms_id": "s-2", OPT_OUT: True}}
    async with Receiver() as receiver, keeping(database, receiver) as room:
        await deliver(room, body("mid_call", {"call_id": call_id, "transcript": MARK}))
        await deliver(room, body("call_ended", {"call_id": call_id, "transcript": MARK, "call_cost": 7}))
        await deliver(room, msgspec.json.encode(message))
        await deliver(room, body("call_ended", {"call_id": "other", "transcript": MARK}))
        before = await bodies(database)
        assert sum(MARK.encode() in one for one in before) == len(before) == 16
        await deliver(room, msgspec.json.encode(flagged))
        after = await bodies(database)
    assert len(after) == 20
    kept = [one for one in after if MARK.encode() in one]
    assert kept == [body("call_ended", {"call_id": "other", "transcript": MARK})] * 4
    assert after.count(body("call_ended", {"call_id": call_id, "call_cost": 7})) == 4
