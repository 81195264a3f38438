"""Dialling a relay's app: how it knows Parley, and what becomes of the caller where it is not reached."""

from __future__ import annotations

import asyncio
import http
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from daemon.callapps.apps.relay.dial import DialError, dial
from daemon.callapps.apps.relay.options import RelayOptions
from daemon.callapps.contract import AppCall
from daemon.secrets import Secrets
from protocols.relay.signature import Dial, sign
from tests.daemon.callapps.apps.relay_server import SECRET, Conversation, RelayServer, relay_server
from tests.daemon.callapps.conftest import Answer
from tests.daemon.callapps.phone import ANNOUNCEMENT, PERSON, apps

HERE = ("127.0.0.0/8",)


async def unused(call: AppCall) -> None:
    raise AssertionError("this call is for the relay")


async def patient(conversation: Conversation) -> None:
    """An app that says nothing."""


def options(**given: Any) -> RelayOptions:
    return msgspec.convert({"url": "wss://relay.example.com/", **given}, RelayOptions)


@pytest.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with relay_server(patient) as app:
        yield app


async def test_the_headers_are_those_that_the_contract_shows(server: RelayServer) -> None:
    headers = sign("test-signing-secret", Dial("demo-order-app", "1790000000.42"), timestamp=1790000000)
    connection = await dial(options(url=server.url, private_networks=HERE), headers)
    await connection.send("{}")
    assert connection.request is not None
    sent = connection.request.headers
    assert sent["X-DVG-Signature"] == "8f5176f9494aea0ff84847a5d2a80fdac8b90de4d44633d841d4cff3b1133f9a"
    assert (sent["X-DVG-App-Id"], sent["X-DVG-Call-Id"]) == ("demo-order-app", "1790000000.42")
    assert (sent["X-DVG-Timestamp"], sent["X-DVG-Relay-Version"]) == ("1790000000", "1")
    await connection.close()


async def test_an_app_that_is_not_let_near_itself_by_a_name(server: RelayServer) -> None:
    # 127.1 is no address as people write it, and leads to one all the same.
    by_name = server.url.replace("127.0.0.1", "127.1")
    with pytest.raises(DialError, match="private address"):
        await dial(options(url=by_name), {})
    headers = sign(SECRET, Dial("shop", "1"), timestamp=1)
    await (await dial(options(url=by_name, private_networks=HERE), headers)).close()


async def test_redirects_are_not_followed(server: RelayServer) -> None:
    def elsewhere(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(http.HTTPStatus.FOUND, "")
        response.headers["Location"] = server.url
        return response

    async with relay_server(patient, refuse=elsewhere) as app:
        with pytest.raises(DialError):
            await dial(options(url=app.url, private_networks=HERE), {})
    assert server.calls == app.calls == []


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[RelayServer]:
    """An app that speaks wss; who trusts the authority in ``ca.pem`` can know that it is the one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with relay_server(patient, tls=tls) as app:
        yield app


async def test_wss_is_spoken_with_whom_the_configured_authority_vouches_for(
    secure: RelayServer, tmp_path: Path
) -> None:
    headers = sign(SECRET, Dial("shop", "1"), timestamp=1)
    trusting = options(url=secure.url, private_networks=HERE, ca_file=str(tmp_path / "ca.pem"))
    await (await dial(trusting, headers)).close()
    with pytest.raises(DialError, match="its certificate is not trusted"):
        await dial(options(url=secure.url, private_networks=HERE), headers)


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody who takes the call and says nothing."""
    await reader.read()
    writer.close()


async def no_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody who speaks HTTP and nothing more."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await reader.read()
    writer.close()


def nobody_there() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{probe.getsockname()[1]}"


async def sent_to_a_person(answer: Answer, url: str, secret: str = SECRET, **more: Any) -> str:
    """Somebody calls, the app at ``url`` is not reached, and they get a person. Why it was not."""
    given = {"url": url, "private_networks": list(HERE), **more}
    secrets = Secrets({"PARLEY_CALLAPP_ORDER_SECRET": secret})
    phone = await answer(unused, apps(use="relay", options=given), secrets=secrets)
    with capture_logs() as logs:
        call = await phone.ring()
        await phone.following.until(lambda: phone.following.state(call.leg_id) == "bridged")
        assert call.leg.bridged is not None
        assert call.leg.bridged.profile.destination == PERSON
        await phone.until_outcome(call, "app_away")
        await phone.idle()
    assert phone.said(call) == [ANNOUNCEMENT]
    assert url not in str(logs)
    (told,) = [log for log in logs if log["event"] == "relay_not_reached"]
    return str(told["why"])


async def test_nobody_is_there(answer: Answer) -> None:
    assert await sent_to_a_person(answer, nobody_there()) == "cannot connect: Connection refused"


@pytest.mark.parametrize(
    ("whoever", "patience", "why"),
    [(mute, 0.3, "it does not answer in time"), (no_websocket, 6.0, "the app refuses the call: HTTP 200")],
)
async def test_somebody_else_is_there(answer: Answer, whoever: Any, patience: float, why: str) -> None:
    async with await asyncio.start_server(whoever, "127.0.0.1", 0) as other:
        url = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}/"
        assert await sent_to_a_person(answer, url, connect_within=patience) == why


async def test_the_app_does_not_know_us(answer: Answer, server: RelayServer) -> None:
    assert await sent_to_a_person(answer, server.url, "another") == "the app refuses the call: HTTP 403"


@pytest.mark.parametrize(("secret", "why"), [("", "a secret is empty"), ("a\nb", "it has more than one line")])
async def test_there_is_no_secret(answer: Answer, server: RelayServer, secret: str, why: str) -> None:
    assert await sent_to_a_person(answer, server.url, secret) == why


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"url": "https://relay.example.com/"}, "no address of a WebSocket"),
        ({"url": "wss://"}, "no address of a WebSocket"),
        ({"url": "wss://a:b@relay.example.com/"}, "a password stands in url"),
        ({"url": "wss://relay.example.com:port/"}, "url is no URL"),
        ({"url": "ws://10.0.0.7/"}, "name 10.0.0.7, or its network, in private_networks"),
        ({"url": "ws://localhost:9000/"}, "name 127.0.0.1"),
        ({"url": "ws://[::1]/"}, "name ::1"),
        ({"private_networks": ["10.0.0.0/33"]}, "private_networks: "),
        ({"app_id": "꽃집"}, "app_id"),
        ({"app_id": "a b"}, "app_id"),
        ({"transfer_to": "1001 XML default"}, "transfer_to"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
        ({"ca_file": "/etc/passwd"}, "ca_file: "),
        ({"answer_within": 11.0}, "<= 10.0"),
        ({"instructions": 0}, ">= 1"),
        ({"uri": "x"}, "unknown field `uri`"),
    ],
)
def test_options_that_do_not_fit(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        options(**given)
    assert problem in str(refused.value)
    assert "a:b" not in str(refused.value)


def test_options_that_fit() -> None:
    assert options().limits.answer_within == 10.0
    options(url="ws://10.0.0.7/app?shop=1", private_networks=["10.0.0.0/8"], transfer_to="1002", notice="")
    with pytest.raises(msgspec.ValidationError, match="missing required field `url`"):
        msgspec.convert({}, RelayOptions)
