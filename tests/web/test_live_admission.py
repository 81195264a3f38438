"""Who gets into the live view, who is put out of it, and what happens to those who do not speak its language."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import socketio  # type: ignore[import-untyped]
from aiohttp.test_utils import TestServer
from engineio.async_drivers.aiohttp import _async as library_drivers  # type: ignore[import-untyped]

from daemon.config import Config, LiveConfig
from tests.web.browser import Browser, bearer
from tests.web.conftest import Connect
from tests.web.house import PASSWORD, House
from tests.web.raw_client import RawClient
from web.auth import COOKIE
from web.live_outbox import LiveCounts
from web.live_server import RELIED_ON, EngineServer, LiveServer

HANDSHAKE = "/socket.io/?EIO=4&transport=websocket"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


# A client that is pinged often takes a server for gone that is silent for as long as a pause of the tests may take.
OFTEN = LiveConfig(max_clients=3, ping_interval=0.05, ping_timeout=2.0)


@pytest.fixture
def config() -> Config:
    return Config(live=LiveConfig(max_clients=3))


async def knock(server: TestServer, headers: dict[str, str], path: str = HANDSHAKE) -> tuple[int, str]:
    """Ask for a WebSocket and return the status and the problem's title."""
    async with aiohttp.ClientSession() as session, session.get(server.make_url(path), headers=headers) as response:
        assert response.content_type == "application/problem+json"
        return response.status, (await response.json())["title"]


async def sign_in(house: House, server: TestServer) -> str:
    """A session's token."""
    await house.user()
    return (await house.accounts.sign_in("jin", PASSWORD, "127.0.0.1")).token


def cookie(server: TestServer, token: str, origin: str | None = None) -> dict[str, str]:
    """What a browser on one of our own pages sends."""
    return {"Cookie": f"{COOKIE}={token}", "Origin": origin or str(server.make_url("/")).rstrip("/")}


async def test_without_a_credential_there_is_no_connection(house: House) -> None:
    server = await house.serve()
    assert await knock(server, UPGRADE) == (401, "Sign in first")
    assert await knock(server, UPGRADE | bearer("parley_" + "x" * 43)) == (401, "Sign in first")
    assert await knock(server, UPGRADE | cookie(server, "x" * 43)) == (401, "Sign in first")
    stranger = Browser()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await stranger.connect(server, {})
    await stranger.close()
    assert house.sources.live.clients == 0


async def test_a_session_gets_in_from_our_own_pages_only(house: House, connect: Connect) -> None:
    server = await house.serve()
    token = await sign_in(house, server)
    await connect(headers=cookie(server, token))
    assert await knock(server, UPGRADE | cookie(server, token, "https://elsewhere.example")) == (403, "Not from here")
    assert await knock(server, UPGRADE | {"Cookie": f"{COOKIE}={token}"}) == (403, "Not from here")
    foreign = cookie(server, token) | {"Sec-Fetch-Site": "same-site"}
    assert await knock(server, UPGRADE | foreign) == (403, "Not from here")


async def test_only_a_websocket_of_a_new_client_is_taken(house: House) -> None:
    server = await house.serve()
    known = bearer(await house.token())
    assert (await knock(server, known))[0] == 426
    assert (await knock(server, UPGRADE | known, "/socket.io/?EIO=4&transport=polling"))[0] == 422
    assert (await knock(server, UPGRADE | known, "/socket.io/?EIO=3&transport=websocket"))[0] == 422
    assert (await knock(server, UPGRADE | known, "/socket.io/"))[0] == 422
    assert (await knock(server, UPGRADE | known, HANDSHAKE + "&sid=abc"))[0] == 400
    assert (await knock(server, {**UPGRADE, "Sec-WebSocket-Key": "short"} | known))[0] == 400
    assert house.sources.live.clients == 0
    assert house.sources.live._server.environ == {}


async def test_no_more_clients_than_there_may_be(house: House, connect: Connect) -> None:
    for _ in range(3):
        await connect()
    known = bearer(await house.token(name="one-more"))
    assert await knock(house.servers[-1], UPGRADE | known) == (503, "No room for another browser")
    house.sources.live.set_limits(LiveConfig(max_clients=4))
    await connect()


