"""Events of a call that are worked on while another one says that nothing of it may be kept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from daemon.inbox.contract import Delivery, Inbox, Work
from daemon.inbox.forwarding import ForwardingHandler, StoringHandler, as_it_is
from daemon.inbox.opt_outs import OptOuts
from daemon.inbox.redactions import Redactions
from daemon.inbox.voxai_calls import VoxaiCallsHandler
from daemon.stores.database import Database
from daemon.stores.delivery_inserts import NewDelivery, add_deliveries
from daemon.stores.delivery_work import DeliveryState, WorkedRow, hand_back_deliveries
from daemon.stores.opt_outs import deliveries_of_call
from daemon.stores.stored_events import StoredEventRow, add_stored_event
from tests.daemon.held_up import until_held_up

MARK = "said-and-not-to-be-kept"
CALL = {"call_id": "c", "transcript": [{"role": "user", "content": MARK}], "recording_url": MARK, "call_cost": 7}
SAID = msgspec.json.encode({"event": "call_ended", "call": CALL})
FLAGGED = msgspec.json.encode({"event": "call_analyzed", "call": {"call_id": "c", "opt_out_sensitive_data_storage": 1}})


class Shelf(Inbox):
    """An inbox that only stores. ``stored`` happens after that, and before anybody knows of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.stored: Callable[[], Awaitable[None]] | None = None

    async def put(self, work: Work) -> str:
        row = new(
            f"copy-of-{work.other_id}",
            source=work.source,
            other_id=work.other_id,
            order_key=work.key,
            redacted=work.redacted,
            body=work.body,
        )
        [accepted] = await add_deliveries(self._database, [row])
        if self.stored is not None:
            await self.stored()
        return accepted.delivery_id


def new(delivery_id: str, **changes: Any) -> NewDelivery:
    fields: dict[str, Any] = {
        "delivery_id": delivery_id,
        "source": "voxai",
        "event": "call_ended",
        "other_id": f"c:{delivery_id}",
        "order_key": "c",
        "received_at": 1000.0,
        "due_at": 1000.0,
        "attempts_allowed": 3,
        "body": SAID,
    }
    return NewDelivery(**(fields | changes))


def in_memory(delivery_id: str, **changes: Any) -> Delivery:
    """As a worker claimed it."""
    fields: dict[str, Any] = {
        "delivery_id": delivery_id,
        "source": "voxai",
        "event": "call_ended",
        "other_id": f"c:{delivery_id}",
        "key": "c",
        "received_at": 1000.0,
        "attempt": 1,
        "idempotency_key": f"{delivery_id}/h",
        "address": "",
        "redacted": False,
        "headers": {},
        "body": SAID,
    }
    return Delivery(**(fields | changes))


