"""Who a request is from: addresses past proxies, and peers of a Unix socket."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from daemon.config import Config, WebConfig
from tests.web.browser import bearer
from tests.web.client import ask, origin_of
from tests.web.house import PASSWORD, House
from web.addresses import client_address, is_local, networks_of
from web.app import build_app
from web.auth import COOKIE

TRUSTED = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]


class Connection:
    """The end of a connection that an address is asked of."""

    def __init__(self, peer: str | None) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self._peer, 40_000) if name == "peername" and self._peer else default


def request_from(peer: str | None, *forwarded: str) -> web.Request:
    request = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", value) for value in forwarded])
    request._protocol.transport = Connection(peer)  # type: ignore[assignment]
    return request


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.1", (), "203.0.113.1"),
        ("203.0.113.1", ("198.51.100.7",), "203.0.113.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("127.0.0.1", ("1.1.1.1, 198.51.100.7, 10.2.3.4",), "198.51.100.7"),
        ("127.0.0.1", ("1.1.1.1", "198.51.100.7"), "198.51.100.7"),
        ("127.0.0.1", ("127.0.0.1, 198.51.100.7",), "198.51.100.7"),
        ("127.0.0.1", ("10.0.0.9",), "10.0.0.9"),
        ("127.0.0.1", ("198.51.100.7:55001",), "198.51.100.7"),
        ("127.0.0.1", ("[2001:db8::1]:443",), "2001:db8::1"),
        ("127.0.0.1", ("2001:db8::1",), "2001:db8::1"),
        ("127.0.0.1", ("::ffff:198.51.100.7",), "198.51.100.7"),
        ("::ffff:127.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("fd00::5", ("2001:db8::1",), "2001:db8::1"),
        ("127.0.0.1", ("198.51.100.7, unknown",), "127.0.0.1"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        (None, ("198.51.100.7",), None),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str | None, forwarded: tuple[str, ...], address: str | None) -> None:
    found = client_address(request_from(peer, *forwarded), networks_of(TRUSTED))
    assert (str(found) if found else None) == address


def test_this_host_is_whoever_connects_from_it_and_speaks_for_itself() -> None:
    trusted = networks_of(TRUSTED)
    assert is_local(request_from("127.0.0.1"), ())
    assert is_local(request_from("::1"), ())
    assert not is_local(request_from("203.0.113.1"), ())
    assert not is_local(request_from("127.0.0.1", "127.0.0.1"), ()), "a proxy we were not told of"
    assert not is_local(request_from("127.0.0.1", "203.0.113.1"), trusted)
    assert is_local(request_from("10.0.0.1", "127.0.0.1"), trusted)
    assert is_local(request_from("127.0.0.1"), trusted)


@pytest.mark.parametrize("hops", ["unknown", "_hidden", "unix:", "", "127.0.0.1, unknown", "unknown, 127.0.0.1"])
def test_a_client_that_a_trusted_proxy_does_not_name_is_not_this_host(hops: str) -> None:
    assert not is_local(request_from("127.0.0.1", hops), networks_of(TRUSTED))


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        networks_of(["10.0.0.0/33"])


@pytest.fixture
def config() -> Config:
    return Config(web=WebConfig(trusted_proxies=["127.0.0.1"], metrics_networks=["192.0.2.0/24"]))


async def test_metrics_are_open_to_the_networks_named_and_else_need_a_token(house: House) -> None:
    server = await house.serve()
    for address, status in (("192.0.2.77", 200), ("203.0.113.1", 401), ("127.0.0.1", 200)):
        reply = await ask(server, "GET", "/metrics", headers={"X-Forwarded-For": address})
        assert reply.status == status, address
    for header in ({"X-Real-IP": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"X-Forwarded-For": "unknown"}):
        assert (await ask(server, "GET", "/metrics", headers=header)).status == 401, header
    known = bearer(await house.token("viewer"))
    reply = await ask(server, "GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.1"} | known)
    assert reply.status == 200


async def test_behind_a_trusted_proxy_our_host_is_the_one_that_was_asked_for(house: House) -> None:
    server = await house.serve()
    await house.user()
    token = (await house.accounts.sign_in("jin", PASSWORD, "local")).token
    headers = {"Cookie": f"{COOKIE}={token}", "Origin": "https://parley.example"}
    assert (await ask(server, "DELETE", "/api/v1/session", headers=headers)).status == 403
    passed_on = headers | {"X-Forwarded-Host": "parley.example"}
    assert (await ask(server, "DELETE", "/api/v1/session", headers=passed_on)).status == 204


async def test_attempts_are_counted_by_the_address_of_the_client(house: House) -> None:
    server = await house.serve()
    await house.user()

    async def sign_in(name: str, password: str, address: str) -> int:
        body = {"username": name, "password": password}
        reply = await ask(server, "POST", "/api/v1/session", json=body, headers={"X-Forwarded-For": address})
        return reply.status

    for number in range(house.config.web.login_attempts):
        assert await sign_in(f"user{number}", "x", "198.51.100.7") == 401
    assert await sign_in("jin", PASSWORD, "198.51.100.7") == 429
    assert await sign_in("jin", PASSWORD, "198.51.100.8") == 200


async def test_a_credential_that_is_not_valid_is_nobodys(house: House) -> None:
    server = await house.serve()
    token = await house.token()
    for value in (f"Basic {token}", "Bearer", "Bearer ", f"Bearer {token}x", token, "Bearer \u00ff"):
        reply = await ask(server, "GET", "/api/v1/session", headers={"Authorization": value})
        assert reply.status == 401, value
    cookie = {"Cookie": f"{COOKIE}={token}", "Origin": origin_of(server)}
    assert (await ask(server, "GET", "/api/v1/session", headers=cookie)).status == 401
    assert (await ask(server, "GET", "/api/v1/session", headers={"Authorization": f"bearer {token}"})).status == 200


@asynccontextmanager
async def over_unix_socket(house: House, path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    runner = web.AppRunner(build_app(house.sources, frozenset({"private", "public"}), static=house.static))
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    async with aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(path))) as session:
        yield session
    await runner.cleanup()


async def test_our_own_user_is_an_admin_over_the_unix_socket(house: House, tmp_path: Path) -> None:
    async with over_unix_socket(house, tmp_path / "parley.sock") as session:
        async with session.get("/api/v1/session") as response:
            assert response.status == 200
            assert (await response.json())["role"] == "admin"
        async with session.get("/metrics") as response:
            assert response.status == 200
        async with session.get("/api/v1/session", headers={"X-Forwarded-For": "203.0.113.1"}) as response:
            assert response.status == 401, "a proxy speaks for somebody else"
        async with session.get("/api/v1/session", headers=bearer(await house.token("viewer"))) as response:
            assert (await response.json())["role"] == "viewer", "who says who they are is that"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_is_nobody_over_the_unix_socket(house: House, tmp_path: Path) -> None:
    path = tmp_path / "parley.sock"
    for folder in [tmp_path, *tmp_path.parents][:-2]:
        folder.chmod(0o755)
    async with over_unix_socket(house, path):
        path.chmod(0o777)
        asker = "import socket,os,sys;os.setuid(65534);s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
        asker += "s.sendall(b'GET /api/v1/session HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
        asker += "print(s.recv(100).split()[1].decode())"
        assert await run_python(asker, str(path)) == "401"


async def run_python(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode().strip()


def test_peer_credentials_are_what_the_system_says() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        raw = ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    assert int.from_bytes(raw[4:8], "little") == os.geteuid()
