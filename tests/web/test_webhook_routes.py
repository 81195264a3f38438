"""What providers meet at /webhooks: verified over the raw bytes, safe before it is acknowledged, refused in words."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from daemon.config import Config, InboxConfig, SourceConfig, WebConfig
from daemon.stores.database import Database
from daemon.stores.deliveries import DeliveryFilter, WholeDelivery
from protocols.webhooks import github, standard, stripe, webex
from tests.web.house import House
from tests.web.listening import Listening, listening

SECRET = "It's a Secret to Everybody"
OLD_SECRET = "the one before"
STANDARD_SECRET = "whsec_c29tZSBleGFtcGxlIGJ5dGVz"
SECRETS = {
    "PARLEY_SOURCE_GITHUB_SECRET": SECRET,
    "PARLEY_SOURCE_GITHUB_SECRET_2": OLD_SECRET,
    "PARLEY_SOURCE_STRIPE_SECRET": "whsec_example",
    "PARLEY_SOURCE_WEBEX_SECRET": "webex",
    "PARLEY_SOURCE_STANDARD_SECRET": STANDARD_SECRET,
    "PARLEY_SOURCE_BEARER_SECRET": "bearer-token",
    "PARLEY_SOURCE_LINK_SECRET": "url-token",
    "PARLEY_SOURCE_SLOW_SECRET": "slow",
}
SOURCES = [
    SourceConfig(name="github", kind="github"),
    SourceConfig(name="stripe", kind="stripe"),
    SourceConfig(name="webex", kind="webex"),
    SourceConfig(name="standard", kind="standard"),
    SourceConfig(
        name="bearer", kind="generic", check="bearer", event="json:kind", other_id="json:no", key="header:X-Key"
    ),
    SourceConfig(name="link", kind="generic", check="url-token"),
    SourceConfig(name="near", kind="generic", check="address", addresses=["198.51.100.7"]),
    SourceConfig(name="slow", kind="generic", check="bearer", per_second=0.1),
]
Server = TestServer | Listening
MOST = 100_000
ROUNDS = 3_000 if os.environ.get("PARLEY_PROVE") == "1" else 150


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[House]:
    config = Config(inbox=InboxConfig(source=SOURCES, max_body=MOST), web=WebConfig(trusted_proxies=["127.0.0.1"]))
    made = House(database, config, tmp_path, SECRETS)
    made.now = time.time()
    yield made
    await made.close()


@pytest.fixture(params=["listeners", "routes"])
async def server(house: House, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """As the service serves it, and the routes alone: nobody may tell which of the two took a delivery in."""
    async with house.inbox_at_work():
        if request.param == "routes":
            yield await house.serve()
        else:
            async with listening(house) as made:
                yield made


class Answered(msgspec.Struct):
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


async def deliver(
    server: Server, source: str, body: bytes = b"{}", headers: dict[str, str] | None = None, **options: Any
) -> Answered:
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.make_url(f"/webhooks/{source}"), data=body, headers=headers, **options) as response,
    ):
        return Answered(response.status, await response.json(content_type=None), dict(response.headers))


async def stored(house: House) -> list[WholeDelivery]:
    page = await house.inbox.page(DeliveryFilter(), before=None, limit=100)
    found = [await house.inbox.get(row.delivery_id) for row in page.rows]
    return [whole for whole in found if whole is not None]


def push(body: bytes, delivery: str = "d-1", secret: str = SECRET, **headers: str) -> dict[str, str]:
    return github.sign(secret, body) | {"X-GitHub-Event": "push", "X-GitHub-Delivery": delivery} | headers


async def test_a_push_of_8_kb_is_stored_byte_for_byte(house: House, server: Server) -> None:
    body = msgspec.json.encode(
        {"ref": "refs/heads/main", "repository": {"full_name": "example/shop"}, "x": "가" * 2700}
    )
    assert len(body) > 8_000
    answered = await deliver(server, "github", body, push(body, Authorization="Bearer abc", Cookie="parley=1"))
    assert answered.status == 202
    assert answered.body["message"] == "accepted"
    [whole] = await stored(house)
    assert whole.row.delivery_id == answered.body["delivery_id"]
    assert whole.body == body
    assert (whole.row.source, whole.row.event, whole.row.other_id, whole.address) == (
        "github",
        "push",
        "d-1",
        "127.0.0.1",
    )
    headers = dict(whole.headers)
    assert headers["X-GitHub-Delivery"] == "d-1"
    assert (headers["Authorization"], headers["Cookie"]) == ("***", "***")


async def test_a_double_is_a_no_op(house: House, server: Server) -> None:
    first = await deliver(server, "github", b"{}", push(b"{}"))
    again = await deliver(server, "github", b"{}", push(b"{}", secret=OLD_SECRET))
    assert (first.status, again.status) == (202, 200)
    assert again.body["delivery_id"] == first.body["delivery_id"]
    assert again.body["message"].startswith("accepted before")
    assert len(await stored(house)) == 1


async def test_every_scheme_is_known(house: House, server: Server) -> None:
    body = b'{"type": "invoice.paid", "id": "evt_1", "kind": "note", "no": 7}'
    now = int(house.now)
    deliveries = {
        "stripe": stripe.sign("whsec_example", body, timestamp=now),
        "webex": webex.sign("webex", body),
        "standard": standard.sign(STANDARD_SECRET, "msg_1", now, body),
        "bearer": {"Authorization": "Bearer bearer-token", "X-Key": "k"},
    }
    for source, headers in deliveries.items():
        assert (await deliver(server, source, body, headers)).status == 202, source
    assert (await deliver(server, "link?token=url-token", body)).status == 202
    assert (await deliver(server, "near", body, {"X-Forwarded-For": "198.51.100.7"})).status == 202
    rows = {whole.row.source: whole for whole in await stored(house)}
    assert set(rows) == {*deliveries, "link", "near"}
    assert (rows["bearer"].row.event, rows["bearer"].row.other_id, rows["bearer"].row.order_key) == ("note", "7", "k")
    assert rows["standard"].row.other_id == "msg_1"
    assert rows["near"].address == "198.51.100.7"
    # The token of an address stands nowhere.
    assert "url-token" not in repr(rows["link"])


@pytest.mark.parametrize(
    ("source", "headers", "status", "reason"),
    [
        ("github", {}, 401, "missing_signature"),
        ("github", {"X-Hub-Signature-256": "sha256=zz"}, 401, "malformed_signature"),
        ("github", push(b"other"), 401, "wrong_signature"),
        ("stripe", stripe.sign("whsec_example", b"{}", timestamp=1), 401, "stale_timestamp"),
        ("stripe", {"Stripe-Signature": "t=9" * 500}, 401, "malformed_signature"),
        ("bearer", {"Authorization": "Bearer wrong"}, 401, "wrong_token"),
        ("link?token=wrong", {}, 401, "wrong_token"),
        ("link", {}, 401, "missing_signature"),
        ("near", {}, 403, "wrong_address"),
        ("near", {"X-Forwarded-For": "198.51.100.7, 203.0.113.1"}, 403, "wrong_address"),
    ],
)
async def test_who_is_not_known_is_refused_with_a_reason(
    house: House, server: Server, source: str, headers: dict[str, str], status: int, reason: str
) -> None:
    with capture_logs() as logs:
        answered = await deliver(server, source, b"{}", headers)
    assert answered.status == status
    assert answered.body["detail"]
    name = source.partition("?")[0]
    assert house.inbox.counts.by_source()[name].refused[reason] == 1
    assert await stored(house) == []
    assert "wrong" not in repr(logs)


async def test_nothing_that_is_sent_is_more_than_refused(house: House, server: Server) -> None:
    """Signatures, timestamps, tokens and bodies of all kinds: 401 with a reason, and never a fault of ours."""
    chance = random.Random(7)
    names = [
        "X-Hub-Signature-256",
        "Stripe-Signature",
        "X-Spark-Signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-signature",
        "Authorization",
        "X-GitHub-Event",
        "X-GitHub-Delivery",
    ]
    pieces = [
        "sha256=",
        "v1,",
        "v1=",
        "t=",
        ",",
        " ",
        "=",
        "Bearer ",
        "0" * 64,
        "zz",
        "9" * 40,
        "-1",
        "é",
        "한",
        "nan",
        "%00",
    ]
    async with aiohttp.ClientSession() as session:
        for _ in range(ROUNDS):
            headers = {
                name: "".join(chance.choices(pieces, k=chance.randint(0, 6))).strip()
                for name in chance.sample(names, chance.randint(0, len(names)))
            }
            body = chance.randbytes(chance.randint(0, 40))
            source = chance.choice(["github", "stripe", "webex", "standard", "bearer", "link?token=%00%ff", "near"])
            async with session.post(server.make_url(f"/webhooks/{source}"), data=body, headers=headers) as response:
                assert response.status in (401, 403), (source, headers, body)
                assert (await response.json(content_type=None))["detail"]
    assert await stored(house) == []


async def test_nobody_else_is_known(server: Server) -> None:
    assert (await deliver(server, "nobody")).status == 404
    async with aiohttp.ClientSession() as session, session.get(server.make_url("/webhooks/github")) as response:
        assert response.status == 405


async def test_a_body_past_the_limit_is_refused_by_its_length_or_its_bytes(house: House, server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
    assert b" 413 " in await reader.readline()
    writer.close()
    assert house.inbox.counts.by_source()["github"].refused["too_large"] == 1

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2 * MOST // 1_000):
            yield b"x" * 1_000

    answered = await deliver(server, "github", pieces())  # type: ignore[arg-type]
    assert answered.status == 413
    assert house.inbox.counts.by_source()["github"].refused["too_large"] == 2


async def test_odd_bodies_of_those_who_are_known_are_stored(house: House, server: Server) -> None:
    bodies = [b"", b"\x00\xff", b"[" * 5_000, b'"\\ud800"', b"a=b&c=d", b"null", b'{"action": "\\u0000"}']
    for number, body in enumerate(bodies):
        assert (await deliver(server, "github", body, push(body, str(number)))).status == 202
    assert [whole.body for whole in await stored(house)] == bodies[::-1]


async def test_too_many_at_once_are_told_when_to_come_again(house: House, server: Server) -> None:
    known = {"Authorization": "Bearer slow"}
    # Strangers do not use up what those who are known may deliver.
    for _ in range(5):
        assert (await deliver(server, "slow", headers={"Authorization": "Bearer x"})).status == 401
    assert (await deliver(server, "slow", headers=known)).status == 202
    refused = await deliver(server, "slow", headers=known)
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "10"
    house.now += 10.0
    assert (await deliver(server, "slow", headers=known)).status == 202
    assert house.inbox.counts.by_source()["slow"].refused["too_fast"] == 1


async def test_what_cannot_be_stored_is_not_acknowledged(house: House, server: Server) -> None:
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE deliveries RENAME TO gone")
    answered = await deliver(server, "github", b"{}", push(b"{}"))
    assert answered.status == 503
    assert answered.headers["Retry-After"]
    assert house.inbox.counts.by_source()["github"].refused["store_away"] == 1
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO deliveries")
    assert (await deliver(server, "github", b"{}", push(b"{}"))).status == 202


async def test_a_listener_for_providers_serves_them_and_nothing_else(house: House) -> None:
    async with house.inbox_at_work():
        public = await house.serve(frozenset({"public"}))
        private = await house.serve(frozenset({"private"}))
        assert (await deliver(public, "github", b"{}", push(b"{}"))).status == 202
        assert (await deliver(private, "github", b"{}", push(b"{}"))).status in (404, 405)