class Room:
    """The handlers of a source, on one store."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.redactions = Redactions(database, ["voxai"], ["to:crm"])
        self.shelf = Shelf(database)
        self.opt_outs = OptOuts(database)
        self.calls = VoxaiCallsHandler(database, self.redactions)
        self.store = StoringHandler(database, self.redactions, lambda: 1001.0)
        self.forward = ForwardingHandler(self.shelf, self.redactions, "to:crm", as_it_is)

    async def opt_out(self) -> None:
        """The event that says so is stored, and its handler runs."""
        kept, redacted = await self.opt_outs.storable("voxai", "c", FLAGGED)
        row = new("opt-out", event="call_analyzed", redacted=redacted, body=kept)
        await add_deliveries(self.database, [row])
        await self.calls.handle(in_memory("opt-out", event="call_analyzed", redacted=redacted, body=kept))

    async def everything(self) -> str:
        """All that is stored, as one text."""
        found: list[Any] = []
        async with self.database.read() as connection:
            for table in ("deliveries", "stored_events", "calls", "agent_calls", "utterances"):
                rows = await connection.execute(text(f"SELECT * FROM {table}"))
                found += [(table, [bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in rows]
        return repr(found)


@pytest.fixture
async def room(database: Database) -> Room:
    made = Room(database)
    await add_deliveries(database, [new("first")])
    return made


async def test_without_an_opt_out_all_is_kept(room: Room) -> None:
    for handler in (room.calls, room.store, room.forward):
        await handler.handle(in_memory("first"))
    # Twice in the delivery, in its copy and in the event; the recording and the utterance.
    assert (await room.everything()).count(MARK) == 8


async def test_what_is_in_memory_is_not_stored_after_an_opt_out(room: Room) -> None:
    await room.opt_out()
    for handler in (room.calls, room.store, room.forward):
        await handler.handle(in_memory("first"))
    stored = await room.everything()
    assert MARK not in stored
    assert stored.count("call_cost") == 3


async def test_what_is_handed_on_meanwhile_is_taken_out_of_the_copy(room: Room) -> None:
    room.shelf.stored = room.opt_out
    await room.forward.handle(in_memory("first"))
    assert MARK not in await room.everything()


async def test_a_copy_of_a_try_that_nobody_knew_the_end_of_is_redacted_by_the_next(room: Room) -> None:
    async def and_dies() -> None:
        await room.opt_out()
        raise ConnectionError

    room.shelf.stored = and_dies
    with pytest.raises(ConnectionError):
        await room.forward.handle(in_memory("first"))
    room.shelf.stored = None
    await room.forward.handle(in_memory("first"))
    assert MARK not in await room.everything()


async def test_one_that_was_stored_whole_after_the_opt_out_is_found(room: Room) -> None:
    """It came in by another Parley in the same moment."""
    await room.opt_out()
    await add_deliveries(room.database, [new("late")])
    await room.store.handle(in_memory("late"))
    await room.calls.handle(in_memory("late"))
    assert MARK not in await room.everything()


async def test_other_sources_are_not_asked_about(room: Room) -> None:
    await room.opt_out()
    other = in_memory("first", source="github")
    assert await room.redactions.latest(other) is other
    assert await Redactions(room.database, (), ["to:crm"]).latest(in_memory("first")) == in_memory("first")


async def test_what_is_being_stored_is_waited_for_and_found(room: Room) -> None:
    async with room.database.transaction() as connection:
        now = await room.redactions.locked(connection, in_memory("first"))
        redacting = asyncio.create_task(room.opt_out())
        await until_held_up(room.database, redacting)
        row = StoredEventRow(
            event_key="first/h",
            delivery_id="first",
            source="voxai",
            event="call_ended",
            received_at=1000.0,
            stored_at=1001.0,
            body=now.body.decode(),
        )
        await add_stored_event(connection, row)
    await redacting
    stored = await room.everything()
    assert "first/h" in stored
    assert MARK not in stored


async def test_nobody_waits_for_another_who_waits_for_him(room: Room) -> None:
    ids = [f"event-{number:03}" for number in range(100)]

    async def hand_back(call: str) -> None:
        worked = [
            WorkedRow(delivery_id=f"{call}-{one}", attempt=1, state=DeliveryState.DONE, finished_at=2001.0)
            for one in random.sample(ids, len(ids))
        ]
        async with room.database.transaction() as connection:
            await hand_back_deliveries(connection, "h", worked, [], now=2001.0)

    for call in ("c-1", "c-2", "c-3", "c-4", "c-5"):
        rows = [new(f"{call}-{one}", order_key=call, other_id=f"{call}:{one}") for one in ids]
        await add_deliveries(room.database, rows)
        async with room.database.transaction() as connection:
            await connection.execute(
                text("UPDATE deliveries SET state = 'working', holder = 'h', attempts = 1, fresh = false")
            )
        await asyncio.gather(room.redactions.redact_call("voxai", call), hand_back(call))
        async with room.database.read() as connection:
            assert await deliveries_of_call(connection, "voxai", call) == [(f"{call}-{one}", True) for one in ids]