async def test_no_compression_is_agreed_on(house: House) -> None:
    offer = bearer(await house.token()) | {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    client = await RawClient.connect(await house.serve(), offer)
    assert "extensions" not in client.answer.lower()
    await client.close()


async def test_signing_out_ends_the_connection(house: House, connect: Connect) -> None:
    server = await house.serve()
    token = await sign_in(house, server)
    browser, machine = await connect(headers=cookie(server, token)), await connect()
    path = server.make_url("/api/v1/session")
    async with aiohttp.ClientSession() as session, session.delete(path, headers=cookie(server, token)) as response:
        assert response.status == 204
    await browser.until(lambda: browser.gone)
    assert await knock(server, UPGRADE | cookie(server, token)) == (401, "Sign in first")
    house.ring()
    await machine.until(lambda: bool(machine.payloads("call")))
    assert browser.payloads("call") == []


@pytest.mark.parametrize("end", ["expired", "removed", "role", "revoked"])
async def test_whoever_is_not_known_any_more_is_put_out(house: House, connect: Connect, end: str) -> None:
    server = await house.serve()
    live = house.sources.live
    live._recheck_interval = 0.01
    await live.stop()
    await live.start()
    headers = bearer(await house.token(name="a")) if end == "revoked" else cookie(server, await sign_in(house, server))
    browser, other = await connect(headers=headers), await connect()
    if end == "expired":
        house.now += house.config.web.session_lifetime
    elif end == "removed":
        await house.accounts.remove_user("jin")
    elif end == "role":
        await house.accounts.set_role("jin", "viewer")
    else:
        await house.accounts.revoke_token("a")
    await browser.until(lambda: browser.gone)
    assert not other.gone


async def test_who_does_not_answer_pings_is_gone(house: House, connect: Connect) -> None:
    server = await house.serve()
    house.sources.live.set_limits(OFTEN)
    silent = await RawClient.connect(server, bearer(await house.token("viewer")))
    answering = await connect()
    await silent.read_to_the_end()
    assert house.sources.live.clients == 1
    assert not answering.gone
    await silent.close()


@pytest.mark.parametrize(
    "said",
    [
        "x",
        "9",
        "4x",
        "4[]",
        '42/live,{"a":1}',
        "42/live,[]",
        "42/live,[{}]",
        '42/live,["connect",{"aiohttp.request":{}}]',
        '42/live,["disconnect","x"]',
        '451-/live,["watch",{"_placeholder":true,"num":0}]',
        "42/live," + "[" * 5_000,
        '42/live,99999999999999999999999999999999["watch",{}]' + "9" * 200,
    ],
)
async def test_who_breaks_the_protocol_is_put_out_and_nobody_else(house: House, connect: Connect, said: str) -> None:
    server = await house.serve()
    house.sources.live.set_limits(LiveConfig())
    rude = await RawClient.connect(server, bearer(await house.token("viewer")))
    other = await connect()
    rude.send(said)
    await rude.read_to_the_end()
    house.ring()
    await other.until(lambda: bool(other.payloads("call")))
    assert house.sources.live.clients == 1
    await rude.close()


async def test_namespaces_other_than_ours_are_not_there(house: House) -> None:
    server = await house.serve()
    client = await RawClient.connect(server, bearer(await house.token("viewer")))
    client.send("40")
    assert (await client.read()).startswith("44")
    client.send("40/admin,")
    assert (await client.read()).startswith("44/admin,")
    await client.close()


async def test_two_listeners_share_one_live_view(house: House, connect: Connect) -> None:
    await house.serve()
    first = await connect()
    await house.serve()
    second = await connect()
    assert house.sources.live.clients == 2
    house.ring()
    for browser in (first, second):
        await browser.until(lambda browser=browser: bool(browser.payloads("call")))  # type: ignore[misc]


async def test_other_limits_do_not_change_the_pings_that_a_handshake_promised(house: House) -> None:
    server = await house.serve()
    house.sources.live.set_limits(OFTEN)
    client = await RawClient.connect(server, bearer(await house.token("viewer", "raw")))
    house.sources.live.set_limits(LiveConfig(ping_interval=1_000.0, ping_timeout=1_000.0))
    async with asyncio.timeout(30):
        for _ in range(3):
            while await client.read() != "2":
                pass
            client.send("3")
        # The last ping stays unanswered: that ends it, by the timeout of the handshake too.
        assert await client.read_to_the_end() == 0
    await client.close()


async def test_stopping_ends_every_connection_with_going_away(house: House, connect: Connect) -> None:
    server = await house.serve()
    polite, client = await connect(), await RawClient.connect(server, bearer(await house.token("viewer")))
    stopping = asyncio.ensure_future(house.sources.live.stop())
    assert await client.read_to_the_end() == 1001
    await stopping
    await polite.until(lambda: polite.gone)
    assert (await knock(server, UPGRADE | bearer(await house.token("admin"))))[0] == 503
    await client.close()


async def test_a_stuck_client_does_not_hold_up_the_stop(house: House) -> None:
    server = await house.serve()
    house.sources.live.set_limits(LiveConfig())
    house.ring()
    client = await RawClient.connect(server, bearer(await house.token("viewer")))
    client.watch()
    (connection,) = house.sources.live._server.connections()
    async with asyncio.timeout(60):
        while not connection.outbox.backed_up:
            house.say("가" * 1_000)
            await asyncio.sleep(0)
    await house.sources.live.stop()
    assert connection.outbox.waiting_bytes == 0
    await client.read_to_the_end()
    await client.close()


def test_what_the_library_does_not_document_is_still_there() -> None:
    """A newer python-socketio or python-engineio may rename what is overridden: then this says so first."""
    for owner, names in RELIED_ON.items():
        for name in names:
            assert callable(getattr(owner, name, None)), f"{owner.__module__}.{owner.__name__}.{name} is gone"
    server = LiveServer(LiveConfig(), LiveCounts())
    assert isinstance(server.eio, EngineServer)
    assert "websocket" in server.eio._async
    assert server.eio._async is not library_drivers
    assert server.eio.sockets == {}
    assert server.environ == {}
    assert server.manager.eio_sid_from_sid("x", "/live") is None
