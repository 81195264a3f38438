"""The room as it is configured: what comes in is stored, sent on and told, each once."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from daemon.actor import Actor
from daemon.calls.events import AppSpoke
from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.health import Condition
from daemon.inbox.contract import Delivery, PermanentError, Work
from daemon.inbox.handlers import NamedHandler
from daemon.inbox.own_events import OwnEvents
from daemon.inbox.room import InboxRoom
from daemon.plugins import add_folders
from daemon.secrets import Secrets
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database, DatabaseAwayError
from daemon.stores.deliveries import DeliveryFilter, WholeDelivery
from daemon.stores.delivery_inserts import Fate
from daemon.stores.delivery_work import DeliveryState
from daemon.transcripts.assembler import Transcripts
from protocols.webhooks import github
from tests.daemon.calls.story import Story
from tests.daemon.inbox.receiver import Receiver
from tests.protocols.webhooks.voxai_samples import v1, v1_ended

SECRETS = {
    "PARLEY_SOURCE_GITHUB_SECRET": "secret",
    "PARLEY_SOURCE_VOXAI_SECRET": "token",
    "PARLEY_DESTINATION_CRM_SECRET": "whsec_c29tZSBleGFtcGxlIGJ5dGVz",
}
ADMIN = Actor("jin", "session")


class Room:
    def __init__(self, inbox: InboxRoom, database: Database) -> None:
        self.inbox = inbox
        self.database = database

    async def push(self, body: bytes = b'{"n":1}', delivery: str = "d-1") -> str:
        headers = [*github.sign("secret", body).items(), ("X-GitHub-Event", "push"), ("X-GitHub-Delivery", delivery)]
        source = self.inbox.sources["github"]
        return (await self.inbox.receive(source, headers, body, address=None)).delivery_id

    async def vox(self, body: bytes) -> None:
        bearer = [("Authorization", "Bearer token")]
        await self.inbox.receive(self.inbox.sources["voxai"], bearer, body, address=None)

    async def all(self, **wanted: Any) -> list[WholeDelivery]:
        page = await self.inbox.page(DeliveryFilter(**wanted), before=None, limit=1000)
        found = [await self.inbox.get(row.delivery_id) for row in reversed(page.rows)]
        return [whole for whole in found if whole is not None]

    async def settled(self) -> list[WholeDelivery]:
        """Wait until nothing is pending or worked on, and get all."""
        async with asyncio.timeout(30):
            while True:
                # In one look: what one of them puts on its way is there before that one is done.
                page = await self.inbox.page(DeliveryFilter(), before=None, limit=1000)
                if not any(row.state in ("pending", "working") for row in page.rows):
                    return await self.all()
                await asyncio.sleep(0.005)


@asynccontextmanager
async def at_work(database: Database, **config: Any) -> AsyncIterator[Room]:
    sources = [SourceConfig(name="github", kind="github"), SourceConfig(name="voxai", kind="voxai", check="bearer")]
    inbox = InboxRoom(InboxConfig(source=sources, **config), Secrets(SECRETS), database, holder=lambda: "here")
    inbox.add_configured({Database: database})
    running = asyncio.create_task(inbox.run())
    try:
        yield Room(inbox, database)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def to_crm(receiver: Receiver, **config: Any) -> list[DestinationConfig]:
    return [DestinationConfig(name="crm", url=receiver.url(), private_networks=["127.0.0.0/8"], **config)]


async def test_what_is_stored_is_stored_once_for_each_intent(database: Database) -> None:
    async with at_work(database, handler=[HandlerConfig(name="keep", use="store", source="git*")]) as room:
        delivery_id = await room.push('{"who":"홍길동"}'.encode())
        await room.vox(v1("call_started"))
        await room.settled()
        assert await room.inbox.replaying.replay(delivery_id, actor=ADMIN)
        await room.settled()
        async with database.read() as connection:
            rows = (await connection.execute(text("SELECT source, event, body FROM stored_events"))).all()
            [audit] = await latest_audit(connection, 10)
    assert rows == [("github", "push", '{"who":"홍길동"}')] * 2
    assert (audit.actor, audit.action, audit.subject) == ("jin", "delivery_replayed", delivery_id)


async def test_what_is_forwarded_is_a_delivery_of_its_own(database: Database) -> None:
    async with Receiver() as receiver:
        handler = [HandlerConfig(name="to-crm", use="forward", destination="crm", source="github")]
        async with at_work(database, handler=handler, destination=to_crm(receiver)) as room:
            await room.push(b'{"n":1}')
            await receiver.some(1)
            came, sent = await room.settled()
            assert (came.row.source, sent.row.source, sent.row.event, sent.row.order_key) == (
                "github",
                "to:crm",
                "push",
                came.row.order_key,
            )
            assert sent.body == receiver.got[0].body == b'{"n":1}'
            assert [run.handler for run in sent.runs] == ["send-crm"]
            # A replay of what came sends it again, under another id.
            assert await room.inbox.replaying.replay(came.row.delivery_id, actor=ADMIN)
            first, second = await receiver.some(2)
            assert first.headers["webhook-id"] != second.headers["webhook-id"]
            # A replay of what was sent is the same message.
            await room.settled()
            assert await room.inbox.replaying.replay(sent.row.delivery_id, actor=ADMIN)
            *_, third = await receiver.some(3)
            assert third.headers["webhook-id"] == first.headers["webhook-id"]


@pytest.mark.parametrize(
    ("use", "came", "sent"),
    [
        ("forward", [("Content-Type", "application/x-www-form-urlencoded")], "application/x-www-form-urlencoded"),
        ("forward", [], "application/json"),
        ("make-com", [("Content-Type", "text/plain")], "application/json"),
    ],
)
async def test_what_is_forwarded_keeps_its_content_type(
    database: Database, use: str, came: list[tuple[str, str]], sent: str
) -> None:
    async with Receiver() as receiver:
        handler = [HandlerConfig(name="to-crm", use=use, destination="crm", source="voxai")]
        async with at_work(database, handler=handler, destination=to_crm(receiver)) as room:
            headers = [("Authorization", "Bearer token"), *came]
            await room.inbox.receive(room.inbox.sources["voxai"], headers, v1_ended(), address=None)
            [got] = await receiver.some(1)
            await room.settled()
    assert got.headers["content-type"] == sent


async def test_make_com_gets_a_few_fields_of_calls_that_have_ended(database: Database) -> None:
    async with Receiver() as receiver:
        handler = [HandlerConfig(name="make", use="make-com", destination="crm", source="voxai")]
        async with at_work(database, handler=handler, destination=to_crm(receiver, signed=False)) as room:
            await room.vox(v1("call_started"))
            await room.vox(v1_ended())
            [got] = await receiver.some(1)
            await room.settled()
    assert len(receiver.got) == 1
    assert json.loads(got.body) == {
        "event_type": "call_ended",
        "timestamp": 1_790_000_061_623,
        "call_id": "call-0001",
        "agent_id": "agent-1",
        "disconnection_reason": "user_hangup",
        "duration_ms": 61_500,
        "call_from": "01012345678",
        "call_to": "0212345678",
    }
    assert "webhook-signature" not in got.headers


async def test_what_cannot_be_sent_is_dead_and_replayed_in_bulk(database: Database) -> None:
    async with Receiver() as receiver:
        receiver.answer = lambda _: web.Response(status=400)
        handler = [HandlerConfig(name="to-crm", use="forward", destination="crm", source="github")]
        async with at_work(database, handler=handler, destination=to_crm(receiver)) as room:
            for number in range(7):
                await room.push(delivery=str(number))
            await room.settled()
            dead = DeliveryFilter(state=DeliveryState.DEAD, text="http 400")
            assert (await room.inbox.replaying.count(dead)).found == 7
            receiver.answer = None
            done = await room.inbox.replaying.replay_many(dead, per_second=100.0, actor=ADMIN)
            assert (done.found, done.replayed) == (7, 7)
            await receiver.some(14)
            await room.settled()
            assert (await room.inbox.replaying.count(dead)).found == 0
            spread = {round(one.row.due_at - time.time(), 2) for one in await room.all(source="to:crm")}
            assert len(spread) == 7
            async with database.read() as connection:
                [audit] = await latest_audit(connection, 10)
    assert (audit.action, audit.detail["count"], audit.detail["state"]) == ("deliveries_replayed", "7", "dead")


async def test_an_event_without_a_repository_is_handled_and_a_dead_one_that_is_sent_again_too(
    database: Database,
) -> None:
    async with at_work(database) as room:
        refusing = True

        async def handle(_: Delivery) -> None:
            if refusing:
                raise PermanentError("not now")

        room.inbox.handlers.add(NamedHandler(name="own", handle=handle, source="github"))
        body = b'{"action":"member_added","organization":{"login":"example"}}'
        headers = [
            ("X-GitHub-Event", "organization"),
            ("X-GitHub-Delivery", "d-7"),
            *github.sign("secret", body).items(),
        ]
        source = room.inbox.sources["github"]
        first = await room.inbox.receive(source, headers, body, address=None)
        [dead] = await room.settled()
        assert (dead.row.event, dead.row.state) == ("organization.member_added", DeliveryState.DEAD)
        refusing = False
        again = await room.inbox.receive(source, headers, body, address=None)
        assert (again.delivery_id, again.fate) == (first.delivery_id, Fate.REVIVED)
        [done] = await room.settled()
        assert (done.row.state, len(done.runs)) == (DeliveryState.DONE, 2)
        assert (await room.inbox.receive(source, headers, body, address=None)).fate is Fate.DOUBLE


async def test_what_ended_long_ago_is_deleted_and_nothing_else(database: Database) -> None:
    async with at_work(database, keep_done=3600.0, keep_dead=7200.0) as room:
        await room.push(delivery="old")
        await room.settled()
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE deliveries SET finished_at = finished_at - 4000"))
        await room.push(delivery="new")
        await room.settled()
        await room.inbox.tidy()
        assert [one.row.other_id for one in await room.all()] == ["new"]


async def test_health_degrades_when_what_is_due_is_not_worked_on(database: Database) -> None:
    inbox = InboxRoom(InboxConfig(backed_up_after=300.0), Secrets({}), database, holder=lambda: "here")
    await inbox.count()
    assert inbox.condition().condition is Condition.OK
    storing = asyncio.create_task(inbox.acceptor.run())
    await inbox.put(Work(source="parley", event="later", body=b"", due_at=time.time() + 900.0))
    await inbox.put(Work(source="parley", event="due", body=b"", due_at=time.time() - 250.0))
    await inbox.count()
    assert inbox.condition().condition is Condition.OK
    await inbox.put(Work(source="parley", event="overdue", body=b"", due_at=time.time() - 301.0))
    await inbox.count()
    part = inbox.condition()
    assert part.condition is Condition.DEGRADED
    assert part.numbers["pending"] == 3
    storing.cancel()
    await asyncio.gather(storing, return_exceptions=True)


async def test_health_degrades_while_the_store_cannot_be_counted(database: Database) -> None:
    inbox = InboxRoom(InboxConfig(), Secrets({}), database, holder=lambda: "here")
    await inbox.count()
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE deliveries RENAME TO gone"))
    with pytest.raises(DatabaseAwayError):
        await inbox.count()
    part = inbox.condition()
    assert (part.condition, part.detail) == (Condition.DEGRADED, "what stands in the store could not be counted")
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE gone RENAME TO deliveries"))
    await inbox.count()
    assert inbox.condition().condition is Condition.OK


async def test_a_handler_of_ones_own_is_one_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_notifier_example.py").write_text(
        "from daemon.inbox.contract import Delivery, PermanentError\n"
        "from daemon.stores.database import Database\n\n"
        "heard = []\n\n"
        "async def notify(delivery: Delivery, *, database: Database, options: dict[str, str]) -> None:\n"
        "    await database.ping()\n"
        "    heard.append((options['channel'], delivery.json()['n']))\n"
    )
    monkeypatch.delitem(sys.modules, "own_notifier_example", raising=False)
    add_folders([str(tmp_path)])
    handler = HandlerConfig(name="own", use="own_notifier_example:notify", source="github", options={"channel": "#ops"})
    async with at_work(database, handler=[handler]) as room:
        await room.push(b'{"n": 5}')
        [whole] = await room.settled()
    assert whole.row.state is DeliveryState.DONE
    assert sys.modules["own_notifier_example"].heard == [("#ops", 5)]


async def test_patterns_are_of_providers_and_not_of_what_parley_puts_in(database: Database) -> None:
    async with Receiver() as receiver:
        handlers = [
            HandlerConfig(name="keep", use="store"),
            HandlerConfig(name="to-crm", use="forward", destination="crm"),
        ]
        config = {"handler": handlers, "destination": to_crm(receiver), "retries": [0.01]}
        async with at_work(database, **config) as room:
            await room.push()
            await room.inbox.put(Work(source="parley", event="call.ended", body=b"{}"))
            await room.settled()
            async with database.read() as connection:
                rows = (await connection.execute(text("SELECT source FROM stored_events"))).all()
    assert rows == [("github",)]
    assert len(receiver.got) == 1


async def test_an_address_may_be_a_secret(database: Database) -> None:
    async with Receiver() as receiver:
        config = InboxConfig(
            destination=[DestinationConfig(name="crm", url="secret", signed=False, private_networks=["127.0.0.0/8"])]
        )
        secrets = Secrets({"PARLEY_DESTINATION_CRM_URL": receiver.url("/hooks/s3cret")})
        inbox = InboxRoom(config, secrets, database, holder=lambda: "here")
        running = asyncio.create_task(inbox.run())
        await inbox.put(Work(source="to:crm", event="x", body=b"{}"))
        [got] = await receiver.some(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert got.path == "/hooks/s3cret"
    async with database.read() as connection:
        found = (await connection.execute(text("SELECT * FROM deliveries"))).all()
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("events", [["call.*", "utterance.final"], ["call.ended"]])
async def test_parleys_own_events_go_where_they_are_wanted(database: Database, events: list[str]) -> None:
    story = Story()
    transcripts = Transcripts(story.hub, story.registry, epoch="e")
    async with Receiver() as receiver, at_work(database, destination=to_crm(receiver, events=events)) as room:
        inbox = room.inbox
        own = OwnEvents(story.hub, transcripts, inbox, inbox.handlers, time.time, counts=inbox.counts, settle=0.01)
        telling = asyncio.create_task(own.run())
        story.appear("a")
        story.answer("a")
        transcripts.apply(
            AppSpoke(
                origin="freeswitch", server="main", leg_id="a", at=story.now, text="주문하시겠어요?", vendor="speak"
            )
        )
        story.end("a")
        got = await receiver.some(3 if len(events) == 2 else 1)
        await room.settled()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    told = [json.loads(one.body) for one in got]
    assert [one["type"] for one in told] == ["call.started", "utterance.final", "call.ended"][-len(told) :]
    ended = told[-1]["data"]
    assert [said["text"] for said in ended["transcript"]] == ["주문하시겠어요?"]
    assert (ended["caller"], ended["state"]) == ("01012345678", "ended")
    assert told[-1]["timestamp"] == "1970-01-01T00:16:43.000Z"


async def test_work_is_stored_together_with_its_claim_or_not_at_all(database: Database) -> None:
    done: list[str] = []

    async def note(delivery: Delivery) -> None:
        done.append(delivery.body.decode())

    async def claim(connection: AsyncConnection, answer: bool) -> bool:
        await connection.execute(
            text("INSERT INTO opt_outs (source, key) VALUES ('claimed', :key)"), {"key": str(answer)}
        )
        return answer

    async def broken(connection: AsyncConnection) -> bool:
        await claim(connection, answer=True)
        raise DatabaseAwayError("in the middle of it")

    async with at_work(database) as room:
        room.inbox.handlers.add(NamedHandler(name="note", handle=note, source="parley:example"))
        work = Work(source="parley:example", event="e", body=b"1", other_id="w-1")
        with pytest.raises(DatabaseAwayError):
            await room.inbox.put_claimed(work, broken)
        assert not await room.inbox.put_claimed(work, lambda connection: claim(connection, answer=False))
        assert await room.all() == []
        assert await room.inbox.put_claimed(work, lambda connection: claim(connection, answer=True))
        [stored] = await room.settled()
        assert (stored.row.state, stored.row.other_id, done) == (DeliveryState.DONE, "w-1", ["1"])
        with pytest.raises(ValueError, match="has a key"):
            await room.inbox.put_claimed(msgspec.structs.replace(work, key="k"), lambda _: asyncio.sleep(0, True))
        async with database.read() as connection:
            claims = await connection.scalars(text("SELECT key FROM opt_outs ORDER BY key"))
            assert list(claims) == ["False", "True"]


async def test_claimed_work_that_is_there_already_stays_as_it_is(database: Database) -> None:
    async with at_work(database, retries=[0.01]) as room:
        work = Work(source="parley:example", event="e", body=b"1", other_id="w-1")
        await room.inbox.put(work)
        [first] = await room.settled()
        assert await room.inbox.put_claimed(work, lambda _: asyncio.sleep(0, True))
        assert [one.row.delivery_id for one in await room.settled()] == [first.row.delivery_id]
